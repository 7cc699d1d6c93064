"""rich: every renderable that its documentation shows, to a terminal that is a string."""

import io
import logging
import os

from rich import box, inspect
from rich.columns import Columns
from rich.console import Console, Group
from rich.json import JSON
from rich.layout import Layout
from rich.live import Live
from rich.logging import RichHandler
from rich.markdown import Markdown
from rich.markup import escape, render
from rich.padding import Padding
from rich.panel import Panel
from rich.pretty import Pretty, pretty_repr
from rich.progress import Progress, track
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.traceback import Traceback
from rich.tree import Tree

console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="truecolor", record=True)
table = Table(title="Films", box=box.ROUNDED, show_lines=True, row_styles=["", "dim"])
for name in ("Year", "Title", "Gross"):
    table.add_column(name, justify="right", style="cyan", no_wrap=name == "Year")
for i in range(12):
    table.add_row(str(1990 + i), f"[bold]Title[/bold] {i} " * (i % 4 + 1), Text(f"${i}00", style="green"))
tree = Tree("root")
for i in range(4):
    branch = tree.add(f"[link=https://x.org]branch {i}[/link]")
    branch.add(Panel("leaf", title="t"))
with open(os.path.join(os.path.dirname(os.__file__), "heapq.py")) as file:
    code = file.read()[:6000]
layout = Layout()
layout.split_column(Layout(name="a", size=3), Layout(name="b"))
layout["b"].split_row(Layout(Panel("x")), Layout(table))
for thing in (
    table, tree, layout, Markdown("# Head\n\n* a\n* `b`\n\n1. x\n2. y\n\n> quote\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n"),
    Syntax(code, "python", line_numbers=True, theme="monokai"), Columns([Panel(str(i)) for i in range(20)], equal=True), JSON('{"a": [1, {"b": null}]}'),
    Padding("x", (1, 2)), Rule("rule"), Group("a", Text("b\tc")), Pretty({"a": list(range(60)), "b": {"c": (1, 2), "d": {3}}}), "[red]x[/red] :smile: 1.5 'a' None https://a.b",
):  # fmt: skip
    console.print(thing)
    console.print(thing, width=30)
for number in track(range(20), console=console):
    pass
with Progress(console=console) as progress:
    task = progress.add_task("work", total=10)
    for _ in range(10):
        progress.advance(task)
with Live(table, console=console, refresh_per_second=50) as live:
    live.update(tree)
with console.status("busy"):
    pass
try:
    {}["x"]
except KeyError:
    console.print(Traceback(show_locals=True))
logger = logging.Logger("x")
logger.addHandler(RichHandler(console=console, rich_tracebacks=True))
logger.info("hello %s", "GET /a 1.5")
inspect(table, console=console, methods=True)
pretty_repr(vars(table), max_width=40, max_string=20)
escape("[a]")
render("[bold red on blue]x[/] [not bold]y[/not bold]")
text = Text("some words to wrap and to align and to highlight", justify="full")
text.highlight_words(["words"], "bold")
text.wrap(console, 10)
text.divide([3, 5])
text.split(" ")
console.print(text, width=20)
console.export_html(clear=False)
console.export_svg(title="x", clear=False)
print(len(console.export_text()))
