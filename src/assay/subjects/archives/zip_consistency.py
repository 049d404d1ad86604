"""What does not add up in a zip as a whole: bytes of two members or of none, and names that clash."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from assay.subjects.archives.zip_entries import Data, ZipMember

MOST = 10
_NOT_ZERO = re.compile(rb"[^\0]")
_MISLEADING = re.compile("[\x01-\x1f\x7f\u202a-\u202e\u2066-\u2069]")  # controls, and what turns text around


def shared_bytes(members: Sequence[ZipMember], directory: int) -> list[str]:
    """Members that share bytes with each other or with the directory, which starts at `directory`."""
    ordered = sorted(members, key=lambda member: member.header)
    problems = [
        f"members {a.name[:80]!r} and {b.name[:80]!r} share bytes"
        for a, b in pairwise(ordered)
        if a.start + a.packed > b.header
    ]
    problems += [
        f"member {member.name[:80]!r} reaches into the directory"
        for member in ordered[-1:]
        if member.start + member.packed > directory >= member.header
    ]
    return problems[:MOST]


def unclaimed_bytes(data: Data, base: int, directory: int, members: Sequence[ZipMember]) -> list[str]:
    """Bytes between the members that belong to none: a reader that streams meets them (padding is zeros)."""
    problems = []
    at = base
    for member in [*sorted(members, key=lambda member: member.header), None]:
        until = directory if member is None else member.header
        found = _NOT_ZERO.search(data, at, until) if at < until else None
        if found:
            hidden = data[found.start() : found.start() + 4] == b"PK\x03\x04"
            what = "a member that the directory does not list" if hidden else "bytes that belong to no member"
            problems.append(f"{what} at byte {found.start():,}")
        at = max(at, until if member is None else member.finish)
    return problems[:MOST]


def clashing_names(members: Sequence[ZipMember]) -> tuple[list[str], list[str]]:
    """Names that readers take differently: problems, and what matters on some systems only."""
    problems, remarks = [], []
    exact: dict[str, str] = {}
    folded: dict[str, str] = {}
    for member in members:
        name = member.name
        if "\0" in name:
            problems.append(f"the name {name[:100]!r} ends at its NUL for some readers")
        if "\\" in name:
            remarks.append(f"the name {name[:100]!r} has a backslash, which is a folder on Windows only")
        if _MISLEADING.search(name):
            problems.append(f"the name {name[:100]!r} holds control characters")
        plain = _plain(name)
        if plain in exact:
            both = "" if exact[plain] == name else f" (as {exact[plain][:100]!r} too)"
            problems.append(f"member {name[:100]!r} stands twice{both}")
        elif plain.casefold() in folded:
            other = folded[plain.casefold()]
            remarks.append(f"members {other[:100]!r} and {name[:100]!r} differ by case only")
        exact.setdefault(plain, name)
        folded.setdefault(plain.casefold(), name)
    return problems[:MOST], remarks[:MOST]


def _plain(name: str) -> str:
    """The path that every reader would write to, in one Unicode form."""
    parts = unicodedata.normalize("NFC", name.split("\0", maxsplit=1)[0].replace("\\", "/")).split("/")
    return "/".join(part for part in parts if part not in {"", "."})
