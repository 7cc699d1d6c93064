"""Makes the pictures of docs/web.md: runs the example program, opens its profiles in a headless Chromium, takes shots.

    python tests/web/screenshots.py docs/img

Needs chromium, chromedriver and selenium; with Pillow the pictures are reduced to 128 colours, a third of their size.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from gomem.pprof.fetch import Sources, fetch_profile
from gomem.report.config import Config
from gomem.web.server import Server
from gomem.web.store import Source, Store

ROOT = Path(__file__).parents[2]
SELECT = """const v = gomemPage.view; v.canvas.focus();
    v.select([...v.byId.values()].find((n) => n.frame >= 0 && v.frames[n.frame].name.endsWith("Outline.names")))"""
# name -> (page and parameters, script to run before the shot, dark)
SHOTS = {
    "web-flame": ("", SELECT, False),
    "web-flame-dark": ("?q=tokenize", "", True),
    "web-inverted": ("?inv=1", "", False),
    "web-compare": ("?vs=0", "", False),
    "web-top": ("top", "", False),
    "web-top-compare": ("top?vs=0", "", False),
    "web-graph": ("graph?h=threading%7Cconcurrent&i=gomem", "", False),
    "web-peek": ("peek?fn=Index.add", "", False),
    "web-source": ("source?fn=Index.add", "", False),
    "web-tags": ("tags?si=alloc_space", "", False),
    "web-refine": ("?f=Index.add&h=%3Cmodule%3E", "document.getElementById('refine-open').click()", False),
}  # fmt: skip


def make_profiles(folder):
    subprocess.run([sys.executable, ROOT / "examples" / "code_index.py", "60", folder / "index"], check=True)
    return sorted(folder.glob("index.*.prof"))


def browser(folder):
    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "hide-scrollbars",
        "window-size=1180,700",
        f"user-data-dir={folder}/chromium",
    ):
        options.add_argument(f"--{flag}")
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def shoot(driver, url, script, dark, path):
    driver.get(url)
    driver.execute_script("gomem.theme.set(arguments[0])", "dark" if dark else "light")
    WebDriverWait(driver, 30).until(lambda d: d.execute_script("return document.body.dataset.ready"))
    if script:
        driver.execute_script(script)
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    driver.save_screenshot(str(path))
    reduce(path)


def reduce(path):
    try:
        from PIL import Image
    except ImportError:
        return
    Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


def main(target):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_profiles(folder)
        sources = [Source(path.name, fetch_profile(Sources([str(path)]), print)) for path in paths]
        # Paths as a reader of the documents has them, not as on this machine.
        config = Config(trim_path=f"{ROOT}:{folder}", source_path=str(ROOT))
        with Server(Store(sources), config) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            driver = browser(folder)
            try:
                for shot, (page, script, dark) in SHOTS.items():
                    shoot(driver, server.url + page, script, dark, target / f"{shot}.png")
                    assert not driver.find_elements(By.CSS_SELECTOR, ".empty"), f"{shot}: nothing to show"
            finally:
                driver.quit()
                server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
