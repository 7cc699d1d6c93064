"""pygments: files of the standard library, and small pieces of many languages, in every kind of output."""

import io
import os

from pygments import highlight
from pygments.formatters import HtmlFormatter, LatexFormatter, RawTokenFormatter, RtfFormatter, SvgFormatter, Terminal256Formatter, TerminalFormatter
from pygments.lexers import get_all_lexers, get_lexer_by_name, guess_lexer, guess_lexer_for_filename
from pygments.styles import get_all_styles, get_style_by_name

PIECES = {
    "python": None,
    "c": '#include <stdio.h>\nint main(void) { char *s = "x\\n"; for (int i = 0; i < 3; i++) printf("%d", i); return 0; }\n',
    "javascript": "const f = async (x) => { let y = `a${x}`; return y.map(z => z * 2) /* c */; }\n",
    "html": "<!doctype html><html><head><style>p { color: red }</style><script>var a = 1;</script></head><body class='x'>&amp;</body></html>",
    "css": "@media print { a:hover { color: #fff; margin: 1px 2em } }\n",
    "json": '{"a": [1, 2.5, true, null, "x"]}\n',
    "yaml": "a:\n  - b: 1\n  - c: [x, y]\n",
    "sql": "SELECT a, 'b' FROM t WHERE x = 1 -- c\n",
    "bash": "for f in *.txt; do echo \"$f\" | sed 's/a/b/'; done\n",
    "rst": "Title\n=====\n\n.. code:: python\n\n    x = 1\n\n* a\n* b\n",
    "ini": "[a]\nb = c\n",
    "diff": "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n",
    "html+jinja": "{% for a in b %}<p>{{ a|e }}</p>{% endfor %}",
    "pycon": ">>> 1 + 1\n2\n>>> f(\nTraceback (most recent call last):\n  File \"x\", line 1\nValueError: a\n",
}
lib = os.path.dirname(os.__file__)
for name in ("bisect.py", "heapq.py", "textwrap.py", "asyncio/locks.py"):
    with open(os.path.join(lib, name)) as file:
        text = file.read()
    lexer = guess_lexer_for_filename(name, text)
    for formatter in (HtmlFormatter(linenos="table", full=True), Terminal256Formatter(style="monokai"), LatexFormatter()):
        highlight(text, lexer, formatter)
PIECES["python"] = text
for name, piece in PIECES.items():
    lexer = get_lexer_by_name(name, stripall=True)
    for formatter in (HtmlFormatter(cssclass="s", hl_lines=[1], anchorlinenos=True), TerminalFormatter(), SvgFormatter(), RtfFormatter()):
        highlight(piece, lexer, formatter, io.StringIO())
    highlight(piece, lexer, RawTokenFormatter())
    guess_lexer(piece)
for style in list(get_all_styles())[:8]:
    HtmlFormatter(style=get_style_by_name(style)).get_style_defs(".x")
print(len(list(get_all_lexers())))
