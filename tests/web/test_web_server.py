"""The server: figures equal to the text reports', parameters, errors, and who may ask."""

import http.client
import json
import re
import urllib.error
import urllib.request
from urllib.parse import urlencode, urlsplit

import pytest
from web_profiles import shop

from gomem.errors import UsageError
from gomem.pprof.fetch import parse_profile
from gomem.pprof.merge import subtract
from gomem.report.config import Config
from gomem.report.make import make_report, report_lines
from gomem.web.server import parse_address


def get(url, page, **parameters):
    with urllib.request.urlopen(f"{url}/data/{page}?{urlencode(parameters)}") as response:
        return json.load(response)


def text_of(profile, command, argument=None, **options):
    report = make_report(profile, command, argument, Config(**options), print)
    return "\n".join(report_lines(report, command))


def top_rows(text):
    """(flat, flat%, sum%, cum, cum%, name) of each line of a top report."""
    lines = text.split("\n")
    start = next(index for index, line in enumerate(lines) if "flat%" in line)
    return [tuple(line.split(None, 5)) for line in lines[start + 1 :]]


FILTERS = [
    {},
    {"f": "load_orders"},
    {"i": "json"},
    {"h": "serve", "si": "alloc_objects"},
    {"s": "serve|cache", "sort": "cum"},
    {"sf": "load_orders", "g": "files"},
    {"tf": "thread=worker"},
    {"ti": "worker-1", "rel": "t"},
    {"tr": "thread"},
    {"tl": "thread", "g": "lines"},
]
NAMES = {"f": "focus", "i": "ignore", "h": "hide", "s": "show", "sf": "show_from", "tf": "tagfocus", "ti": "tagignore",
         "tr": "tagroot", "tl": "tagleaf", "si": "sample_index", "g": "granularity", "sort": "sort"}  # fmt: skip


def options_of(parameters):
    options = {NAMES[name]: value for name, value in parameters.items() if name in NAMES}
    return {**options, "relative_percentages": "rel" in parameters}


@pytest.mark.parametrize("parameters", FILTERS, ids=str)
def test_top_equals_the_text_report(shop_url, shop_source, parameters):
    answer = get(shop_url, "top", **parameters)
    text = text_of(shop(source=shop_source, time_s=1_700_000_600), "top", nodecount=500, **options_of(parameters))
    page = [(*row["texts"], row["name"]) for row in answer["body"]["rows"]]
    assert page == top_rows(text) and page


@pytest.mark.parametrize("parameters", FILTERS, ids=str)
def test_the_flame_graph_weighs_what_top_shows(shop_url, parameters):
    top = get(shop_url, "top", **parameters, trim="f")
    flame = get(shop_url, "flamegraph", **parameters)
    assert flame["body"]["sums"]["cum"] == top["head"]["shown"] == sum(flame["body"]["nodes"]["flat"])
    assert flame["body"]["total"] == top["head"]["total"]


def test_a_comparison_equals_the_text_report(shop_url, shop_source):
    before, after = shop(after=False, source=shop_source), shop(source=shop_source, time_s=1_700_000_600)
    difference = subtract(after, before, label=True, normalize=False)
    answer = get(shop_url, "top", vs="0")
    page = [(*row["texts"], row["name"]) for row in answer["body"]["rows"]]
    assert page == top_rows(text_of(difference, "top", nodecount=500))
    for row in answer["body"]["rows"]:
        flat_before, flat_after, cum_before, cum_after = row["sides"]
        assert (flat_after - flat_before, cum_after - cum_before) == (row["values"][0], row["values"][2])
    assert answer["head"]["change"]["after"] == get(shop_url, "top")["head"]["shownText"]


def test_peek_equals_the_text_report(shop_url, shop_source):
    blocks = get(shop_url, "peek", fn="load_orders|cache")["body"]["blocks"]
    text = text_of(shop(source=shop_source), "peek", "load_orders|cache")
    for block in blocks:
        assert re.search(rf"^ *{block['texts'][0]} .*\| {re.escape(block['name'])}$", text, re.MULTILINE)
        for edge in block["callers"] + block["callees"]:
            assert re.search(rf"^ *{edge['text']} +{edge['share']} \|   {re.escape(edge['name'])}$", text, re.MULTILINE)
    assert {block["name"] for block in blocks} == {"load_orders", "cache.put"}


def test_source_equals_the_text_report(shop_url, shop_source):
    listings = get(shop_url, "source", fn="^load_orders$")["body"]["listings"]
    text = text_of(shop(source=shop_source), "list", "^load_orders$")
    shown = [
        f"{flat or '.':>10} {cum or '.':>10} {number:6d}:{line}"
        for listing in listings
        for number, line, _, _, flat, cum in listing["lines"]
    ]
    assert shown and "\n".join(shown) in text


def test_tags_equal_the_text_report(shop_url, shop_source):
    keys = get(shop_url, "tags")["body"]["keys"]
    words = text_of(shop(source=shop_source), "tags").split()
    assert [key["key"] for key in keys] == ["bytes", "thread"]
    for key in keys:
        for value in key["values"]:
            assert value["text"] in words and value["name"] in words


def test_search_counts_each_stack_once(shop_url):
    answer = get(shop_url, "search", q="json|serve")["body"]
    focused = get(shop_url, "top", f="json|serve")["head"]["shown"]
    assert answer["weight"] == focused


@pytest.mark.parametrize("place", ["download", "ui/download"])
def test_download_is_the_filtered_profile(shop_url, place):
    with urllib.request.urlopen(f"{shop_url}/{place}?f=load_orders") as response:
        profile = parse_profile(response.read())
    inuse = list(profile.samples.values)[3 :: profile.samples.width]
    assert sum(inuse) == get(shop_url, "top", f="load_orders")["head"]["shown"] > 0


def test_a_series_knows_its_totals_and_may_be_added_up(shop_url):
    head = get(shop_url, "flamegraph")["head"]
    assert [point["name"] for point in head["series"]] == ["before.prof", "after.prof"] and head["at"] == 1
    assert [point["value"] for point in head["series"]] == [
        get(shop_url, "top", at=at)["head"]["shown"] for at in (0, 1)
    ]
    assert get(shop_url, "top", at="all")["head"]["shown"] == sum(point["value"] for point in head["series"])


@pytest.mark.parametrize(
    ("page", "parameters", "message"),
    [
        ("top", {"f": "("}, "error parsing regexp"),
        ("top", {"si": "nothing"}, "sample_index"),
        ("top", {"at": "7"}, "want 0 to 1"),
        ("flamegraph", {"vs": "x"}, "want 0 to 1"),
        ("source", {"fn": "no_such_function"}, "no matches found"),
        ("top", {"n": "many"}, "error setting config field nodecount"),
        ("nothing", {}, "want one of"),
    ],
)
def test_errors_are_one_line_of_json(shop_url, page, parameters, message):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(shop_url, page, **parameters)
    assert caught.value.code == 400
    assert message in json.load(caught.value)["error"]


def ask(url, path, host=None, method="GET"):
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request(method, path, headers={"Host": host} if host else {})
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", ""])
def test_other_host_names_are_refused(shop_url, host):
    if host:
        assert ask(shop_url, "/data/top", host)[0] == 403
    assert ask(shop_url, "/data/top", "localhost:1234")[0] == 200


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e/server.py", "/etc/passwd", "/ui/nothing", "/static/"]
)
def test_nothing_else_is_served(shop_url, path):
    assert ask(shop_url, path)[0] == 404


def test_pages_come_with_a_policy_and_without_the_network(shop_url):
    for path in ("/ui/", "/ui/top", "/static/app.js", "/static/style.css"):
        status, headers, body = ask(shop_url, path)
        assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
        assert b"//cdn" not in body and not re.search(rb"""(?:src|href|url\()=?["']?https?:""", body)
    assert ask(shop_url, "/", method="HEAD")[0] == 302
    assert ask(shop_url, "/ui/", method="POST")[0] == 501


def test_the_command_lines_options_are_in_the_first_url(serve, shop_source):
    from gomem.web.server import Server
    from gomem.web.store import Source, Store

    with Server(Store([Source("x", shop())]), Config(focus="json", tagroot="thread")) as server:
        server.timeout = 5
        import threading

        thread = threading.Thread(target=server.handle_request)
        thread.start()
        _, headers, _ = ask(server.url.removesuffix("/ui/"), "/")
        thread.join()
    assert headers["Location"] == "/ui/?tr=thread&f=json"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":0", ("localhost", 0)),
        ("localhost:", ("localhost", 0)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:8", ("::1", 8)),
    ],
)
def test_addresses(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "8080", "host", "host:port", "host:99999"])
def test_bad_addresses(text):
    with pytest.raises(UsageError):
        parse_address(text)
