"""The headers of a 7z archive: what its members are, and how their bytes are packed.

Format: 7zFormat.txt of the LZMA SDK. Both header CRCs are checked. Every count is bounded by the bytes there
are, so that a small file cannot make us set aside much.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.archives.seven_zip_header import Coder, Header, HeaderReader

MAGIC = b"7z\xbc\xaf\x27\x1c"
MAX_HEADER = 64 << 20
MAX_ENCODED = 4  # headers packed in headers
Data = mmap.mmap | bytes
_START = struct.Struct("<6s2BLQQL")


@dataclass(frozen=True, slots=True)
class SevenZipFolder:
    """Bytes that are packed as one, and may hold several members one after the other.

    Attributes:
        coders: in the order that unpacks, each with the bytes it gives; empty where the coders do not follow
            each other in a line.
        methods: ids of all coders, for people.
        start, packed: where its packed bytes lie in the data, absolute, and how many.
        size: unpacked.
        crc: of all it unpacks to, where stated.
    """

    coders: tuple[tuple[Coder, int], ...]
    methods: tuple[bytes, ...]
    start: int
    packed: int
    size: int
    crc: int | None


@dataclass(frozen=True, slots=True)
class SevenZipMember:
    """One member.

    Attributes:
        name: its path.
        size: unpacked; 0 for folders and empty files.
        crc: of its bytes, where stated.
        folder: which folder holds it, or -1; `offset` is where it starts in what that unpacks to.
        is_directory: whether it is a folder of the file system.
        link: whether it is a symbolic link, whose bytes are its target.
    """

    name: str
    size: int
    crc: int | None
    folder: int
    offset: int
    is_directory: bool
    link: bool


@dataclass(frozen=True, slots=True)
class SevenZip:
    """A whole archive.

    Attributes:
        folders, members: its content.
        problems: what does not add up, one sentence each.
        end: where it ends in the data.
    """

    folders: tuple[SevenZipFolder, ...]
    members: tuple[SevenZipMember, ...]
    problems: tuple[str, ...]
    end: int


Unpack = Callable[[SevenZipFolder, int], bytes]


def read_seven_zip(data: Data, start: int, end: int, unpack: Unpack) -> SevenZip:
    """Read the headers of the 7z archive in `data[start:end]`.

    Args:
        data: holds it.
        start: where its signature is.
        end: where its bytes end.
        unpack: gives the bytes of a folder, no more than so many; for headers that are packed themselves.

    Raises:
        SubjectError: a header is damaged, or packed by a method that is not known.
        LimitError: it has more members, or larger headers, than are followed.
    """
    if end - start < _START.size:
        raise SubjectError("it is cut short")
    _, major, _, crc, offset, size, header_crc = _START.unpack_from(data, start)
    if major != 0:
        raise SubjectError(f"its format version {major} is not known")
    if zlib.crc32(data[start + 12 : start + _START.size]) != crc:
        raise SubjectError("its start header does not have the CRC-32 that it states")
    base = start + _START.size
    if size == 0:
        return SevenZip((), (), (), base)
    finish = base + offset + size
    if finish > end:
        raise SubjectError("its header reaches past the end")
    raw = _bounded(data, base + offset, size, header_crc)
    header, spent = _unpacked(raw, base, base + offset, unpack)
    folders = _folders(header, base, base + offset)
    problems = list(header.problems)
    if sum(folder.packed for folder in folders) + header.pack_position + spent != offset:
        problems.append("it holds bytes that belong to no member")
    members = tuple(_members(header, problems))
    return SevenZip(folders, members, tuple(problems), finish)


def _bounded(data: Data, at: int, size: int, crc: int) -> bytes:
    if size > MAX_HEADER:
        raise LimitError(f"its header has more than {MAX_HEADER:,} bytes")
    raw = bytes(data[at : at + size])
    if zlib.crc32(raw) != crc:
        raise SubjectError("its header does not have the CRC-32 that it states")
    return raw


def _unpacked(raw: bytes, base: int, limit: int, unpack: Unpack) -> tuple[Header, int]:
    """The header itself, taken out of the headers it is packed in, and how many bytes those are."""
    spent = 0
    for _ in range(MAX_ENCODED):
        reader = HeaderReader(raw)
        if not reader.is_encoded():
            return reader.header(), spent
        folders = _folders(reader.encoded(), base, limit)
        if len(folders) != 1:
            raise SubjectError("its packed header is not one stream")
        if folders[0].size > MAX_HEADER:
            raise LimitError(f"its header has more than {MAX_HEADER:,} bytes")
        raw = unpack(folders[0], MAX_HEADER)
        spent += folders[0].packed
        if folders[0].crc is not None and zlib.crc32(raw) != folders[0].crc:
            raise SubjectError("its packed header does not have the CRC-32 that it states")
    raise LimitError(f"its header is packed more than {MAX_ENCODED} times")


def _folders(header: Header, base: int, limit: int) -> tuple[SevenZipFolder, ...]:
    found, index = [], 0
    starts = [base + header.pack_position]
    for size in header.pack_sizes:
        starts.append(starts[-1] + size)
    if starts[-1] > limit:
        raise SubjectError("its packed data reach past their end")
    for folder in header.folders:
        streams = header.pack_sizes[index : index + len(folder.packed)]
        if len(streams) != len(folder.packed):
            raise SubjectError("a folder of it has no packed data")
        found.append(
            SevenZipFolder(
                coders=folder.chain() if len(streams) == 1 else (),
                methods=tuple(coder.method for coder in folder.coders),
                start=starts[index],
                packed=sum(streams),
                size=folder.size(),
                crc=folder.crc,
            )
        )
        index += len(streams)
    return tuple(found)


def _members(header: Header, problems: list[str]) -> Iterator[SevenZipMember]:
    parts = iter(header.parts)
    for entry in header.entries:
        part = None if entry.is_empty else next(parts, None)
        yield SevenZipMember(
            name=entry.name,
            size=part.size if part else 0,
            crc=part.crc if part else None,
            folder=part.folder if part else -1,
            offset=part.offset if part else 0,
            is_directory=entry.is_empty and not entry.is_empty_file,
            link=entry.is_link,
        )
    if next(parts, None) is not None:
        problems.append("it holds data that no member names")
