"""The directory of a zip, parsed by ourselves, because readers differ and attackers live in the difference.

Format: APPNOTE.TXT 6.3.10. Every central entry is compared with its local header.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.archives.zip_consistency import clashing_names, shared_bytes, unclaimed_bytes
from assay.subjects.archives.zip_end import END, EOCD, LOCATOR, find_end
from assay.subjects.archives.zip_entries import UNSET32, Data, ZipMember, read_entry, read_member

MAX_MEMBERS = 100_000
STORED, DEFLATED = 0, 8
_END64 = struct.Struct("<4sQ2H2L4Q")
_UNSET16 = 0xFFFF

__all__ = ["DEFLATED", "STORED", "ZipDirectory", "ZipMember", "read_directory"]


@dataclass(frozen=True, slots=True)
class ZipDirectory:
    """All members, and what does not add up, one sentence each.

    Attributes:
        members: in the order of the directory.
        problems: what readers take differently.
        remarks: what they take differently on some systems only.
        base: where the archive starts; what stands before it is not part of it.
        after: where it ends, with its comment.
    """

    members: tuple[ZipMember, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    base: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class _End:
    """The end record: where the directory should be, and where the record itself is."""

    count: int
    size: int
    offset: int
    base: int
    at: int
    after: int


def read_directory(data: Data, start: int, end: int, *, appended: bool = False) -> ZipDirectory:
    """Read the zip that lies in `data[start:end]`.

    Args:
        data: the file.
        start: where the region begins.
        end: where it ends.
        appended: bytes of another format may stand before it; offsets count from either.

    Raises:
        SubjectError: its directory cannot be read.
        LimitError: it has more than 100,000 members.
    """
    problems: list[str] = []
    try:
        found = _end(data, start, end, problems, appended=appended)
        if found.count > MAX_MEMBERS:
            raise LimitError(f"the zip has {found.count:,} members")
        members = _members(data, found, end, problems)
    except struct.error as error:
        raise SubjectError("the zip's directory reaches past its end") from error
    directory = found.base + found.offset
    if directory + found.size > end:
        problems.append("the directory reaches past the end")
    if data.find(EOCD, directory, found.at) >= 0:
        problems.append("it has a second end of central directory")
    clashes, remarks = clashing_names(members)
    problems += clashes
    problems += shared_bytes(members, directory)
    base = min((member.header for member in members), default=found.base) if appended else found.base
    problems += unclaimed_bytes(data, base, directory, members)
    return ZipDirectory(tuple(members), tuple(problems[:100]), tuple(remarks), base, found.after)


def _end(data: Data, start: int, end: int, problems: list[str], *, appended: bool) -> _End:
    at = find_end(data, start, end)
    if at < 0:
        raise SubjectError("there is no end of central directory")
    fields = END.unpack_from(data, at)
    _, disk, first, here, count, size, offset, comment = fields
    after = at + END.size + comment
    if after != end:
        problems.append(f"{end - after:,} bytes follow the archive" if after < end else "its comment is cut")
    if disk not in {0, _UNSET16} or first not in {0, _UNSET16} or here != count:
        problems.append("it claims to be one of several disks")
    directory_end, fields64 = _end64(data, start, at, problems)
    if fields64 is not None:
        for short, full, unset in ((count, fields64[7], _UNSET16), (size, fields64[8], UNSET32),
                                   (offset, fields64[9], UNSET32)):  # fmt: skip
            if short not in {full, unset}:
                problems.append("its zip64 record contradicts its end record")
        count, size, offset = fields64[7], fields64[8], fields64[9]
    base = directory_end - size - offset
    if base < start:
        raise SubjectError("the zip's directory does not fit before its end")
    if base > start and not appended:
        problems.append(f"{base - start:,} bytes stand before the archive")
    return _End(count, size, offset, base, at, min(after, end))


def _end64(data: Data, start: int, at: int, problems: list[str]) -> tuple[int, tuple[int, ...] | None]:
    """Where the directory ends, and the fields of the zip64 record before the end record at `at`, if any."""
    locator = at - LOCATOR.size
    if locator < start or data[locator : locator + 4] != b"PK\x06\x07":
        return at, None
    _, _, where, disks = LOCATOR.unpack_from(data, locator)
    beside = locator - _END64.size
    record = start + where
    if record + 4 > at or data[record : record + 4] != b"PK\x06\x06":
        record = beside
    fields = _END64.unpack_from(data, record) if record >= start else (b"",)
    if fields[0] != b"PK\x06\x06":
        raise SubjectError("the zip64 record is missing")
    if start + where != beside:
        problems.append("some readers look for its zip64 record elsewhere than others")
    if disks > 1:
        problems.append("it claims to be one of several disks")
    return record, fields


def _members(data: Data, found: _End, end: int, problems: list[str]) -> list[ZipMember]:
    members = []
    at = found.base + found.offset
    for _ in range(found.count):
        entry = read_entry(data, at, problems)
        members.append(read_member(data, found.base, end, entry, problems))
        at = entry.after
        if len(problems) > 1000:  # noqa: PLR2004  enough is known
            del problems[200:]
    if data[at : at + 4] == b"PK\x01\x02":
        problems.append("the directory has more entries than it counts")
    elif at != found.base + found.offset + found.size:
        problems.append("the directory does not have the size that it states")
    return members
