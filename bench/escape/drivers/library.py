"""Modules of the standard library at their usual work."""

import argparse
import configparser
import csv
import difflib
import email
import email.message
import email.policy
import fractions
import graphlib
import html
import html.parser
import http.cookies
import io
import optparse
import os
import plistlib
import pprint
import shlex
import statistics
import string
import sys
import tarfile
import textwrap
import tomllib
import urllib.parse
import xml.dom.minidom
import xml.etree.ElementTree as ElementTree
import zipfile

sys.modules.pop("_elementtree", None)
lib = os.path.dirname(os.__file__)


def text_of(name):
    with open(os.path.join(lib, name)) as file:
        return file.read()


def arguments():
    parser = argparse.ArgumentParser(prog="x", description="d " * 60, epilog="e")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-v", "--verbose", action="count", default=0)
    group.add_argument("-q", action="store_true")
    parser.add_argument("--level", choices=["a", "b"], default="a", type=str, metavar="L")
    sub = parser.add_subparsers(dest="verb")
    one = sub.add_parser("one", aliases=["o"])
    one.add_argument("--n", type=int, required=True)
    parser.parse_args(["-vv", "--level=b", "one", "--n", "3"])
    parser.parse_known_args(["--level", "a", "o", "--n=1", "--what"])
    parser.format_help()
    for bad in (["--level", "z"], ["one"], ["-v", "-q"]):
        try:
            with open(os.devnull, "w") as sys.stderr:
                parser.parse_args(bad)
        except SystemExit:
            pass
        finally:
            sys.stderr = sys.__stderr__
    old = optparse.OptionParser(usage="%prog x")
    old.add_option("-a", "--all", action="store_true", help="h")
    old.add_option("-n", type="int", default=3, dest="n")
    old.parse_args(["-a", "-n", "4", "x"])
    old.format_help()


def settings():
    config = configparser.ConfigParser(interpolation=configparser.ExtendedInterpolation())
    config.read_string("[DEFAULT]\nroot = /x\n[a]\nb = ${root}/c\nd = 1\n  2\ne = yes\n[f]\n")
    config["a"]["b"], config.getboolean("a", "e"), config.items("a"), config.has_option("a", "z")
    config.set("f", "g", "h")
    config.write(io.StringIO())
    try:
        config.read_string("[a]\nb\n[a]")
    except configparser.Error:
        pass
    tomllib.loads('a = 1\n[b]\nc = [1, 2.5, "x", {d = true}]\ne = 2020-01-01T00:00:00Z\nf = """m\nn"""\n[[g]]\nh = \'i\'\n[[g]]\n')
    plistlib.loads(plistlib.dumps({"a": [1, 2.5, b"x", True], "b": {"c": "d"}}))
    plistlib.loads(plistlib.dumps({"a": [1, 2.5, b"x"], "b": {"c": "d"}}, fmt=plistlib.FMT_BINARY))


def texts():
    a, b = text_of("heapq.py").splitlines()[:200], text_of("bisect.py").splitlines()[:100]
    list(difflib.unified_diff(a, b))
    list(difflib.ndiff(a[:30], b[:30]))
    difflib.HtmlDiff().make_table(a[:40], b[:40], context=True)
    difflib.get_close_matches("heapify", a)
    textwrap.fill(" ".join(a), 40, initial_indent="* ")
    textwrap.dedent("   a\n    b\n")
    textwrap.shorten(" ".join(a), 50)
    string.Template("$a ${b} $$").safe_substitute(a=1)
    list(string.Formatter().vformat("{a!r:>{w}} {b[0]}", (), {"a": 1, "w": 5, "b": [1]}))
    string.capwords("a b c")
    shlex.split("a 'b c' \"d\" # e", comments=True)
    shlex.join(["a b", "c"])
    pprint.pformat({"a": list(range(40)), "b": {i: str(i) for i in range(20)}, "c": {1, 2}, "d": ("x" * 90, b"y" * 90)}, width=30)
    rows = list(csv.DictReader(io.StringIO("a,b\n1,2\n3,\"4\n5\"\n")))
    csv.DictWriter(io.StringIO(), ["a", "b"]).writerows(rows)
    csv.Sniffer().sniff("a;b;c\n1;2;3\n"), csv.Sniffer().has_header("a;b\n1;2\n3;4\n")
    urllib.parse.urlencode({"a": ["x", "y"], "b": "ä"}, doseq=True)
    for url in ("http://u:p@h:80/p;q?a=1&b#f", "../x", "//h/a"):
        urllib.parse.urljoin("http://x/y/z", url), urllib.parse.urlparse(url).geturl(), urllib.parse.parse_qs(url)
    urllib.parse.unquote(urllib.parse.quote("a b/ä%")), urllib.parse.urlsplit("http://[::1]/").hostname


def mails():
    message = email.message.EmailMessage()
    message["Subject"], message["From"], message["To"] = "Grüße", "A <a@b.c>", "d@e.f, g <h@i.j>"
    message.set_content("text\n" * 5)
    message.add_alternative("<p>x</p>", subtype="html")
    message.add_attachment(b"data", maintype="application", subtype="x", filename="ä.bin")
    raw = message.as_bytes()
    for policy in (email.policy.default, email.policy.compat32):
        parsed = email.message_from_bytes(raw, policy=policy)
        [(part.get_content_type(), part.get_filename(), part.get_payload(decode=True)) for part in parsed.walk()]
        str(parsed["subject"]), str(parsed["to"]), parsed.as_string()
    email.message_from_string("Broken\nSubject: =?utf-8?q?a=20b?=\n c\n\nbody", policy=email.policy.default)
    cookie = http.cookies.SimpleCookie("a=b; c=\"d e\"; Path=/")
    cookie["x"] = "y"
    cookie["x"]["max-age"] = 3
    cookie.output()


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def markup():
    links = Links()
    links.feed("<!doctype html><a href='x' b>t&amp;<br/><script>1<2</script><!-- c --></a><?p?>")
    links.close()
    html.unescape("&lt;&#65;&nope;"), html.escape("<a>")
    source = "<r a='1'><b>t</b>u<c x='y'/><b>v</b></r>"
    document = xml.dom.minidom.parseString(source)
    document.getElementsByTagName("b")[0].firstChild.data
    document.documentElement.appendChild(document.createElement("z"))
    document.documentElement.setAttribute("k", "v")
    document.toprettyxml(), document.cloneNode(True).unlink()
    root = ElementTree.fromstring(source)
    root.findall("./b"), root.find("c[@x='y']"), list(root.iter("b"))
    ElementTree.indent(root)
    ElementTree.tostring(root), ElementTree.canonicalize(source)
    list(ElementTree.iterparse(io.StringIO(source)))


def numbers():
    values = [1, 2, 2, 3, 5.5, 8]
    statistics.mean(values), statistics.median(values), statistics.mode(values), statistics.stdev(values), statistics.quantiles(values)
    statistics.multimode(values), statistics.correlation(values, values), statistics.NormalDist.from_samples(values).cdf(2)
    statistics.linear_regression(values, [2 * x for x in values]), statistics.fmean(values), statistics.harmonic_mean(values)
    sum((fractions.Fraction(1, n) for n in range(1, 9)), fractions.Fraction(0)).limit_denominator(50)
    fractions.Fraction("1.25") ** 2, fractions.Fraction(3, 4) // 2, f"{fractions.Fraction(1, 3)!s}"
    sorter = graphlib.TopologicalSorter({"a": {"b", "c"}, "b": {"d"}})
    tuple(sorter.static_order())
    try:
        graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()
    except graphlib.CycleError:
        pass


def archives():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", "x" * 1000)
        archive.write(os.path.join(lib, "heapq.py"), "heapq.py")
        with archive.open("c", "w") as file:
            file.write(b"y")
    with zipfile.ZipFile(buffer) as archive:
        archive.testzip(), archive.namelist(), archive.read("a/b.txt"), [i.date_time for i in archive.infolist()]
        list(zipfile.Path(archive).iterdir())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(os.path.join(lib, "heapq.py"), "dir/" + "n" * 120 + ".py")
        info = tarfile.TarInfo("b")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        archive.getnames(), archive.extractfile("b").read(), [m.isfile() for m in archive]


for _ in range(5):
    for work in (arguments, settings, texts, mails, markup, numbers, archives):
        work()
print("done")
