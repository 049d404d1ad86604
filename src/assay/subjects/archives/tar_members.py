"""The members of a tar, read by ourselves: old (v7), ustar, GNU and pax, and what follows the end mark.

Format: POSIX.1-2017 `pax`, GNU tar manual "Basic Tar Format". A header counts by its checksum, with or
without `ustar` in it. Where readers go on differently (a size given twice, bytes behind a link's header,
members after the end mark) that is a problem: desynchronised readers see other members (CVE-2025-62518).
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.errors import SubjectError
from assay.subjects.archives.tar_header import BLOCK, is_header, number

MAX_EXTENDED = 1 << 20  # bytes of one extended header: names are far shorter
MAX_SEARCH = 1 << 17  # blocks in which a further header is looked for
Data = mmap.mmap | bytes
_NOT_ZERO = re.compile(rb"[^\0]")
_KINDS = {b"0": "file", b"\0": "file", b"7": "file", b"1": "hard link", b"2": "symbolic link",
          b"3": "device", b"4": "device", b"5": "folder", b"6": "pipe", b"S": "sparse file", b"D": "listing",
          b"V": "label", b"M": "continued file"}  # fmt: skip
_WITHOUT_DATA = {"hard link", "symbolic link", "device", "folder", "pipe", "label"}
_OCTAL_SIZE = 8 << 30  # sizes from here on do not fit the header


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member.

    Attributes:
        name: as it would be written.
        kind: `file`, `folder`, `symbolic link`, `hard link`, `device`, `pipe`, `sparse file` …
        start, size: where its bytes lie in the data, absolute, and how many.
        target: where a link leads.
    """

    name: str
    kind: str
    start: int
    size: int
    target: str = ""


@dataclass(slots=True)
class _Overrides:
    """What extended headers say about the members after them."""

    shared: dict[str, str]
    own: dict[str, str]

    def get(self, key: str) -> str | None:
        return self.own.get(key, self.shared.get(key))


class TarReader:
    """Reads a tar once, from its start to the end of its bytes.

    Args:
        data: holds the tar from `start` to `end`.

    Attributes:
        problems: what readers take differently, one sentence each.
        trailing: where bytes that are no member start after the last one; -1 where there are none.
    """

    def __init__(self, data: Data, start: int, end: int) -> None:
        self._data, self._start, self._end = data, start, end
        self.problems: list[str] = []
        self.trailing = -1

    def __iter__(self) -> Iterator[TarMember]:
        """The members in order, those after an end mark included.

        Raises:
            SubjectError: a header cannot be read or a member reaches past the end.
        """
        at = self._start
        said = _Overrides({}, {})
        while at < self._end:
            block = self._block(at)
            if not is_header(block):
                at = self._resume(at)
                said = _Overrides({}, {})
                continue
            size = number(block[124:136])
            if size is None or size < 0:
                raise SubjectError(f"the header at byte {at - self._start:,} has no size")
            kind = block[156:157]
            if kind in b"xXgLK":
                at = self._extended(at, kind, size, said)
            else:
                member, at = self._member(at, block, size, said)
                said.own = {}
                yield member

    def _block(self, at: int) -> bytes:
        return bytes(self._data[at : min(at + BLOCK, self._end)])

    def _resume(self, at: int) -> int:
        """Where reading goes on after something that is no header; the end where nothing follows."""
        if at == self._start:
            raise SubjectError("it does not start with a header")
        meeting = _NOT_ZERO.search(self._data, at, self._end)
        if meeting is None:
            return self._end
        first = at + (meeting.start() - at) // BLOCK * BLOCK
        for block in range(first, min(self._end - BLOCK + 1, first + MAX_SEARCH * BLOCK), BLOCK):
            if is_header(self._block(block)):
                self.problems.append(
                    f"members follow at byte {block - self._start:,}, after the end mark or damaged bytes, "
                    "where many readers stop"
                )
                return block
        self.trailing = meeting.start()
        return self._end

    def _extended(self, at: int, kind: bytes, size: int, said: _Overrides) -> int:
        """Take in a pax or GNU header; where the next header is."""
        if size > MAX_EXTENDED or at + BLOCK + size > self._end:
            raise SubjectError(f"the extended header at byte {at - self._start:,} is too long")
        body = bytes(self._data[at + BLOCK : at + BLOCK + size])
        if kind in b"LK":
            said.own["path" if kind == b"L" else "linkpath"] = body.split(b"\0")[0].decode("utf-8", "replace")
        else:
            records = self._records(body)
            (said.shared if kind == b"g" else said.own).update(records)
        return at + BLOCK + _rounded(size)

    def _records(self, body: bytes) -> dict[str, str]:
        """Pax records: length, space, key=value, newline."""
        records: dict[str, str] = {}
        at = 0
        while at < len(body) and body[at]:
            digits, _, _ = body[at : at + 20].partition(b" ")
            length = int(digits) if digits.isdigit() else 0
            key, equals, value = body[at + len(digits) + 1 : at + length].partition(b"=")
            if not equals or at + length > len(body) or value[-1:] != b"\n":
                self.problems.append("an extended header is damaged")
                break
            name = key.decode("utf-8", "replace")
            if name in records and name in {"path", "size", "linkpath"}:
                self.problems.append(f"an extended header gives {name} twice")
            records[name] = value[:-1].decode("utf-8", "replace")
            at += length
        return records

    def _member(self, at: int, block: bytes, size: int, said: _Overrides) -> tuple[TarMember, int]:
        name = self._name(block, said)
        kind = _KINDS.get(block[156:157], "file")
        if kind == "file" and name.endswith("/") and block[156:157] == b"\0":
            kind = "folder"
        if kind == "file" and any(key.startswith("GNU.sparse.") for key in said.own):
            kind = "sparse file"
        stated = said.get("size")
        if stated is not None:
            size = self._stated_size(name, stated, size)
        start = at + BLOCK
        if kind in _WITHOUT_DATA and size:
            self.problems.append(f"{kind} {name[:100]!r} claims to have data, which some readers step over")
            size = 0
        if block[156:157] == b"S":
            start = self._sparse_maps(start, block[482:483])
        if start + size > self._end:
            raise SubjectError(f"member {name[:100]!r} reaches past the end")
        target = said.get("linkpath") or _text(block[157:257])
        member = TarMember(name, kind, start, size, target if kind.endswith("link") else "")
        return member, start + _rounded(size)

    def _name(self, block: bytes, said: _Overrides) -> str:
        stated = said.get("GNU.sparse.name") or said.get("path")
        if stated is not None:
            if "\0" in stated:
                self.problems.append(f"the name {stated[:100]!r} ends at its NUL for some readers")
            return stated
        name, prefix = _text(block[:100]), _text(block[345:500])
        return f"{prefix}/{name}" if prefix and block[257:263] == b"ustar\0" else name

    def _stated_size(self, name: str, stated: str, size: int) -> int:
        if not stated.isdecimal() or len(stated) > 20:  # noqa: PLR2004  2^64 has 20 digits
            raise SubjectError(f"member {name[:100]!r} has no size")
        full = int(stated)
        if full != size and full < _OCTAL_SIZE:
            self.problems.append(
                f"member {name[:100]!r} has {size:,} bytes by its header and {full:,} by pax"
            )
        return full

    def _sparse_maps(self, at: int, more: bytes) -> int:
        """Step over the blocks that go on with the map of an old GNU sparse file."""
        while more not in {b"", b"\0"}:
            more = bytes(self._data[at + 504 : min(at + 505, self._end)])
            at += BLOCK
        return at


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def _rounded(size: int) -> int:
    return (size + BLOCK - 1) // BLOCK * BLOCK
