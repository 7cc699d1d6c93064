"""From the sources on a command line to one profile: files and URLs read, merged, a base taken off, names tidied.

A source that fails is reported and left out; only when none is left does fetching fail. Native addresses are not
turned into names here: profiles of Go, Python, Node and Java carry names, and ``perf``-like ones should be symbolized
by what wrote them.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gomem.errors import GomemError, ProfileError
from gomem.pprof.available import bounded
from gomem.pprof.files import inflate, read_source, replace_file, write_profile
from gomem.pprof.filters import prune_uninteresting
from gomem.pprof.graph import base_name
from gomem.pprof.merge import combine, subtract
from gomem.pprof.model import Mapping, Profile
from gomem.pprof.names import demangle, looks_like_cpp
from gomem.pprof.wire import WireError, decode
from gomem.record import Record, field, replace

if TYPE_CHECKING:
    import ssl

Say = Callable[[str], None]

_CPU_HANDLER = "/debug/pprof/profile"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Sources(Record):
    """What to fetch and how; seconds and timeouts below 1 mean the defaults."""

    sources: list[str]
    bases: list[str] = field(default_factory=list)
    diff_base: bool = False
    normalize: bool = False
    executable: str = ""
    build_id: str = ""
    seconds: int = -1
    timeout: int = -1
    symbolize: str = ""
    comment: str = ""
    all_frames: bool = False
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""


def parse_profile(data: bytes) -> Profile:
    """The profile in a file's bytes, compressed or not, in profile.proto's format or an older one.

    Raises ProfileError in one line.
    """
    inflated = inflate(data)
    try:
        profile = decode(inflated)
        profile.encoded = data if data[:2] == b"\x1f\x8b" else None
        return profile
    except WireError:
        pass
    except ProfileError as error:
        text = str(error)
        raise ProfileError(text if text.startswith("malformed") else f"parsing profile: {text}") from None
    from gomem.pprof.legacy import parse_legacy

    return parse_legacy(bytes(inflated))


def fetch_profile(sources: Sources, say: Say) -> Profile:
    """The profile of all sources, less the bases; ``say`` gets progress and warnings. Raises ProfileError.

    A profile that needs more memory than is available fails as one that cannot be read does.
    """
    with bounded():
        return _fetch_all(sources, say)


def _fetch_all(sources: Sources, say: Say) -> Profile:
    profile, remote = _grab(sources, sources.sources, "source", say)
    if sources.bases:
        base, base_remote = _grab(sources, sources.bases, "base", say)
        remote |= base_remote
        profile = subtract(profile, base, label=sources.diff_base, normalize=sources.normalize)
    if sources.all_frames:
        profile = replace(profile, drop_frames="", keep_frames="")
    profile = _with_tidy_names(profile, sources.symbolize, say)
    profile = prune_uninteresting(profile)
    if any(_is_url(mapping) for mapping in profile.mappings):
        profile = replace(profile, mappings=[_without_url(mapping) for mapping in profile.mappings])
    if sources.comment:
        profile = replace(profile, comments=[*profile.comments, sources.comment])
    if remote:
        _save(profile, say)
    return profile


def _grab(sources: Sources, names: list[str], what: str, say: Say) -> tuple[Profile, bool]:
    profiles, remote = [], False
    for name in names:
        try:
            profile, from_afar = _fetch(sources, name, say)
        except (GomemError, OSError) as error:
            say(f"{name}: {error}")
            continue
        except MemoryError:
            say(f"{name}: out of memory: the profile needs more than is available")
            continue
        remote |= from_afar
        profiles.append(_with_main_mapping(profile, sources))
    if not profiles:
        raise ProfileError(f"failed to fetch any {what} profiles")
    try:
        combined = combine(profiles)
    except ProfileError as error:
        raise ProfileError(f"problem fetching {what} profiles: {error}{',' if what == 'base' else ''}") from None
    if len(profiles) != len(names):
        say(f"Fetched {len(profiles)} {what} profiles out of {len(names)}")
    return combined, remote


def _fetch(sources: Sources, name: str, say: Say) -> tuple[Profile, bool]:
    if os.path.exists(name):
        return parse_profile(_read(name)), False
    url, timeout = _adjusted_url(name, sources.seconds, sources.timeout)
    if not url:
        raise ProfileError(f"stat {name}: no such file or directory")
    say(f"Fetching profile over HTTP from {url}")
    if sources.seconds > 0:
        say(f"Please wait... ({_seconds_text(sources.seconds)})")
    return parse_profile(_download(sources, url, timeout)), True


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = read_source(file.read, path, os.fstat(file.fileno()).st_size)
    except IsADirectoryError:
        raise ProfileError(f"read {path}: is a directory") from None
    except OSError as error:
        raise ProfileError(f"open {path}: {(error.strerror or '').lower()}") from None
    if data.startswith(b"PERFILE2"):
        raise ProfileError("perf.data format: convert it with github.com/google/perf_data_converter first")
    return data


def _seconds_text(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if seconds >= 60 else "") + f"{rest}s"


def _adjusted_url(source: str, seconds: int, timeout: int) -> tuple[str, int]:
    """The URL to fetch and its timeout in seconds; "" when the source is none."""
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

    parts = urlsplit(source)
    if not parts.netloc and (parts.scheme not in ("", "file") or ":" in source.split("/")[0]):
        parts = urlsplit("http://" + source)  # host:port/path, whose host may look like a scheme
    if not parts.netloc:
        return "", 0
    path = _CPU_HANDLER if parts.path in ("", "/") else parts.path
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if seconds > 0:
        query["seconds"] = str(seconds)
    elif query.get("seconds", "").isdigit():
        seconds = int(query["seconds"])
    if timeout <= 0:
        timeout = seconds + seconds // 2 if seconds > 0 else 60
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(sorted(query.items())), "")), timeout


def _download(sources: Sources, url: str, timeout: int) -> bytes:
    # Imported here: they would double the start of a command that reads a file.
    import urllib.error
    import urllib.request

    context = _tls(sources, url)
    if url.startswith("https+insecure:"):
        url = "https" + url.removeprefix("https+insecure")
    try:
        with urllib.request.urlopen(url, timeout=timeout + 5, context=context) as response:
            return read_source(_until(time.monotonic() + timeout + 5, response.read1), url)
    except urllib.error.HTTPError as error:
        detail = ""
        if error.headers.get("X-Go-Pprof") and "text/plain" in error.headers.get("Content-Type", ""):
            detail = " - " + error.read().decode("utf-8", "replace")
        raise ProfileError(f"server response: {error.code} {error.reason}{detail}") from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ProfileError(f'Get "{url}": {getattr(reason, "strerror", None) or reason}'.replace("\n", " ")) from None


def _tls(sources: Sources, url: str) -> ssl.SSLContext | None:
    """Whom to trust, and who we are; None for a URL without TLS."""
    if not url.startswith(("https:", "https+insecure:")):
        return None
    import ssl

    context = ssl.create_default_context() if url.startswith("https:") else ssl._create_unverified_context()
    if sources.tls_ca:
        _load("tls_ca", sources.tls_ca, lambda: context.load_verify_locations(sources.tls_ca))
    if sources.tls_cert:
        _load("tls_cert", sources.tls_cert, lambda: context.load_cert_chain(sources.tls_cert, sources.tls_key or None))
    return context


def _load(option: str, path: str, load: Callable[[], object]) -> None:
    try:
        load()
    except OSError as error:  # SSLError is one
        raise ProfileError(f"-{option}: got {path}: {error.strerror or error}, want certificates in PEM format") from None


def _until(deadline: float, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """``read`` as long as there is time: a server may send a byte now and then, forever."""

    def timed(count: int) -> bytes:
        if time.monotonic() > deadline:
            raise TimeoutError("timed out while reading the body")
        return read(count)

    return timed


def _with_main_mapping(profile: Profile, sources: Sources) -> Profile:
    """The profile with at least one mapping, the first one named as the command line says."""
    if not profile.mappings:
        locations = [location._replace(mapping=0) for location in profile.locations]
        profile = replace(profile, mappings=[Mapping()], mapping_ids=[1], locations=locations)
    first = profile.mappings[0]
    if sources.executable:
        first = first._replace(file=sources.executable)
    if sources.build_id and not first.build_id:
        first = first._replace(build_id=sources.build_id)
    return profile if first == profile.mappings[0] else replace(profile, mappings=[first, *profile.mappings[1:]])


def _is_url(mapping: Mapping) -> bool:
    return not mapping.build_id and _SCHEME.match(mapping.file) is not None


def _without_url(mapping: Mapping) -> Mapping:
    return mapping._replace(file="") if _is_url(mapping) else mapping


def _with_tidy_names(profile: Profile, symbolize: str, say: Say) -> Profile:
    mode, force, local = "", False, True
    for option in symbolize.lower().split(":"):
        if option in ("none", "no"):
            return profile
        if option == "force":
            force = True
        elif option in ("demangle=full", "demangle=none", "demangle=templates"):
            mode, force = option.removeprefix("demangle="), True
        elif option == "remote":
            local = False
        elif option not in ("", "local", "fastlocal", "demangle=default"):
            say(f"ignoring unrecognized symbolization option: {symbolize}")
            say("expecting -symbolize=[local|fastlocal|remote|none][:force][:demangle=[none|full|templates|default]")
    if local:
        _report_unsymbolized(profile, force, say)
    functions, changed = [], False
    for function in profile.functions:
        before = function
        if force and function.name and function.system_name:
            function = function._replace(name=function.system_name)
        if mode != "none" and (not function.name or function.name == function.system_name):
            name = _tidy(function.system_name, mode)
            function = function if name == function.name else function._replace(name=name)
        functions.append(function)
        changed |= function is not before and function != before
    return replace(profile, functions=functions) if changed else profile


def _tidy(name: str, mode: str) -> str:
    # Nearly all names take the first branch; it is here, not in demangle(), to spare them its cache.
    if not name.startswith(("_Z", "__Z")) and not looks_like_cpp(name):
        return name
    return demangle(name, mode)


def _report_unsymbolized(profile: Profile, force: bool, say: Say) -> None:
    used = {location.mapping for location in profile.locations}
    missing = False
    for index, mapping in enumerate(profile.mappings):
        if index not in used or (
            not force and (mapping.has_functions or mapping.has_filenames or mapping.has_line_numbers)
        ):
            continue
        if not mapping.file:
            if index == 0:
                say("Main binary filename not available.")
            else:
                missing = True
        elif not _is_unsymbolizable(mapping.file) and not _SCHEME.match(mapping.file):
            name = base_name(mapping.file)
            name += f" (build ID {mapping.build_id})" if mapping.build_id else ""
            exists = os.path.exists(mapping.file)
            reason = "native symbols are not read" if exists else f"open {mapping.file}: no such file or directory"
            say(f"Local symbolization failed for {name}: {reason}")
            missing |= not exists
    if missing:
        say("Some binary filenames not available. Symbolization may be incomplete.")
        say("Try setting PPROF_BINARY_PATH to the search path for local binaries.")


def _is_unsymbolizable(file: str) -> bool:
    name = base_name(file)
    return name.startswith(("[", "linux-vdso")) or file.startswith(("/dev/dri/", "/memfd:")) or file in ("//anon", "")


def _save(profile: Profile, say: Say) -> None:
    """Keeps a copy of a fetched profile under PPROF_TMPDIR, which is ~/pprof by default."""
    import tempfile

    home = os.environ.get("HOME")
    candidates = [os.environ.get("PPROF_TMPDIR"), home and os.path.join(home, "pprof"), tempfile.gettempdir()]
    prefix = "pprof."
    if profile.mappings and profile.mappings[0].file:
        prefix += base_name(profile.mappings[0].file) + "."
    prefix += "".join(kind.type + "." for kind in profile.sample_types)
    for directory in filter(None, candidates):
        try:
            os.makedirs(directory, 0o755, exist_ok=True)
        except OSError as error:
            say(f"Could not use temp dir {directory}: {error.strerror}")
            continue
        try:
            path = new_file(directory, prefix, ".pb.gz")
            replace_file(path, lambda file: write_profile(profile, file))
            say(f"Saved profile in {path}")
        except OSError as error:
            say(f"Could not save profile: {error.strerror}")
        return


def new_file(directory: str, prefix: str, suffix: str) -> str:
    """The path of a new empty file ``prefixNNNsuffix``, NNN the first free number from 001."""
    for index in range(1, 10000):
        path = os.path.join(directory, f"{prefix}{index:03d}{suffix}")
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            continue
        return path
    raise ProfileError(f"could not create file of the form {prefix}001{suffix}")
