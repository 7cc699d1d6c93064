"""``gomem pprof``: the command line of ``go tool pprof``, and the short verbs that are one of its reports each.

Reports go to stdout, everything else to stderr; any error ends in one line and exit code 2.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gomem.cli.flags import Flags, HelpWanted
from gomem.errors import GomemError, ProfileError, UsageError
from gomem.pprof.fetch import Sources, fetch_profile, new_file
from gomem.pprof.files import write_profile
from gomem.pprof.model import Profile
from gomem.record import Record
from gomem.report.config import CHOICES, TYPES, Config
from gomem.report.make import COMMANDS, make_report, report_lines, report_profile

_VALUE_FLAGS = (  # flag, sample type; earlier ones win
    ("total_delay", "delay"),
    ("mean_delay", "delay"),
    ("contentions", "contentions"),
    ("inuse_space", "inuse_space"),
    ("inuse_objects", "inuse_objects"),
    ("alloc_space", "alloc_space"),
    ("alloc_objects", "alloc_objects"),
)
_SOURCE_FLAGS: dict[str, Any] = {
    "diff_base": "",
    "base": "",
    "symbolize": "",
    "buildid": "",
    "timeout": -1,
    "add_comment": "",
    "all_frames": False,
    "seconds": -1,
    "tools": "",
    "http": "",
    "no_browser": False,
    "tls_cert": "",
    "tls_key": "",
    "tls_ca": "",
}

# Commands that draw: printed by the module they name, which takes the report.
PICTURES = ("svg", "web", "weblist", "flame")
# Made by Graphviz from dot.
GRAPHVIZ = ("gif", "pdf", "png", "ps")
# The real tool's that are not here -> what to do instead.
MISSING = {
    "disasm": "list shows source lines; objdump and perf annotate show instructions",
    "eog": "write -svg and open it",
    "evince": "write -pdf and open it",
    "gv": "write -ps and open it",
    "kcachegrind": "write -callgrind and open it",
}


def say(text: str) -> None:
    """A line of talk, to stderr."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


class Invocation(Record):
    """A command line, understood. ``command`` is (name, argument), or None for the shell or the web page."""

    sources: Sources
    config: Config
    command: tuple[str, str | None] | None
    http: str = ""
    no_browser: bool = False


def _flags() -> Flags:
    defaults = dict(_SOURCE_FLAGS)
    defaults.update({name: False for name, _ in _VALUE_FLAGS})
    config = Config()
    for name in TYPES:
        if name in CHOICES:
            defaults.update({choice: False for choice in CHOICES[name]})
        else:
            defaults[name] = getattr(config, name)
    for name, command in COMMANDS.items():
        defaults[name] = "" if command.takes_symbol else False
    defaults.update({"svg": False, "web": False, "weblist": "", "flame": False, "disasm": ""})
    defaults.update({name: False for name in (*GRAPHVIZ, *MISSING) if name != "disasm"})
    return Flags(defaults)


def parse_args(args: list[str]) -> Invocation:
    """What a command line asks for. Raises UsageError."""
    flags = _flags()
    rest = flags.parse(args)
    if not rest:
        raise UsageError("no profile source specified")
    executable = ""
    if len(rest) > 1 and _is_executable(rest[0]):
        executable = rest.pop(0)
    values = flags.values
    config = _config(flags)
    command = _command(flags)
    if command is not None and values["http"]:
        raise UsageError("-http is not compatible with an output format on the command line")
    if values["no_browser"] and not values["http"]:
        raise UsageError("-no_browser only makes sense with -http")
    for name, kind in _VALUE_FLAGS:
        if values[name] and config.sample_index:
            say(f"Multiple value selections, ignoring -{name}")
        elif values[name]:
            config.sample_index = kind
    config.mean |= values["mean_delay"]
    if values["base"] and values["diff_base"]:
        raise UsageError("-base and -diff_base flags cannot both be specified")
    bases = [name for name in (values["base"] or values["diff_base"],) if name]
    if config.normalize and not bases:
        raise UsageError("must have base profile to normalize by")
    sources = Sources(
        sources=rest,
        bases=bases,
        diff_base=bool(values["diff_base"]),
        normalize=config.normalize,
        executable=executable,
        build_id=values["buildid"],
        seconds=values["seconds"],
        timeout=values["timeout"],
        symbolize=values["symbolize"],
        comment=values["add_comment"],
        all_frames=values["all_frames"],
        tls_cert=values["tls_cert"],
        tls_key=values["tls_key"],
        tls_ca=values["tls_ca"],
    )
    return Invocation(sources, config, command, values["http"], values["no_browser"])


def _is_executable(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) in (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")
    except OSError:
        return False


def _config(flags: Flags) -> Config:
    config = Config()
    for name in TYPES:
        if name not in CHOICES:
            setattr(config, name, flags.values[name])
            continue
        chosen = [choice for choice in CHOICES[name] if flags.values[choice]]
        if len(chosen) > 1:
            raise UsageError(f"conflicting options set: [{' '.join(chosen)}]")
        if chosen:
            setattr(config, name, chosen[0])
    return config


def _command(flags: Flags) -> tuple[str, str | None] | None:
    names = [name for name in (*COMMANDS, *PICTURES, *GRAPHVIZ, *MISSING) if flags.values[name]]
    if len(names) > 1:
        raise UsageError("must set at most one output format")
    if not names:
        return None
    value = flags.values[names[0]]
    return names[0], value if isinstance(value, str) else None


def run_command(
    profile: Profile, command: tuple[str, str | None], config: Config, *, interactive: bool = False
) -> None:
    """Makes a report and writes it where the options say. Raises ProfileError and OSError."""
    name, argument = command
    if name in MISSING:
        raise ProfileError(f"{name}: not supported: {MISSING[name]}")
    if name in GRAPHVIZ:
        return _run_graphviz(profile, name, config, interactive=interactive)
    if name in PICTURES:
        return _run_picture(profile, command, config, interactive=interactive)
    report = make_report(profile, name, argument, config, say)
    if COMMANDS[name].format in ("proto", "topproto"):
        made = report_profile(report, name)
        path = config.output or _away_from_terminal("pb.gz", interactive)
        if path:
            say(f"Generating report in {path}")
        write_profile(made, path or sys.stdout.buffer, fast=True)
        return None
    if COMMANDS[name].format == "callgrind" and not config.output:
        path = _away_from_terminal("callgraph.out", interactive)
        if path:
            say(f"Generating report in {path}")
    else:
        path = config.output
        if path:
            _first_line_then(report_lines(report, name), path)
            return None
    _write_lines(report_lines(report, name), path)
    return None


def _first_line_then(lines: Iterator[str], path: str) -> None:
    """Writes lines to a file, which is made only when there are any to write."""
    collected = list(lines)
    say(f"Generating report in {path}")
    _write_lines(iter(collected), path)


def _away_from_terminal(suffix: str, interactive: bool) -> str:
    """The path of a fresh file for output that would garble a terminal; "" when stdout is none."""
    if interactive or sys.stdout.isatty():
        return new_file("", "profile", f".{suffix}")
    return ""


def _write_lines(lines: Iterator[str], path: str) -> None:
    """Writes lines to a path, or to stdout when it is "": nothing at all if making them fails half-way."""
    data = "".join([f"{line}\n" for line in lines]).encode("utf-8", "surrogateescape")
    if path:
        with open(path, "wb") as file:
            file.write(data)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _run_graphviz(profile: Profile, name: str, config: Config, *, interactive: bool) -> None:
    import subprocess

    lines = report_lines(make_report(profile, "dot", None, config, say), "dot")
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    try:
        done = subprocess.run(["dot", f"-T{name}"], input=text, stdout=subprocess.PIPE, check=False)
    except FileNotFoundError:
        raise ProfileError(f"{name}: needs Graphviz's dot, which is not installed; -svg needs nothing") from None
    if done.returncode:
        raise ProfileError(f"{name}: dot failed with exit status {done.returncode}")
    path = config.output or _away_from_terminal(name, interactive)
    if path:
        say(f"Generating report in {path}")
        with open(path, "wb") as file:
            file.write(done.stdout)
    else:
        sys.stdout.buffer.write(done.stdout)
        sys.stdout.buffer.flush()


def _run_picture(profile: Profile, command: tuple[str, str | None], config: Config, *, interactive: bool) -> None:
    try:
        from gomem.web.pictures import run_picture
    except ImportError:
        raise ProfileError(f"{command[0]}: not available in this build") from None
    run_picture(profile, command, config, say, interactive=interactive)


def main(verb: str, args: list[str]) -> int:
    """Runs ``gomem pprof ARGS``, or a short verb. Returns the exit code."""
    try:
        if verb == "pprof":
            return run(parse_args(args))
        return _run_short(verb, args)
    except HelpWanted:
        from gomem.cli.usage import usage

        print(usage(verb), file=sys.stderr)
        return 0
    except UsageError as error:
        from gomem.cli.usage import usage

        say(str(error))
        if str(error).startswith(("flag ", "bad flag", "invalid ", "no profile source")):
            print(usage(verb), file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise  # the reader has seen enough; gomem.cli ends quietly
    except (GomemError, OSError) as error:
        say(_one_line(error))
        return 2


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"open {os.fsdecode(error.filename)}: {(error.strerror or '').lower()}"
    return str(error)


@contextmanager
def progress(what: str, interval_s: float = 1.0) -> Iterator[None]:
    """Shows on a terminal, once an interval from the first on, that something is going on; wipes it off in the end."""
    if not sys.stderr.isatty():
        yield
        return
    import threading

    done = threading.Event()

    def tick() -> None:
        ticks = 0
        while not done.wait(interval_s):
            ticks += 1
            print(f"\r{what} ... {ticks * interval_s:.0f} s", end="", file=sys.stderr, flush=True)
        if ticks:
            print(f"\r{'':{len(what) + 12}}\r", end="", file=sys.stderr, flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def run(invocation: Invocation) -> int:
    """Fetches the profile and runs the report, the web page or the shell."""
    # Tables are many small tuples without cycles: a short report need not look for any.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return _run(invocation)
    finally:
        if was_enabled:
            gc.enable()


def _run(invocation: Invocation) -> int:
    with progress(f"reading {', '.join(map(os.path.basename, invocation.sources.sources))}"[:60]):
        profile = fetch_profile(invocation.sources, say)
    if invocation.command is not None:
        run_command(profile, invocation.command, invocation.config)
        return 0
    gc.enable()
    if invocation.http:
        from gomem.web.server import serve

        return int(serve(profile, invocation.config, invocation.http, open_browser=not invocation.no_browser))
    from gomem.cli.shell import run_shell

    return run_shell(profile, invocation.config)


def _run_short(verb: str, args: list[str]) -> int:
    """``gomem top FILE``, ``gomem list RE FILE``, ``gomem diff OLD NEW``: flags may stand anywhere."""
    flags, names = _loose(args)
    if verb == "diff":
        if len(names) != 2:
            raise UsageError(f"diff: got {len(names)} profiles, want an old and a new one")
        has_format = any(flag.lstrip("-").partition("=")[0] in COMMANDS for flag in flags)
        return run(parse_args([f"-diff_base={names[0]}", *([] if has_format else ["-top"]), *flags, names[1]]))
    takes_symbol = verb == "weblist" or (verb in COMMANDS and COMMANDS[verb].takes_symbol)
    if takes_symbol:
        own = {"-escape", "--escape"} if verb == "list" else set()
        escape = not own.isdisjoint(flags)
        flags = [flag for flag in flags if flag not in own]
        if len(names) < 2:
            raise UsageError(f"{verb}: want a regular expression and a profile: gomem {verb} REGEXP FILE")
        invocation = parse_args([*flags, f"-{verb}={names[0]}", *names[1:]])
        return _list_with_escape(invocation) if escape else run(invocation)
    if verb == "web":
        return run(parse_args([*([] if any("http" in f for f in flags) else ["-http=localhost:0"]), *flags, *names]))
    return run(parse_args([*flags, f"-{verb}", *names]))


def _list_with_escape(invocation: Invocation) -> int:
    from gomem.cli.list_escape import with_verdicts

    assert invocation.command is not None
    report = make_report(fetch_profile(invocation.sources, say), *invocation.command, invocation.config, say)
    _write_lines(with_verdicts(report_lines(report, "list")), invocation.config.output)
    return 0


def _loose(args: list[str]) -> tuple[list[str], list[str]]:
    """Flags and other arguments apart; a flag that takes a value and has none takes the next argument."""
    known, flags, names = _flags().values, [], []
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--":
            names += rest
            break
        if len(arg) < 2 or arg[0] != "-":
            names.append(arg)
            continue
        name, equals, _ = arg.lstrip("-").partition("=")
        flags.append(arg)
        if not equals and name in known and not isinstance(known[name], bool) and rest:
            flags[-1] = f"-{name}={rest.pop(0)}"
    return flags, names
