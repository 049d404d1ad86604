"""One member of a zip: its central entry, its local header, and where the two contradict each other.

Format: APPNOTE.TXT 6.3.10, sections 4.3 to 4.6; the Unicode path field 0x7075 is 4.6.9.
"""

from __future__ import annotations

import mmap
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.errors import SubjectError

CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
UNSET32 = 0xFFFFFFFF
ENCRYPTED, DESCRIPTOR, PATCHED, STRONG, UTF8, MASKED = 1, 8, 0x20, 0x40, 0x800, 0x2000
NEWEST = 63  # the newest version that APPNOTE defines; Python's zipfile refuses what needs more
_UNIX = 3
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
        encrypted: whether its flags say so.
        header: where its local header starts, absolute.
        finish: where it ends, with the data descriptor.
        alias: another name that an extra field gives it, or "".
        link: whether it is a symbolic link, whose bytes are its target.
    """

    name: str
    start: int
    packed: int
    size: int
    crc: int
    method: int
    encrypted: bool
    header: int = 0
    finish: int = 0
    alias: str = ""
    link: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A central entry as it stands in the file; `after` is where the next one starts."""

    raw: bytes
    maker: int
    needs: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    attributes: int
    disk: int
    extra: bytes
    after: int


def read_entry(data: Data, at: int, problems: list[str]) -> Entry:
    """Read the central entry at `at`.

    Raises:
        SubjectError: there is none.
        struct.error: it reaches past the end of the data.
    """
    fields = CENTRAL.unpack_from(data, at)
    if fields[0] != b"PK\x01\x02":
        raise SubjectError("the zip's directory is damaged")
    at += CENTRAL.size
    name_end = at + fields[10]
    extra_end = name_end + fields[11]
    raw, extra = bytes(data[at:name_end]), bytes(data[name_end:extra_end])
    size, packed, offset = _zip64(extra, (fields[9], fields[8], fields[16]), raw, problems)
    return Entry(
        raw=raw, maker=fields[1] >> 8, needs=fields[2] & 0xFF, flags=fields[3], method=fields[4],
        crc=fields[7], packed=packed, size=size, offset=offset, attributes=fields[15], disk=fields[13],
        extra=extra, after=extra_end + fields[12],
    )  # fmt: skip


def read_member(data: Data, base: int, end: int, entry: Entry, problems: list[str]) -> ZipMember:
    """Read the local header of `entry`, and tell what contradicts it.

    Raises:
        SubjectError: there is no local header, or the member reaches past `end`.
        struct.error: the header reaches past the end of the data.
    """
    shown = repr(entry.raw[:100])
    header = base + entry.offset
    fields = LOCAL.unpack_from(data, header)
    if fields[0] != b"PK\x03\x04":
        raise SubjectError(f"member {shown} has no local header")
    name_at = header + LOCAL.size
    start = name_at + fields[9] + fields[10]
    extra = bytes(data[name_at + fields[9] : start])
    if start + entry.packed > end:
        raise SubjectError(f"member {shown} reaches past the end")
    found = bytes(data[name_at : name_at + fields[9]])
    if found != entry.raw:
        problems.append(f"member {shown} is called {found[:100]!r} in its local header")
    _compare_packing(entry, fields, shown, problems)
    sizes = _zip64(extra, (fields[8], fields[7], 0), entry.raw, problems)
    finish = _descriptor(data, start + entry.packed, end, entry) if fields[2] & DESCRIPTOR else 0
    _compare_sizes(entry, fields[2], (fields[6], sizes[1], sizes[0]), finish, problems)
    return ZipMember(
        name=_decoded(entry), start=start, packed=entry.packed, size=entry.size, crc=entry.crc,
        method=entry.method, encrypted=bool((entry.flags | fields[2]) & (ENCRYPTED | STRONG | MASKED)),
        header=header, finish=finish or start + entry.packed,
        alias=_alias(entry.extra, entry, problems) or _alias(extra, entry, problems),
        link=entry.maker == _UNIX and stat.S_ISLNK(entry.attributes >> 16),
    )  # fmt: skip


def fields_of(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields, id and body; a last one that is cut short is left out."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        at += 4
        if at + length > len(extra):
            return
        yield kind, extra[at : at + length]
        at += length


def _decoded(entry: Entry) -> str:
    return entry.raw.decode("utf-8" if entry.flags & UTF8 else "cp437", "replace")


def _zip64(
    extra: bytes, values: tuple[int, int, int], name: bytes, problems: list[str]
) -> tuple[int, int, int]:
    """Size, packed size and offset, from the zip64 field where the 32-bit ones are all ones."""
    body = next((body for kind, body in fields_of(extra) if kind == 1), b"")
    full = []
    for value in values:
        if value == UNSET32 and len(body) >= 8:  # noqa: PLR2004  a 64-bit value
            full.append(int.from_bytes(body[:8], "little"))
            body = body[8:]
        else:
            full.append(value)
    if UNSET32 in full:
        problems.append(f"member {name[:100]!r} needs a zip64 field that is not there")
    return full[0], full[1], full[2]


def _compare_packing(entry: Entry, fields: tuple[int, ...], shown: str, problems: list[str]) -> None:
    flags, method = fields[2], fields[3]
    if method != entry.method or (flags ^ entry.flags) & (ENCRYPTED | PATCHED | STRONG | MASKED):
        problems.append(f"member {shown}: local header and directory differ on how it is packed")
    elif (flags ^ entry.flags) & UTF8 and not entry.raw.isascii():
        problems.append(f"member {shown}: local header and directory differ on how its name is written")
    if entry.flags & (PATCHED | STRONG):
        problems.append(f"member {shown} has a flag that makes some readers refuse it and others not")
    if entry.needs > NEWEST:
        problems.append(f"member {shown} claims to need version {entry.needs / 10:.1f} of the format")
    if entry.disk not in {0, 0xFFFF}:
        problems.append(f"member {shown} claims to lie on another disk")


def _compare_sizes(
    entry: Entry, flags: int, local: tuple[int, int, int], finish: int, problems: list[str]
) -> None:
    """CRC, packed and full size: local ones may be zero where a data descriptor follows."""
    central = (entry.crc, entry.packed, entry.size)
    shown = repr(entry.raw[:100])
    unset = all(mine in {0, his} for mine, his in zip(local, central, strict=True))
    if flags & DESCRIPTOR and not finish and local != central:
        problems.append(f"member {shown}: its data descriptor contradicts the directory")
    elif local != central and not (flags & DESCRIPTOR and unset):
        problems.append(f"member {shown}: local header and directory differ on its size or CRC-32")


def _descriptor(data: Data, at: int, end: int, entry: Entry) -> int:
    """Where the data descriptor at `at` ends; 0 where none there agrees with the directory (4.3.9)."""
    for mark in (b"PK\x07\x08", b""):
        for layout in ("<LLL", "<LQQ"):
            if max(entry.packed, entry.size) > UNSET32 and layout == "<LLL":
                continue
            want = mark + struct.pack(layout, entry.crc, entry.packed, entry.size)
            if at + len(want) <= end and data[at : at + len(want)] == want:
                return at + len(want)
    return 0


def _alias(extra: bytes, entry: Entry, problems: list[str]) -> str:
    """The name that a Unicode path field gives; a problem where it is another name altogether."""
    body = next((body for kind, body in fields_of(extra) if kind == 0x7075), b"")  # noqa: PLR2004
    if len(body) < 5 or body[0] != 1:  # noqa: PLR2004  version and CRC
        return ""
    alias = body[5:].decode("utf-8", "replace")
    stale = int.from_bytes(body[1:5], "little") != zlib.crc32(entry.raw)
    if alias != _decoded(entry) and (stale or alias.isascii() or _shape(alias) != _shape(_decoded(entry))):
        problems.append(f"member {entry.raw[:100]!r} is called {alias[:100]!r} by its Unicode path field")
    return alias


def _shape(name: str) -> tuple[int, str]:
    """What no choice of character set changes: how deep the path is, and its extension."""
    suffix = name.rpartition(".")[2] if "." in name else ""
    return name.count("/"), suffix if suffix.isascii() else ""
