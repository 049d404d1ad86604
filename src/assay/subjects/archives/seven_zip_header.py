"""The property lists that a 7z header is made of (7zFormat.txt, "Property IDs")."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from assay.core.errors import LimitError, SubjectError

MAX_MEMBERS = 100_000
MAX_CODERS = 8
MAX_STREAMS = 16
(END, HEADER, ARCHIVE, ADDITIONAL, MAIN, FILES, PACK, CODERS, SUBSTREAMS, SIZE, CRC, FOLDER, CODER_SIZES,
 NUMBERS, EMPTY_STREAM, EMPTY_FILE, ANTI, NAMES, _CREATED, _READ, _WRITTEN, ATTRIBUTES, _COMMENT, ENCODED,
 _START, DUMMY) = range(26)  # fmt: skip
_UNIX_MARK, _LINK, _KIND = 0x8000, 0o120000, 0o170000


@dataclass(frozen=True, slots=True)
class Coder:
    """One step of unpacking: method id, parameters, streams in and out."""

    method: bytes
    properties: bytes
    inputs: int = 1
    outputs: int = 1


@dataclass(slots=True)
class Folder:
    """Coders, what is bound to what, which inputs are packed streams, and the size of every output."""

    coders: tuple[Coder, ...]
    binds: tuple[tuple[int, int], ...]
    packed: tuple[int, ...]
    sizes: tuple[int, ...] = ()
    crc: int | None = None

    def size(self) -> int:
        """Bytes that come out of it: of the one output that no coder takes."""
        bound = {output for _, output in self.binds}
        free = [index for index in range(len(self.sizes)) if index not in bound]
        if len(free) != 1:
            raise SubjectError("a folder of it has no one result")
        return self.sizes[free[0]]

    def chain(self) -> tuple[tuple[Coder, int], ...]:
        """The coders in the order that unpacks, with what each gives; empty where they form no line."""
        if any(coder.inputs != 1 or coder.outputs != 1 for coder in self.coders):
            return ()
        after = {output: taker for taker, output in self.binds}
        ordered: list[tuple[Coder, int]] = []
        at = self.packed[0]
        while len(ordered) < len(self.coders) and at < len(self.coders):
            ordered.append((self.coders[at], self.sizes[at]))
            if at not in after:
                break
            at = after[at]
        return tuple(ordered) if len(ordered) == len(self.coders) else ()


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of one member in what a folder unpacks to."""

    folder: int
    offset: int
    size: int
    crc: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the list of files says of one of them."""

    name: str
    is_empty: bool
    is_empty_file: bool
    is_link: bool


@dataclass(slots=True)
class Header:
    """All that a header states, in order."""

    pack_position: int = 0
    pack_sizes: tuple[int, ...] = ()
    folders: list[Folder] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class HeaderReader:
    """Reads one header.

    Args:
        raw: its bytes, all of them.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def is_encoded(self) -> bool:
        """Whether it only says where the header is packed."""
        return self._raw[:1] == bytes([ENCODED])

    def encoded(self) -> Header:
        """The streams of an encoded header."""
        self._at = 1
        return self._streams(Header())

    def header(self) -> Header:
        """The whole header.

        Raises:
            SubjectError: it is damaged or holds what is not known.
            LimitError: it has more members than are followed.
        """
        if self._byte() != HEADER:
            raise SubjectError("its header starts with something else")
        header = Header()
        while (kind := self._byte()) != END:
            if kind == ARCHIVE:
                self._skip_properties()
            elif kind == MAIN:
                self._streams(header)
            elif kind == FILES:
                self._files(header)
            else:
                raise SubjectError(f"its header holds property {kind}, which is not known")
        if self._at != len(self._raw):
            header.problems.append("bytes follow the end of its header")
        return header

    def _take(self, count: int) -> bytes:
        if count > len(self._raw) - self._at:
            raise SubjectError("its header is cut short")
        self._at += count
        return self._raw[self._at - count : self._at]

    def _byte(self) -> int:
        return self._take(1)[0]

    def _number(self) -> int:
        """A 64-bit number in one to nine bytes: the leading ones of the first byte count the others."""
        first = self._byte()
        mask, value = 0x80, 0
        for index in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << 8 * index
            value |= self._byte() << 8 * index
            mask >>= 1
        return value

    def _count(self, most: int, what: str) -> int:
        count = self._number()
        if count > most:
            raise LimitError(f"it has {count:,} {what}")
        return count

    def _bits(self, count: int) -> list[bool]:
        raw = self._take((count + 7) // 8)
        return [bool(raw[index // 8] & 0x80 >> index % 8) for index in range(count)]

    def _optional_bits(self, count: int) -> list[bool]:
        return [True] * count if self._byte() else self._bits(count)

    def _digests(self, count: int) -> list[int | None]:
        there = self._optional_bits(count)
        return [struct.unpack("<L", self._take(4))[0] if one else None for one in there]

    def _expect(self, kind: int) -> None:
        if self._byte() != kind:
            raise SubjectError("its header is damaged")

    def _skip_properties(self) -> None:
        while self._byte() != END:
            self._take(self._number())

    def _streams(self, header: Header) -> Header:
        counts: list[int] = []
        seen = False
        while (kind := self._byte()) != END:
            if kind == PACK:
                self._pack(header)
            elif kind == CODERS:
                self._coders(header)
                counts = [1] * len(header.folders)
            elif kind == SUBSTREAMS:
                self._substreams(header)
                seen = True
            else:
                raise SubjectError(f"its header holds property {kind}, which is not known")
        if not seen:
            header.parts = [
                Part(i, 0, header.folders[i].size(), header.folders[i].crc) for i in range(len(counts))
            ]
        return header

    def _pack(self, header: Header) -> None:
        header.pack_position = self._number()
        count = self._count(MAX_MEMBERS, "packed streams")
        while (kind := self._byte()) != END:
            if kind == SIZE:
                header.pack_sizes = tuple(self._number() for _ in range(count))
            elif kind == CRC:
                self._digests(count)
            else:
                raise SubjectError(f"its header holds property {kind}, which is not known")

    def _coders(self, header: Header) -> None:
        self._expect(FOLDER)
        count = self._count(MAX_MEMBERS, "folders")
        if self._byte():
            raise SubjectError("its folders stand elsewhere, which is not followed")
        header.folders = [self._folder() for _ in range(count)]
        self._expect(CODER_SIZES)
        for folder in header.folders:
            outputs = sum(coder.outputs for coder in folder.coders)
            folder.sizes = tuple(self._number() for _ in range(outputs))
        while (kind := self._byte()) != END:
            if kind != CRC:
                raise SubjectError(f"its header holds property {kind}, which is not known")
            for folder, crc in zip(header.folders, self._digests(count), strict=True):
                folder.crc = crc

    def _folder(self) -> Folder:
        coders = tuple(self._coder() for _ in range(self._count(MAX_CODERS, "coders")))
        inputs = sum(coder.inputs for coder in coders)
        outputs = sum(coder.outputs for coder in coders)
        if not coders or not outputs or inputs < outputs - 1:
            raise SubjectError("a folder of it has no coders")
        binds = tuple((self._number(), self._number()) for _ in range(outputs - 1))
        free = inputs - len(binds)
        bound = {taker for taker, _ in binds}
        if free == 1:
            packed = tuple(index for index in range(inputs) if index not in bound)[:1]
        else:
            packed = tuple(self._number() for _ in range(free))
        if not packed:
            raise SubjectError("a folder of it has no packed data")
        return Folder(coders, binds, packed)

    def _coder(self) -> Coder:
        flags = self._byte()
        if flags & 0xC0:
            raise SubjectError("a coder of it has alternatives, which are not followed")
        method = self._take(flags & 0x0F)
        inputs = outputs = 1
        if flags & 0x10:
            inputs, outputs = self._count(MAX_STREAMS, "streams"), self._count(MAX_STREAMS, "streams")
        properties = self._take(self._number()) if flags & 0x20 else b""
        return Coder(method, properties, inputs, outputs)

    def _substreams(self, header: Header) -> None:
        counts = [1] * len(header.folders)
        kind = self._byte()
        if kind == NUMBERS:
            counts = [self._count(MAX_MEMBERS, "members") for _ in header.folders]
            kind = self._byte()
        if sum(counts) > MAX_MEMBERS:
            raise LimitError(f"it has {sum(counts):,} members")
        sizes = self._sizes(header, counts, stated=kind == SIZE)
        if kind == SIZE:
            kind = self._byte()
        known = [
            folder.crc if count == 1 else None for folder, count in zip(header.folders, counts, strict=True)
        ]
        missing = sum(count for count, crc in zip(counts, known, strict=True) if count != 1 or crc is None)
        digests: list[int | None] = [None] * missing
        while kind != END:
            if kind != CRC:
                raise SubjectError(f"its header holds property {kind}, which is not known")
            digests = self._digests(missing)
            kind = self._byte()
        header.parts = _parts(sizes, known, digests)

    def _sizes(self, header: Header, counts: list[int], *, stated: bool) -> list[list[int]]:
        """Sizes of the members in each folder: all but the last one are stated."""
        found = []
        for folder, count in zip(header.folders, counts, strict=True):
            if count > 1 and not stated:
                raise SubjectError("the sizes of its members are not stated")
            sizes = [self._number() for _ in range(count - 1)]
            last = folder.size() - sum(sizes)
            if last < 0:
                raise SubjectError("its members are larger than the folder they lie in")
            if count == 0 and folder.size():
                header.problems.append("it holds data that no member names")
            found.append([*sizes, last] if count else [])
        return found

    def _files(self, header: Header) -> None:
        count = self._count(MAX_MEMBERS, "members")
        names = [""] * count
        empty, empty_files = [False] * count, [False] * count
        attributes: list[int] = [0] * count
        while (kind := self._number()) != END:
            inner = HeaderReader(self._take(self._number()))
            if kind == EMPTY_STREAM:
                empty = inner._bits(count)
            elif kind == EMPTY_FILE:
                bits = iter(inner._bits(sum(empty)))
                empty_files = [one and next(bits) for one in empty]
            elif kind == NAMES:
                names = inner._names(count)
            elif kind == ATTRIBUTES:
                attributes = inner._attributes(count)
            elif kind > DUMMY:
                raise SubjectError(f"its header holds property {kind}, which is not known")
        if sum(not one for one in empty) > len(header.parts):
            raise SubjectError("it names more members than it holds")
        header.entries = [
            Entry(name, one, file, bool(mode & _UNIX_MARK) and (mode >> 16) & _KIND == _LINK)
            for name, one, file, mode in zip(names, empty, empty_files, attributes, strict=True)
        ]

    def _names(self, count: int) -> list[str]:
        if self._byte():
            raise SubjectError("its names stand elsewhere, which is not followed")
        raw = self._take(len(self._raw) - self._at)
        names = raw.decode("utf-16-le", "replace").split("\0")
        if len(names) != count + 1 or names[-1]:
            raise SubjectError("it does not have a name for every member")
        return names[:-1]

    def _attributes(self, count: int) -> list[int]:
        there = self._optional_bits(count)
        if self._byte():
            raise SubjectError("its attributes stand elsewhere, which is not followed")
        return [struct.unpack("<L", self._take(4))[0] if one else 0 for one in there]


def _parts(sizes: list[list[int]], known: list[int | None], digests: list[int | None]) -> list[Part]:
    parts, left = [], iter(digests)
    for index, members in enumerate(sizes):
        offset = 0
        for size in members:
            crc = known[index] if known[index] is not None else next(left, None)
            parts.append(Part(index, offset, size, crc))
            offset += size
    return parts
