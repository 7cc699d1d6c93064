"""Claim: the page stays quick with 100,000 distinct stacks. Prints one JSON line.

    python -m bench.web_page [STACKS] [--rounds N] [--file PROFILE]

What a person does in a headless Chromium, each with nothing cached: open the page, search, zoom into a box whose finer
parts the page has not got yet, switch the sample type, turn the graph round, and open the other pages. Medians over the
rounds of:

- wall_ms: from the key or click to the next picture on the screen
- page_cpu_ms: CPU time of the page's main thread
- server_cpu_ms: CPU time of the server's process, which is this one

On a machine that does other things too, the CPU times are the ones to read.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

from selenium import webdriver

from gomem.pprof.fetch import Sources, fetch_profile
from gomem.web.server import Server
from gomem.web.store import Source, Store

# Acts, then waits for the answer and for the picture behind it; gives the milliseconds.
_ACT = """
const done = arguments[arguments.length - 1], start = performance.now(), wait = new Function("return " + arguments[1]);
document.body.dataset.ready = "";
new Function(arguments[0])();
(function look() {
  if (wait()) requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
  else setTimeout(look, 1);
})();
"""
_READY = "document.body.dataset.ready"
_SEARCH = """const s = document.getElementById("search"); document.getElementById("found").textContent = "";
s.value = "function_1[0-9]$"; s.dispatchEvent(new Event("input"));"""
_ZOOM = """const v = gomemPage.view, inner = v.levels[3].find((n) => !v.refined.has(n.id) && n.children.length);
window.before = v.byId.size; v.zoomTo(inner);"""
ACTS = (  # name, what is done, when it is over
    ("search", _SEARCH, 'document.getElementById("found").textContent'),
    ("zoom", _ZOOM, "gomemPage.view.byId.size > window.before"),
    ("switch", 'const t = document.getElementById("type"); t.selectedIndex = 0; t.dispatchEvent(new Event("change"));', _READY),
    ("invert", 'document.dispatchEvent(new KeyboardEvent("keydown", {key: "v", bubbles: true}));', _READY),
    ("top", 'document.querySelectorAll("#pages a")[1].click()', _READY),
    ("graph", 'document.querySelectorAll("#pages a")[2].click()', _READY),
    ("peek", 'document.querySelectorAll("#pages a")[3].click()', _READY),
    ("source", 'document.querySelectorAll("#pages a")[4].click()', _READY),
    ("tags", 'document.querySelectorAll("#pages a")[5].click()', _READY),
)


def start_browser(folder):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    for flag in ("headless", "no-sandbox", "disable-gpu", "window-size=1600,1000", f"user-data-dir={folder}"):
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    browser.set_script_timeout(120)
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    return browser


def page_cpu_ms(browser):
    metrics = {m["name"]: m["value"] for m in browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]}
    return metrics["TaskDuration"] * 1000


def measure(browser, act):
    """wall, page and server milliseconds of what ``act()`` does; it gives its own wall time, or None for ours."""
    page, server, start = page_cpu_ms(browser), time.process_time(), time.perf_counter()
    wall = act()
    wall = (time.perf_counter() - start) * 1000 if wall is None else wall
    return wall, page_cpu_ms(browser) - page, (time.process_time() - server) * 1000


def load(browser, url):
    browser.get(url)
    browser.execute_async_script(_ACT.replace('document.body.dataset.ready = "";', ""), "", _READY)


def one_round(browser, profile):
    """A fresh server, which has nothing cached, and everything done once."""
    found = {}
    with Server(Store([Source("wide", profile)])) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        browser.get("about:blank")
        start = page_cpu_ms(browser)
        wall, page, cpu = measure(browser, lambda: load(browser, server.url))
        found["open"] = wall, page if page > 0 else page + start, cpu
        drawing = "const v = gomemPage.view, s = performance.now(); v.paint(); return performance.now() - s"
        found["drawing"] = browser.execute_script(drawing), 0, 0
        for name, act, over in ACTS:
            found[name] = measure(browser, lambda act=act, over=over: browser.execute_async_script(_ACT, act, over))
        server.shutdown()
        thread.join()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stacks", type=int, nargs="?", default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--file", help="a profile to show instead of a made-up one")
    options = parser.parse_args()
    if options.file:
        profile = fetch_profile(Sources([options.file]), print)
    else:
        import sys

        sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "web"))
        from web_profiles import wide

        profile = wide(options.stacks)
    with tempfile.TemporaryDirectory() as folder:
        browser = start_browser(folder)
        try:
            rounds = [one_round(browser, profile) for _ in range(options.rounds)]
        finally:
            browser.quit()
    figures = {
        name: {
            kind: round(statistics.median(r[name][index] for r in rounds), 1)
            for index, kind in enumerate(("wall_ms", "page_cpu_ms", "server_cpu_ms"))
        }
        for name in rounds[0]
    }
    print(json.dumps({"samples": len(profile.samples), **figures}))


if __name__ == "__main__":
    main()
