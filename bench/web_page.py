"""Claim: the page stays quick with 100,000 distinct stacks. Prints one JSON line.

    python -m bench.web_page [STACKS]

CPU seconds from a profile in memory to the flame graph's first answer, to the same turned round, and to a zoom; bytes
of the answers; with Chromium and selenium installed also milliseconds a drawing of the graph takes in the browser (median of
20).
"""

import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "web"))

from web_profiles import wide

from gomem.web.pages import Pages
from gomem.web.server import Server
from gomem.web.store import Source, Store


def timed(pages, **parameters):
    start = time.process_time()
    answer = json.dumps(pages.answer("flamegraph", parameters))
    return round(time.process_time() - start, 3), len(answer), answer


def drawing_ms(store):
    """Median time of one drawing in the browser, or None without one."""
    chromium, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        return None
    if not chromium or not driver:
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory() as folder, Server(store) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for flag in ("headless", "no-sandbox", "disable-gpu", "window-size=1600,1000", f"user-data-dir={folder}"):
            options.add_argument(f"--{flag}")
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        browser.get(server.url)
        while browser.execute_script("return document.body.dataset.ready") != "flamegraph":
            time.sleep(0.05)
        times = browser.execute_script(
            "const v = gomemPage.view, t = []; for (let i = 0; i < 20; i++) { const s = performance.now(); v.paint();"
            " t.push(performance.now() - s); } return t"
        )
        browser.quit()
        server.shutdown()
    return round(statistics.median(times), 2)


def main(stacks):
    store = Store([Source("wide", wide(stacks))])
    pages = Pages(store)
    first_cpu_s, first_bytes, answer = timed(pages)
    nodes = json.loads(answer)["body"]
    middle = nodes["nodes"]["id"][len(nodes["nodes"]["id"]) // 2]
    zoom_cpu_s, zoom_bytes, _ = timed(pages, z=str(middle))
    inverted_cpu_s, inverted_bytes, _ = timed(pages, inv="1")
    print(
        json.dumps(
            {
                "stacks": stacks,
                "tree_nodes": nodes["size"],
                "first_cpu_s": first_cpu_s,
                "first_bytes": first_bytes,
                "zoom_cpu_s": zoom_cpu_s,
                "zoom_bytes": zoom_bytes,
                "inverted_cpu_s": inverted_cpu_s,
                "inverted_bytes": inverted_bytes,
                "drawing_ms": drawing_ms(store),
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
