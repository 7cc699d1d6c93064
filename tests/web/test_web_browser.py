"""The page in a real browser: every page renders, and what one clicks and types changes what is shown."""

import json
import urllib.request
from urllib.parse import urlencode

import pytest
from web_profiles import wide

from gomem.report.config import Config
from gomem.report.make import make_report, report_lines
from gomem.web.export import flame_document

pytest.importorskip("selenium", reason="selenium is not installed; pip install 'gomem[test]'")
pytestmark = pytest.mark.once
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

PAGES = ["flamegraph", "top", "graph", "peek", "source", "tags"]


class Page:
    """A browser window on a served profile."""

    def __init__(self, browser, url):
        self.browser, self.url = browser, url

    def script(self, text, *args):
        return self.browser.execute_script(text, *args)

    def wait(self, condition):
        return WebDriverWait(self.browser, 20, poll_frequency=0.02).until(lambda _: condition())

    def open(self, page="", **parameters):
        query = urlencode(parameters)
        self.browser.get(f"{self.url}/ui/{page}{'?' + query if query else ''}")
        self.ready(page or "flamegraph")
        return self

    def ready(self, page):
        self.wait(lambda: self.script("return document.body.dataset.ready") == page)

    def doing(self, page, action):
        """Does something that loads a page, and waits for that."""
        self.script("delete document.body.dataset.ready")
        action()
        self.ready(page)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.find(selector).text

    def boxes(self):
        return self.script("return gomemPage.view.boxes()")

    def parameters(self):
        return dict(self.script("return [...new URLSearchParams(location.search)]"))

    def data(self, page, **parameters):
        with urllib.request.urlopen(f"{self.url}/data/{page}?{urlencode(parameters)}") as response:
            return json.load(response)

    def click_box(self, name, button="click"):
        """Clicks the middle of the first box of that name."""
        box = next(box for box in self.boxes() if box["name"] == name)
        kind = {"click": "click", "menu": "contextmenu"}[button]
        self.script(
            "const c = gomemPage.view.canvas, r = c.getBoundingClientRect();"
            "c.dispatchEvent(new MouseEvent(arguments[0], {bubbles: true, cancelable: true,"
            " clientX: r.left + arguments[1], clientY: r.top + arguments[2]}))",
            kind, box["x"] + box["width"] / 2, box["depth"] * 19 + 9,
        )  # fmt: skip
        return box

    def problems(self):
        return [entry for entry in self.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


@pytest.fixture
def page(browser, shop_url):
    page = Page(browser, shop_url)
    yield page
    assert page.problems() == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("compared", [False, True], ids=["one", "compared"])
def test_every_page_renders_without_complaints(page, name, compared):
    page.open(name, **({"vs": "0"} if compared else {}))
    assert page.find("#facts b").text
    assert page.find('nav a[aria-current="page"]').text
    assert len(page.text("#main")) > 20 or name == "flamegraph"
    assert page.all(".empty") == []


def test_flame_graph_shows_the_figures_of_the_report(page):
    page.open()
    tree = page.data("flamegraph")
    shown = {(box["id"], box["name"], box["cum"]) for box in page.boxes() if box["id"]}
    nodes, frames = tree["body"]["nodes"], tree["body"]["frames"]
    assert shown == {
        (i, frames[f][0], cum) for i, f, cum in zip(nodes["id"], nodes["frame"], nodes["cum"], strict=True)
    }
    assert page.text("#facts b.big") == tree["head"]["totalText"] == page.data("top")["head"]["totalText"]
    assert page.script("return gomemPage.view.drawn") > 5  # boxes that were painted


def test_figures_are_formatted_as_the_reports_do(page):
    page.open("top")
    values = [0, 1, 512, 1023, 1024, 1152, 1536, 1664, 10**6, 5 * 2**30, 3 * 2**41, 7**20]
    from gomem.pprof.measurement import label, percentage

    for unit in ("bytes", "count", "nanoseconds"):
        assert page.script("return arguments[0].map((v) => gomem.format(v, arguments[1]))", values, unit) == [
            label(value, unit) for value in values
        ]
    shares = [(1, 3), (1, 1), (0, 5), (1, 1000), (1, 123456), (99_951, 100_000), (5, 8), (1, 800)]
    assert page.script("return arguments[0].map(([a, b]) => gomem.percent(a, b))", shares) == [
        percentage(*pair).strip() for pair in shares
    ]


def test_zoom_keeps_to_the_subtree_and_the_url_remembers_it(page):
    page.open()
    before = {box["id"] for box in page.boxes()}
    zoomed = page.click_box("load_orders")
    page.wait(lambda: page.parameters().get("z") == str(zoomed["id"]))
    names = {box["name"] for box in page.boxes()}
    assert {"all", "main", "serve", "load_orders", "json.loads", "json.decode"} == names
    page.browser.refresh()
    page.ready("flamegraph")
    page.wait(lambda: {box["name"] for box in page.boxes()} == names)
    page.find("canvas").send_keys(Keys.ESCAPE)
    page.wait(lambda: "z" not in page.parameters())
    assert {box["id"] for box in page.boxes()} == before


def test_keyboard_walks_the_tree_and_details_follow(page):
    page.open()
    canvas = page.find("canvas")
    canvas.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    heaviest = page.data("flamegraph", f="load_orders")["head"]["shownText"]
    assert page.text(".details strong") == "load_orders" and heaviest in page.text(".details")
    canvas.send_keys(Keys.ARROW_RIGHT)
    assert page.text(".details strong") == "cache.put"
    assert "cache.put" in page.script("return document.getElementById('live').textContent")


def test_search_marks_frames_and_counts_each_stack_once(page):
    page.open()
    page.find("#search").send_keys("json")
    expected = page.data("search", q="json")["body"]
    page.wait(lambda: page.text("#found") == f"{expected['text']} ({expected['share']})")
    found = {box["name"] for box in page.boxes() if box["found"]}
    assert found == {"json.loads", "json.decode"} and page.parameters()["q"] == "json"
    page.find("#search").send_keys(Keys.ESCAPE)
    page.wait(lambda: page.text("#found") == "")
    assert "q" not in page.parameters()


def test_a_broken_search_says_so_and_breaks_nothing(page):
    page.open()
    page.find("#search").send_keys("json(")
    page.wait(lambda: "missing closing" in page.text("#found"))
    # The browser reports the refused request; nothing else may have gone wrong.
    assert all("400" in entry["message"] for entry in page.problems())


def test_refine_changes_every_page_and_reset_takes_it_back(page):
    page.open("top")
    rows = len(page.all("table.top tbody tr"))
    page.find("#refine-open").click()
    page.find('#refine input[name="f"]').send_keys("load_orders")
    page.doing("top", lambda: page.find("#refine button[type=submit]").click())
    assert page.parameters() == {"f": "load_orders"}
    assert 0 < len(page.all("table.top tbody tr")) < rows
    assert page.text("#facts b.big") == page.data("top", f="load_orders")["head"]["shownText"]
    page.doing("flamegraph", lambda: page.find("nav a").click())
    assert "render<T>" not in {box["name"] for box in page.boxes()}
    page.doing("flamegraph", lambda: page.find(".chip.filter").click())
    assert page.parameters() == {} and "render<T>" in {box["name"] for box in page.boxes()}


@pytest.mark.parametrize(
    ("field", "value", "appears", "disappears"),
    [
        ("i", "json", "cache.put", "json.loads"),
        ("h", "^serve$", "load_orders", "serve"),
        ("s", "json|main", "json.loads", "serve"),
        ("sf", "load_orders", "json.loads", "main"),
        ("tf", "thread=worker-1", "json.loads", "cache.put"),
        ("ti", "worker-1", "cache.put", "json.loads"),
        ("tr", "thread", "worker-1", "<no such frame>"),
        ("tl", "thread", "worker-2", "<no such frame>"),
    ],
)
def test_each_filter_changes_the_flame_graph(page, field, value, appears, disappears):
    page.open()
    page.find("#refine-open").click()
    page.find(f'#refine input[name="{field}"]').send_keys(value)
    page.doing("flamegraph", lambda: page.find("#refine button[type=submit]").click())
    names = {box["name"] for box in page.boxes()}
    assert appears in names and disappears not in names


def test_sample_type_changes_the_figures(page):
    page.open("top")
    before = page.text("table.top tbody tr")
    page.doing("top", lambda: Select(page.find("#type")).select_by_visible_text("alloc_objects"))
    assert page.parameters() == {"si": "alloc_objects"}
    assert page.text("table.top tbody tr") != before
    assert page.text("#facts b.big") == page.data("top", si="alloc_objects")["head"]["totalText"]


def test_inverted_starts_with_what_allocates(page):
    page.open()
    page.doing("flamegraph", lambda: page.find("body").send_keys("v"))
    top = page.data("top")["body"]["rows"]
    level = [(box["name"], box["cum"]) for box in page.boxes() if box["depth"] == 1]
    assert sorted(level) == sorted((row["function"], row["values"][0]) for row in top if row["values"][0])


def test_top_sorts_and_filters_rows(page):
    page.open("top")
    heads = page.all("table.top th button")
    cum = next(head for head in heads if head.text == "Cum")
    cum.click()
    names = [cell.text for cell in page.all("table.top td.text")]
    rows = page.data("top")["body"]["rows"]
    assert names == [row["name"] for row in sorted(rows, key=lambda row: -row["values"][2])]
    page.find("#search").send_keys("json")
    page.wait(lambda: page.text("#found") == f"2 of {len(rows)}")
    assert {cell.text for cell in page.all("table.top td.text")} == {"json.loads", "json.decode"}


def test_the_table_prints_the_reports_texts(page):
    page.open("top")
    rows = page.data("top")["body"]["rows"]
    shown = page.script(
        "return [...document.querySelectorAll('table.top tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))"
    )
    assert shown == [[*row["texts"], row["name"]] for row in rows]


def test_frame_menu_leads_to_peek_and_source(page):
    page.open()
    page.click_box("load_orders", "menu")
    menu = {item.text.split("\n")[0]: item for item in page.all(".menu button")}
    page.doing("source", lambda: menu["Source"].click())
    assert page.text(".block .name") == "load_orders" and "line_5 = 5" in page.text(".block")
    listing = page.data("source", fn="^load_orders$")["body"]["listings"][0]
    assert listing["texts"][1] in page.text(".block header")
    page.doing("peek", lambda: page.all("nav a")[3].click())
    assert [name.text for name in page.all(".block header .name")] == ["load_orders"]
    page.doing("peek", lambda: page.find(".peek td.text .link").click())
    assert page.parameters()["fn"] in ("^serve$", r"^json\.loads$")


def test_graph_draws_the_reports_nodes(page):
    page.open("graph")
    names = page.script("return [...document.querySelectorAll('.graph .node')].map((n) => n.dataset.name)")
    assert {"main", "load_orders", "json.loads", "render<T>", "walk"} <= set(names)
    page.find("#search").send_keys("json")
    page.wait(lambda: page.text("#found") == f"2 of {len(names)}")
    before = page.script("return document.querySelector('.graph svg').getAttribute('viewBox')")
    page.find('.graph button[aria-label="Zoom in"]').click()
    assert page.script("return document.querySelector('.graph svg').getAttribute('viewBox')") != before


def test_tags_lead_to_filters_and_roots(page):
    page.open("tags")
    thread = page.all(".block")[1]
    page.doing("flamegraph", lambda: thread.find_element(By.CSS_SELECTOR, ".actions button").click())
    assert page.parameters() == {"tr": "thread"}
    assert {box["name"] for box in page.boxes() if box["depth"] == 1} == {"worker-1", "worker-2", "MainThread"}


def test_series_and_comparison(page):
    page.open()
    points = page.all(".series .points button")
    assert [point.get_attribute("aria-pressed") for point in points] == ["false", "true"]
    page.doing("flamegraph", lambda: points[0].click())
    assert page.text("#facts b.big") == page.data("top", at="0")["head"]["shownText"]
    page.doing("flamegraph", lambda: page.open())
    page.doing("flamegraph", lambda: Select(page.find("#versus")).select_by_visible_text("before.prof"))
    assert page.data("flamegraph", vs="0")["head"]["change"]["net"] == page.text("#facts b.big")
    change = {box["name"]: box["width"] for box in page.boxes()}
    page.all(".sizes button")[1].click()
    page.wait(lambda: page.parameters().get("w") == "after")
    after = {box["name"]: box["width"] for box in page.boxes()}
    assert after["re.compile"] > 0 and "re.compile" not in change  # it did not change at all
    page.open("top", vs="0")
    assert {"before", "after"} <= {head.text for head in page.all("table.top th")}


def test_back_and_forward(page):
    page.open()
    page.doing("top", lambda: page.all("nav a")[1].click())
    page.doing("flamegraph", page.browser.back)
    assert page.boxes()
    page.doing("top", page.browser.forward)
    assert page.all("table.top")


def test_errors_are_shown_in_place(page):
    page.open("source", fn="no_such_function")
    assert "no matches found" in page.text(".empty")
    assert all("400" in entry["message"] for entry in page.problems())
    page.doing("source", lambda: page.find(".empty button").click())
    assert page.all(".block")


def test_no_samples_is_said_and_can_be_undone(page):
    page.open(f="no such function")
    assert "No samples" in page.text(".empty")
    page.doing("flamegraph", lambda: page.find(".empty button").click())
    assert page.boxes()


def test_dark_and_light(page):
    page.open()
    seen = set()
    for theme in ("light", "dark"):
        page.script("gomem.theme.set(arguments[0])", theme)
        seen.add(page.script("return getComputedStyle(document.body).backgroundColor"))
    page.script("gomem.theme.set('auto')")
    assert len(seen) == 2


def test_every_control_has_a_name(page):
    for name in PAGES:
        page.open(name)
        nameless = page.script(
            "return [...document.querySelectorAll('button, select, input, a, canvas')]"
            ".filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length || e.closest('label'))).map((e) => e.outerHTML)"
        )
        assert nameless == []


def test_exported_file_works_without_a_server(browser, shop_source, tmp_path, shop_url):
    from web_profiles import shop

    path = tmp_path / "flame.html"
    path.write_text(flame_document(shop(source=shop_source)), encoding="utf-8")
    page = Page(browser, shop_url)
    browser.get(path.as_uri())
    page.wait(lambda: page.script("return window.gomemPage?.flame.drawn") or 0)
    boxes = page.script("return gomemPage.flame.boxes()")
    assert {(box["name"], box["cum"]) for box in boxes if box["id"]} == {
        (frame, cum)
        for tree in [page.data("flamegraph")["body"]]
        for frame, cum in zip((tree["frames"][f][0] for f in tree["nodes"]["frame"]), tree["nodes"]["cum"], strict=True)
    }
    page.find("#search").send_keys("json")
    expected = page.data("search", q="json")["body"]
    page.wait(lambda: page.text("#found").startswith(f"{expected['text']} ({expected['share']})"))
    assert page.problems() == []


def test_many_stacks_are_cut_and_zooming_fetches_the_rest(browser, serve):
    page = Page(browser, serve(wide(20_000))).open()
    nodes = page.script("return gomemPage.view.byId.size")
    assert nodes < 15_001 < page.data("flamegraph")["body"]["size"]
    narrow = page.script(
        "const v = gomemPage.view; let n = v.root; while (n.children.length) n = n.children[0];"
        "v.zoomTo(n.parent); return n.parent.id"
    )
    page.wait(lambda: page.script("return gomemPage.view.byId.size") > nodes)
    assert page.parameters()["z"] == str(narrow)
    # A node that the first answer leaves out can be a link's target.
    tree = page.data("flamegraph", z=str(narrow))["body"]
    deep = next(
        i
        for i in reversed(tree["nodes"]["id"])
        if not page.script("return gomemPage.view.byId.has(arguments[0])", i) or i > narrow
    )
    page.open(z=str(deep))
    page.wait(lambda: page.script("return gomemPage.view.zoom.id") == deep)
    assert page.problems() == []


@pytest.fixture(scope="module")
def hundred_thousand(serve):
    profile = wide(100_000)
    return profile, serve(profile)


def text_report(profile, **options):
    """The legend and the rows of the text report top."""
    config = Config(**options)
    lines = list(report_lines(make_report(profile, "top", None, config, lambda text: None), "top"))
    start = next(index for index, line in enumerate(lines) if line.endswith("cum%"))
    return " ".join(lines[:start]), [line.split(None, 5) for line in lines[start + 1 :]]


def test_a_hundred_thousand_stacks_show_the_figures_of_the_text_report(browser, hundred_thousand):
    """Load, search, zoom, sample switch and table; how long each takes is measured by bench/web_page.py."""
    profile, url = hundred_thousand
    page = Page(browser, url).open()
    legend, _ = text_report(profile, sample_index="inuse_space", unit="auto")
    assert f"of {page.text('#facts b.big')} total" in legend
    assert 1000 < page.script("return gomemPage.view.byId.size") < 15_002
    assert page.script("gomemPage.view.paint(); return gomemPage.view.drawn") > 1000

    page.find("#search").send_keys("function_1[0-9]$")
    # Untrimmed and hiding nothing, what a focus leaves is what top shows of it.
    focused, _ = text_report(profile, sample_index="inuse_space", unit="auto", focus="function_1[0-9]$", trim=False)
    page.wait(lambda: "(" in page.text("#found") and "accounting for {}, {} of".format(*page.text("#found")[:-1].split(" (")) in focused)
    page.find("#search").send_keys(Keys.ESCAPE)

    before = page.script("return gomemPage.view.byId.size")
    zoomed = page.script("const v = gomemPage.view; const n = v.levels[4][0]; v.zoomTo(n); return n.id")
    page.wait(lambda: page.script("return gomemPage.view.byId.size") > before)
    assert page.parameters()["z"] == str(zoomed)
    assert all(box["cum"] <= page.script("return gomemPage.view.zoom.cum") for box in page.boxes() if box["depth"] > 4)

    page.doing("flamegraph", lambda: Select(page.find("#type")).select_by_visible_text("inuse_objects"))
    legend, rows = text_report(profile, sample_index="inuse_objects", nodecount=500)
    assert f"of {page.text('#facts b.big')} total" in legend
    page.doing("top", lambda: page.script("document.querySelectorAll('#pages a')[1].click()"))
    shown = [row.text.split() for row in page.all("table.top tbody tr")[:20]]
    assert [[*row[:5], row[5]] for row in shown] == rows[:20]
    assert page.problems() == []


def test_means_are_written_and_widths_stay_sums(page):
    page.open()
    sums = {box["id"]: (box["cum"], box["width"]) for box in page.boxes()}
    page.open(mean="t")
    assert {box["id"]: (box["cum"], box["width"]) for box in page.boxes()} == sums
    rows = {row["function"]: row["texts"][3] for row in page.data("top", mean="t")["body"]["rows"]}
    assert page.text("#facts b.big") == page.data("top", mean="t")["head"]["totalText"]
    page.find(".flame canvas").click()
    page.find(".flame canvas").send_keys(Keys.HOME, Keys.ARROW_DOWN)
    name = page.text(".details strong")
    assert f"{rows[name]} mean" in page.text(".details")
    page.find("#search").send_keys("json")
    found = page.data("search", q="json", mean="t")["body"]
    page.wait(lambda: page.text("#found") == f"{found['text']} ({found['share']})")
    assert found["text"] == rows["json.loads"]


def test_everything_by_keyboard(page):
    """No mouse: to a page, a search, the filters and out of them, a frame's menu, help."""
    page.open()
    body = page.find("body")
    page.doing("top", lambda: body.send_keys("2"))
    page.doing("flamegraph", lambda: page.find("body").send_keys("1"))
    page.find("body").send_keys("/")
    assert page.script("return document.activeElement.id") == "search"
    page.browser.switch_to.active_element.send_keys("json", Keys.ESCAPE)
    assert page.find("#search").get_property("value") == ""
    page.find("body").send_keys("r")
    assert page.script("return document.activeElement.name") == "f"
    page.doing("flamegraph", lambda: page.browser.switch_to.active_element.send_keys("load_orders", Keys.ENTER))
    assert page.parameters() == {"f": "load_orders"}
    page.find("body").send_keys("?")
    assert page.script("return document.querySelector('dialog').open")
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait(lambda: not page.all("dialog"))
    canvas = page.find(".flame canvas")
    page.script("arguments[0].focus()", canvas)
    canvas.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, "m")
    assert page.script("return document.activeElement.textContent").startswith("Focus")
    active = page.browser.switch_to.active_element
    active.send_keys(*[Keys.ARROW_DOWN] * 4)
    page.doing("peek", lambda: page.browser.switch_to.active_element.send_keys(Keys.ENTER))
    assert page.parameters()["fn"] == "^serve$"


def test_deep_stacks(browser, serve):
    from gomem.pprof import ProfileBuilder

    builder = ProfileBuilder([("inuse_space", "bytes")])
    locations = [
        builder.location(0, 0, [(builder.function(f"f{i % 7}", "", "/srv/deep.py", 1), i)]) for i in range(20_000)
    ]
    builder.sample(locations, [1 << 20])
    page = Page(browser, serve(builder.build())).open()
    assert len(page.boxes()) > 10_000
    page.find("#search").send_keys("f3")
    page.wait(lambda: page.text("#found") == "1MB (100%)")
    assert page.problems() == []
