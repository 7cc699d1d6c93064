"""Profiles in formats older than profile.proto."""

from __future__ import annotations

from gomem.errors import ProfileError
from gomem.pprof.model import Profile


def parse_legacy(data: bytes) -> Profile:
    raise ProfileError("parsing profile: unrecognized profile format")
