"""A server over known profiles, and a headless Chromium where one is installed."""

import shutil
import threading

import pytest
from web_profiles import shop

from gomem.web.server import Server
from gomem.web.store import Source, Store

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1280,800"
).split()


def _serving(store):
    server = Server(store)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    return server, thread


@pytest.fixture(scope="session")
def serve():
    """Starts servers for stores of profiles: ``serve(profile, ...)`` gives the base URL; they end with the session."""
    running = []

    def start(*profiles, names=None):
        names = names or [f"shop.{index}" for index in range(len(profiles))]
        server, thread = _serving(Store([Source(name, profile) for name, profile in zip(names, profiles, strict=True)]))
        running.append((server, thread))
        return server.url.removesuffix("/ui/")

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def shop_source(tmp_path_factory):
    """A source file that the shop profile's functions name."""
    path = tmp_path_factory.mktemp("shop") / "app.py"
    path.write_text("".join(f"line_{number} = {number}\n" for number in range(1, 40)))
    return str(path)


@pytest.fixture(scope="session")
def shop_url(serve, shop_source):
    """A series of two: before and after."""
    before = shop(after=False, source=shop_source)
    return serve(before, shop(source=shop_source, time_s=1_700_000_600), names=["before.prof", "after.prof"])


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium; tests are skipped, with the reason, where it is not installed."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed; pip install 'gomem[test]'")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver not found; on Debian: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield browser
    browser.quit()
