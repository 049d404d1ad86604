"""The header of a tar member, by which readers know one; see `tar_members` for the rest of it."""

from __future__ import annotations

import re

BLOCK = 512
_OCTAL = re.compile(rb"[ \0]*([0-7]*)[ \0]")


def is_header(block: bytes) -> bool:
    """Whether a block is the header of a tar member, by its checksum."""
    if len(block) < BLOCK or not block[0]:
        return False
    stated = number(block[148:156])
    if not stated or stated < 0:
        return False
    plain = block[:148] + b" " * 8 + block[156:BLOCK]
    total = sum(plain)
    return stated in {total, total - 256 * sum(byte > 127 for byte in plain)}  # noqa: PLR2004  signed sums


def number(raw: bytes) -> int | None:
    """An octal number, or a GNU base-256 one; None where it is neither."""
    if raw[:1] in {b"\x80", b"\xff"}:
        return int.from_bytes(raw[1:], "big", signed=raw[:1] == b"\xff")
    found = _OCTAL.match(raw + b"\0")
    return int(found.group(1) or b"0", 8) if found else None
