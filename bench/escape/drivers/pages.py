"""html5lib: the standard library's documentation as pages, and markup as broken as on the web."""

import inspect
import pydoc

import html5lib
from html5lib import serializer, treebuilders, treewalkers
from html5lib.filters import optionaltags, whitespace

PAGES = [pydoc.HTMLDoc().document(module) for module in (inspect, pydoc)] + [
    "<p>one<p>two<table><td>x<tr><th>y</table><b><i>a</b>c</i>",
    "<!doctype html><title>t</title><body onload=x><svg><path/><foreignObject><p>a</svg><math><mi>x</mi></math>",
    "<select><option>a<option>b<optgroup></select><form><input name=a><button>b</form>",
    "<script>if (a < b) { '</b>' }</script><style>a{}</style><!-- c --><textarea>\n<x></textarea>&amp;&nope;&#x41;&copy",
    "<ul><li>a<ul><li>b</ul><li>c</ul><h1>x<h2>y</h1><a href=1>a<a href=2>b</a>",
    "<frameset><frame></frameset>",
    "<table><caption>a<colgroup><col><tbody><tr><td><table><tr><td>x</table></table>text",
]
for page in PAGES:
    for builder in ("etree", "dom"):
        document = html5lib.HTMLParser(tree=treebuilders.getTreeBuilder(builder)).parse(page)
        walker = treewalkers.getTreeWalker(builder)
        stream = optionaltags.Filter(whitespace.Filter(walker(document)))
        serializer.HTMLSerializer(omit_optional_tags=False, quote_attr_values="always").render(stream)
        html5lib.serialize(document, tree=builder, alphabetical_attributes=True)
    html5lib.parseFragment(page[:3000], container="div")
html5lib.parse(b"\xef\xbb\xbf<meta charset=latin-1><p>\xe9")
try:
    html5lib.HTMLParser(strict=True).parse("<p><b></p>")
except html5lib.html5parser.ParseError:
    pass
print(len(PAGES))
