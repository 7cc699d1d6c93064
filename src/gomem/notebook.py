"""The notebook magic ``%%gomem``: runs a cell under the heap profiler and shows which lines hold the memory.

- ``%load_ext gomem`` registers it; options are those of ``_OPTIONS``.
- The cell runs as IPython runs any other: its last expression is displayed, its exception goes on after the table was
  shown, so that "run all" stops where it should.
- What is shown is a ``CellProfile``: tables and the flame graph in a notebook, text in a terminal, with the profile in its ``profile``
  attribute; the latest is also the variable ``_gomem``.

Documented in docs/heap.md.
"""

from __future__ import annotations

import argparse
import ast
import html
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

from gomem import heap
from gomem.errors import GomemError, UsageError
from gomem.sites import sites
from gomem.units import format_bytes

if TYPE_CHECKING:
    from types import CodeType

    from gomem.pprof.model import Profile

_VIEWS = (("peak_space", "in use at the peak"), ("inuse_space", "in use after the cell"), ("alloc_space", "allocated in all"))

_FLAME_PIXELS = 360


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see %%gomem --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="%%gomem", description="Runs the cell under the sampling heap profiler.", add_help=False)
    parser.add_argument("-h", "--help", action="store_true", help="show this text")
    parser.add_argument("-o", "--output", metavar="FILE", help="also write the profile in pprof's format")
    parser.add_argument("-r", "--rate", default="auto", help='mean bytes between samples, 1 for all; default "auto"')
    parser.add_argument("-n", "--lines", type=int, default=10, help="lines of code shown in each table; default 10")
    parser.add_argument("--no-native", action="store_true", help="leave malloc in native libraries out")
    return parser


class CellProfile:
    """The profile of one cell, which shows itself as tables: HTML in a notebook, text elsewhere."""

    def __init__(self, profile: Profile, stats: heap.HeapStats, lines: int = 10) -> None:
        self.profile = profile
        self.stats = stats
        self._lines = lines

    def _tables(self) -> list[tuple[str, int, list[tuple[int, str]], int]]:
        """(title, total, the largest sites, how many sites there are) of each view."""
        tables = []
        for sample_type, title in _VIEWS:
            found = sites(self.profile, sample_type)
            tables.append((title, sum(size for size, _ in found), found[: self._lines], len(found)))
        return tables

    def _footing(self) -> str:
        how = "every allocation recorded" if self.stats.rate_bytes == 1 else f"{self.stats.samples} samples: estimates"
        return f"{how}, {self.stats.samples_lost} lost"

    def __repr__(self) -> str:
        lines = []
        for title, total, shown, count in self._tables():
            lines.append(f"{title}: {format_bytes(total)}")
            lines += [f"{format_bytes(size):>10} {100 * size / total:5.1f}%  {where}" for size, where in shown]
            if count > len(shown):
                lines.append(f"{'':>17}  ({count - len(shown)} other lines)")
        return "\n".join([*lines, self._footing()])

    def _repr_html_(self) -> str:
        parts = []
        for title, total, shown, count in self._tables():
            rows = "".join(
                f"<tr><td style='text-align:right'>{format_bytes(size)}</td>"
                f"<td style='text-align:right'>{100 * size / total:.1f}%</td>"
                f"<td style='text-align:left'><code>{html.escape(where)}</code></td></tr>"
                for size, where in shown
            )
            if count > len(shown):
                rows += f"<tr><td></td><td></td><td style='text-align:left'>{count - len(shown)} other lines</td></tr>"
            parts.append(f"<details open><summary><b>{title}: {format_bytes(total)}</b></summary><table>{rows}</table></details>")
        parts.append(f"<details open><summary><b>flame graph of the peak</b></summary>{self._flame()}</details>")
        return f"<div class='gomem'>{''.join(parts)}<small>{self._footing()}</small></div>"

    def _flame(self) -> str:
        from gomem.web.export import flame_document, frame

        return frame(flame_document(self.profile, sample_type="peak_space"), _FLAME_PIXELS)


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext gomem`` calls."""

    def gomem(line: str, cell: str) -> None:
        """Runs the cell under the heap profiler; %%gomem --help tells the options."""
        __tracebackhide__ = True
        _run_magic(shell, line, cell)

    shell.register_magic_function(gomem, magic_kind="cell", magic_name="gomem")


def unload_ipython_extension(shell: Any) -> None:
    """What ``%unload_ext gomem`` calls."""
    shell.magics_manager.magics["cell"].pop("gomem", None)


def _run_magic(shell: Any, line: str, cell: str) -> None:
    __tracebackhide__ = True
    from IPython.core.error import UsageError as MagicUsageError

    try:
        options = _parser().parse_args(shlex.split(line))
        if options.help:
            print(_parser().format_help())
            return
        codes = _compile(shell, cell)
        heap.start(options.rate, native=not options.no_native)
    except (GomemError, ValueError) as error:
        raise MagicUsageError(f"%%gomem: {error}") from None
    try:
        for code in codes:
            exec(code, shell.user_ns)
    finally:
        heap.stop()
        _show(shell, options)


def _show(shell: Any, options: argparse.Namespace) -> None:
    from IPython.display import display

    profile = heap.heap_profile(default_sample_type="peak_space")
    shown = CellProfile(_with_cell_names(shell, profile), heap.stats(), options.lines)
    shell.user_ns["_gomem"] = shown
    display(shown)
    if options.output:
        profile.write(options.output)
        print(f"gomem: wrote {options.output}; look at it with: gomem top {options.output}")


def _compile(shell: Any, cell: str) -> list[CodeType]:
    """The cell as code for the notebook's namespace; that of a last expression gives its value to the display hook."""
    __tracebackhide__ = True
    source = shell.transform_cell(cell)
    file = shell.compile.cache(source, shell.execution_count, raw_code=cell)
    tree = shell.transform_ast(shell.compile.ast_parse(source, filename=file))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) and not _is_quiet(source) else None
    codes = [compile(tree, file, "exec")]
    if last is not None:
        codes.append(compile(ast.Interactive([last]), file, "single"))
    return codes


def _is_quiet(source: str) -> bool:
    """A last line that ends in a semicolon shows nothing."""
    return source.rstrip().endswith(";")


def _with_cell_names(shell: Any, profile: Profile) -> Profile:
    """Cells by the names that IPython's tracebacks give them, ``Cell In[3]``, and not by those of its temporary files."""
    from gomem.record import replace

    functions = []
    for function in profile.functions:
        label = shell.compile.format_code_name(function.filename) if function.filename else None
        functions.append(function._replace(filename=" ".join(label)) if label else function)
    return replace(profile, functions=functions)
