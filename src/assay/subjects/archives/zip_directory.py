"""The directory of a zip, parsed by ourselves, because readers differ and attackers live in the difference.

Format: APPNOTE.TXT 6.3.10. Every central entry is compared with its local header.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from itertools import pairwise

from assay.core.errors import LimitError, SubjectError

EOCD = b"PK\x05\x06"
MAX_MEMBERS = 100_000
STORED, DEFLATED = 0, 8
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
Data = mmap.mmap | bytes


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One member.

    Attributes:
        name: as the central directory has it.
        start, packed: where its bytes lie in the file, absolute, and how many.
        size: unpacked, as claimed.
        crc: CRC-32 of the unpacked bytes, as claimed.
        method: 0 stored, 8 deflated, 12 bz2, 14 lzma, others rare.
        encrypted: whether its flag says so.
    """

    name: str
    start: int
    packed: int
    size: int
    crc: int
    method: int
    encrypted: bool


@dataclass(frozen=True, slots=True)
class ZipDirectory:
    """All members, and what does not add up, one sentence each."""

    members: tuple[ZipMember, ...]
    problems: tuple[str, ...]


def find_end(data: Data, start: int, end: int) -> int:
    """Where the end-of-central-directory record lies, or -1: this is no zip."""
    at = data.rfind(EOCD, max(start, end - 65_557), end)
    return at if at >= 0 and at + _END.size <= end else -1


def read_directory(data: Data, start: int, end: int) -> ZipDirectory:
    """Read the zip that lies in `data[start:end]`.

    Raises:
        SubjectError: its directory cannot be read.
        LimitError: it has more than 100,000 members.
    """
    problems: list[str] = []
    try:
        count, size, offset, base = _end(data, start, end, problems)
        if count > MAX_MEMBERS:
            raise LimitError(f"the zip has {count:,} members")
        members = _members(data, base + offset, base, end, count, problems)
    except struct.error as error:
        raise SubjectError("the zip's directory reaches past its end") from error
    if base + offset + size > end:
        problems.append("the directory reaches past the end")
    names = [member.name for member in members]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    problems += [f"member {name[:100]!r} stands twice" for name in twice[:10]]
    problems += _overlaps(members)
    return ZipDirectory(tuple(members), tuple(problems[:100]))


def _end(data: Data, start: int, end: int, problems: list[str]) -> tuple[int, int, int, int]:
    at = find_end(data, start, end)
    if at < 0:
        raise SubjectError("there is no end of central directory")
    _, _, _, _, count, size, offset, comment = _END.unpack_from(data, at)
    if at + _END.size + comment != end:
        problems.append(f"{end - at - _END.size - comment:,} bytes follow the archive")
    directory_end = at
    locator = at - 20
    if locator >= start and data[locator : locator + 4] == b"PK\x06\x07":
        (where,) = struct.unpack_from("<Q", data, locator + 8)
        record = start + where
        if data[record : record + 4] != b"PK\x06\x06":
            record = locator - _END64.size
        fields = _END64.unpack_from(data, record)
        if fields[0] != b"PK\x06\x06":
            raise SubjectError("the zip64 record is missing")
        count, size, offset, directory_end = fields[7], fields[8], fields[9], record
    base = directory_end - size - offset
    if base < start:
        raise SubjectError("the zip's directory does not fit before its end")
    if base > start:
        problems.append(f"{base - start:,} bytes stand before the archive")
    return count, size, offset, base


def _members(data: Data, at: int, base: int, end: int, count: int, problems: list[str]) -> list[ZipMember]:
    members = []
    for _ in range(count):
        fields = _CENTRAL.unpack_from(data, at)
        if fields[0] != b"PK\x01\x02":
            raise SubjectError("the zip's directory is damaged")
        flags, method, crc, packed, size = fields[3], fields[4], fields[7], fields[8], fields[9]
        name_length, extra_length, comment_length, offset = fields[10], fields[11], fields[12], fields[16]
        raw = bytes(data[at + _CENTRAL.size : at + _CENTRAL.size + name_length])
        extra_at = at + _CENTRAL.size + name_length
        extra = bytes(data[extra_at : extra_at + extra_length])
        size, packed, offset = _zip64(extra, size, packed, offset)
        at += _CENTRAL.size + name_length + extra_length + comment_length
        start = _local(data, base + offset, raw, flags, method, problems)
        if start + packed > end:
            raise SubjectError(f"member {raw[:100]!r} reaches past the end")
        name = raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
        members.append(ZipMember(name, start, packed, size, crc, method, bool(flags & 1)))
    if data[at : at + 4] == b"PK\x01\x02":
        problems.append("the directory has more entries than it counts")
    return members


def _zip64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    at = 0
    values = [size, packed, offset]
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + length]
            for index, value in enumerate(values):
                if value == 0xFFFFFFFF and len(body) >= 8:  # noqa: PLR2004  the marker of zip64
                    values[index], body = int.from_bytes(body[:8], "little"), body[8:]
        at += 4 + length
    return values[0], values[1], values[2]


def _local(data: Data, at: int, name: bytes, flags: int, method: int, problems: list[str]) -> int:
    fields = _LOCAL.unpack_from(data, at)
    if fields[0] != b"PK\x03\x04":
        raise SubjectError(f"member {name[:100]!r} has no local header")
    found = bytes(data[at + _LOCAL.size : at + _LOCAL.size + fields[9]])
    if found != name:
        problems.append(f"member {name[:100]!r} is called {found[:100]!r} in its local header")
    if fields[3] != method or (fields[2] ^ flags) & 1:
        problems.append(f"member {name[:100]!r}: local header and directory differ on how it is packed")
    return at + _LOCAL.size + int(fields[9]) + int(fields[10])


def _overlaps(members: list[ZipMember]) -> list[str]:
    ordered = sorted(members, key=lambda m: m.start)
    return [
        f"members {a.name[:80]!r} and {b.name[:80]!r} share bytes"
        for a, b in pairwise(ordered)
        if a.packed and b.packed and a.start + a.packed > b.start
    ][:10]
