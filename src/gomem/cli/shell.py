"""The interactive shell of ``gomem pprof FILE``: reports by name, options by ``name=value``.

Reports and the prompt go to stdout; greeting, help, options and errors to stderr, as in the real tool. On a terminal,
lines can be edited, Tab completes commands, options and function names, and the history is kept from one session to
the next. The profile is decoded once; every command works on the columns.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable

from gomem.cli.pprof import GRAPHVIZ, MISSING, PICTURES, run_command, say
from gomem.cli.usage import OPTION_HELP, list_commands, list_options
from gomem.errors import GomemError, ProfileError
from gomem.pprof.model import Profile
from gomem.record import replace
from gomem.report.config import CHOICES, GROUP_OF, TYPES, Config
from gomem.report.make import COMMANDS, number_units, report_options
from gomem.report.report import Report, go_quote, sample_index

_PROMPT = "(pprof) "
_NAMES = (*COMMANDS, *PICTURES, *GRAPHVIZ, *MISSING)
_WITH_SYMBOL = {"weblist", "disasm", *(name for name, command in COMMANDS.items() if command.takes_symbol)}
_COMMENT = "//:"
_HISTORY_LINES = 1000


def run_shell(profile: Profile, config: Config) -> int:
    """Reads commands until ``quit`` or the end of input. Returns 0."""
    shell = Shell(profile, config)
    shell.greet()
    read = _line_reader(shell)
    while not shell.done:
        line = read()
        if line is None:
            break
        shell.run_line(line)
    return 0


class Shell:
    """The state of a session: the options in force and the profile."""

    def __init__(self, profile: Profile, config: Config) -> None:
        self.profile = profile
        self.config = replace(config, compact_labels=True)
        self.done = False
        self._shortcuts = {":": ["focus=", "ignore=", "hide=", "tagfocus=", "tagignore="]}
        for kind in profile.sample_types:
            choose = f"sample_index={kind.type}"
            self._shortcuts[kind.type] = [choose]
            self._shortcuts[f"total_{kind.type}"] = ["mean=0", choose]
            self._shortcuts[f"mean_{kind.type}"] = ["mean=1", choose]

    def greet(self) -> None:
        """Prints the profile's labels and how to go on."""
        try:
            report = Report(self.profile, report_options(self.profile, number_units(self.profile, say), self.config))
        except ProfileError:
            pass
        else:
            say("\n".join(report.profile_labels()))
            if report.total == 0 and len(self.profile.sample_types) > 1:
                say("No samples were found with the default sample value type.")
                say('Try "sample_index" command to analyze different sample values.')
        say('Entering interactive mode (type "help" for commands, "o" for options)')

    def run_line(self, line: str) -> None:
        """Runs a line; errors are printed, not raised."""
        line = line.strip()
        for part in self._shortcuts.get(line, [line]):
            try:
                self._run(part)
            except (GomemError, OSError) as error:
                say(str(error))
            except MemoryError:
                say("out of memory")
            if self.done:
                return

    def _run(self, line: str) -> None:
        name, equals, value = line.partition("=")
        name = name.strip()
        if name in TYPES or name in GROUP_OF:
            self._assign(name, value, bool(equals))
            return
        words = line.split()
        if not words:
            return
        if words[0] in ("o", "options"):
            say(self.options_text())
        elif words[0] in ("exit", "quit", "q"):
            self.done = True
        elif words[0] == "help":
            say(_help(" ".join(words[1:])))
        else:
            command, config = parse_command(words, self.config)
            run_command(self.profile, command, config, interactive=True)

    def _assign(self, name: str, value: str, given: bool) -> None:
        if not given and TYPES.get(name, bool) is not bool:
            raise ProfileError(f"please specify a value, e.g. {name}=<val>")
        at = value.rfind(_COMMENT)
        value = (value if at < 0 else value[:at]).strip()
        if name == "sample_index":
            value = self.profile.sample_types[sample_index(self.profile, value)].type
        self.config.set(name, value)

    def options_text(self) -> str:
        """Every option with its value, as ``o`` prints them."""
        kinds = [kind.type for kind in self.profile.sample_types]
        lines = []
        for name in TYPES:
            value, comment = self.config.text(name), ""
            if name in CHOICES:
                comment = f"[{' | '.join(sorted(CHOICES[name]))}]"
            elif name == "sample_index":
                value, comment = value or kinds[-1], f"[{' | '.join(kinds)}]"
            elif name == "source_path":
                continue
            elif name == "nodecount" and value == "-1":
                comment = "default"
            elif not value:
                value = '""'
            if name == "granularity" and not value:
                value = "(default)"
            lines.append(f"  {name:<25} = {value:<20} {comment and f'{_COMMENT} {comment}'}")
        return "\n".join(sorted(lines))

    def completions(self, line: str, word: str) -> list[str]:
        """What a word at the end of a line may become."""
        words = line.split()
        first = len(words) == 0 or (len(words) == 1 and not line.endswith(" "))
        if first or words[0] == "help":
            names = [*_NAMES, *TYPES, *GROUP_OF, *self._shortcuts, "help", "options", "quit"]
            return sorted({name for name in names if name.startswith(word.lower())})
        if words[0] not in COMMANDS or words[0] == "tags":
            return []
        minus, text = ("-", word[1:]) if word.startswith("-") else ("", word)
        names = [function.name for function in self.profile.functions if text in function.name]
        return sorted({minus + re.escape(name).replace("\\ ", " ") for name in names})


def parse_command(words: list[str], config: Config) -> tuple[tuple[str, str | None], Config]:
    """The command in a line's words, and the options for it alone.

    ``cmd [n] [focus]* [-ignore]* [-cum] [>file]``. Raises ProfileError.
    """
    name, *rest = words
    if name not in _NAMES:
        digits = re.search("[0-9]+$", name)
        if digits and digits[0] != name:
            name, rest = name[: digits.start()], [digits[0], *rest]
    if name not in _NAMES:
        if name in OPTION_HELP:
            raise ProfileError(f"did you mean: {name}={rest[0] if rest else '<val>'}")
        raise ProfileError(f"unrecognized command: {go_quote(name)}")
    argument = None
    if name in _WITH_SYMBOL:
        if not rest:
            raise ProfileError(f"command {name} requires an argument")
        argument = rest.pop(0)
    config = replace(config)
    focus, ignore = _read_words(rest, config)
    if name == "tags":
        config.tagfocus, config.tagignore = focus or config.tagfocus, ignore or config.tagignore
    else:
        config.focus, config.ignore = focus or config.focus, ignore or config.ignore
    if config.nodecount == -1 and name in ("text", "top"):
        config.nodecount = 10
    return (name, argument), config


def _read_words(words: list[str], config: Config) -> tuple[str, str]:
    """Reads a command's words into the options; returns the joined expressions to focus on and to ignore."""
    focus: list[str] = []
    ignore: list[str] = []
    rest = iter(words)
    for word in rest:
        if re.fullmatch(r"[+-]?[0-9]+", word) and -(1 << 31) <= int(word) < 1 << 31:
            config.nodecount = int(word)
        elif word[0] == ">":
            path = word[1:] or next(rest, "")
            if not path:
                raise ProfileError("unexpected end of line after >")
            config.output = path
        elif word in ("-cum", "--cum"):
            config.sort = "cum"
        elif word[0] == "-":
            ignore += filter(None, [word[1:]])
        else:
            focus.append(word)
    return "|".join(focus), "|".join(ignore)


def _help(topic: str) -> str:
    if not topic:
        return "\n".join(
            [
                "  Commands:",
                *list_commands(""),
                "    o/options        Options and their values",
                "    q/quit/exit/^D   Leave",
                "",
                "  Options (name=value):",
                *list_options(""),
                "",
                "  :   Clear focus, ignore, hide, tagfocus and tagignore",
                "",
                '  top20 -cum json -test >f: 20 entries by cumulative weight that match "json" and not "test", to file f',
                '  type "help <cmd|option>" for more',
                "",
            ]
        )
    if topic in COMMANDS:
        argument = " regexp" if COMMANDS[topic].takes_symbol else ""
        return (
            f"{COMMANDS[topic].description}\n  Usage:\n    {topic}{argument} [n] [focus]* [-ignore]* [-cum] [>file]\n"
        )
    if topic in OPTION_HELP:
        return OPTION_HELP[topic] + "\n"
    return f"Unknown command: {topic}"


def _line_reader(shell: Shell) -> Callable[[], str | None]:
    """A function that reads a line, None at the end of input."""
    if not sys.stdin.isatty():
        return _read_plain
    try:
        import readline
    except ImportError:
        return _read_plain
    path = os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "gomem", "history")
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    readline.set_history_length(_HISTORY_LINES)
    readline.set_completer_delims(" \t")
    found: list[str] = []

    def complete(word: str, state: int) -> str | None:
        if state == 0:
            found[:] = shell.completions(readline.get_line_buffer()[: readline.get_endidx()], word)
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")

    def read() -> str | None:
        try:
            return input(_PROMPT)
        except KeyboardInterrupt:
            print()
            return ""
        except EOFError:
            with contextlib.suppress(OSError):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                readline.write_history_file(path)
            return None

    return read


def _read_plain() -> str | None:
    sys.stdout.write(_PROMPT)
    sys.stdout.flush()
    return sys.stdin.readline() or None
