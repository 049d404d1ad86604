"""Files that R's `saveRDS` and `save` write, read for their structure: no value is built, nothing evaluated.

Format: R Internals, section 1.8 "Serialization Formats", and src/main/serialize.c; versions 2 and 3, as XDR,
native binary or text. A promise whose value is not there runs when it is touched (CVE-2024-27322).
"""

from __future__ import annotations

import mmap
from collections import Counter
from dataclasses import dataclass, field

from assay.core.errors import LimitError, SubjectError
from assay.subjects.rdata_input import MAGIC, AsciiInput, BinaryInput, Input

Data = mmap.mmap | bytes
MAX_ITEMS = 30_000_000
MAX_REMEMBERED = 10_000  # names
(_SYMBOL, _LIST, _CLOSURE, _ENVIRONMENT, _PROMISE, _LANGUAGE, _SPECIAL, _BUILTIN, _CHARS, _LOGICAL) = range(
    1, 11
)
_INTEGER, _REAL, _COMPLEX, _STRINGS, _DOTS = 13, 14, 15, 16, 17
_VECTOR, _EXPRESSION, _BYTECODE, _POINTER, _WEAK, _RAW, _S4 = range(19, 26)
_ALTREP, _REFERENCE = 238, 255
_PERSISTENT, _PACKAGE, _NAMESPACE = 247, 248, 249
_UNBOUND = 252
_PLAIN = {241, 242, 250, 251, 252, 253, 254}  # the base, empty and global environments, NULL and the like
_PAIRS = {_LIST: "list", _CLOSURE: "closure", _PROMISE: "promise", _LANGUAGE: "language", _DOTS: "dots"}
_WIDTHS = {_LOGICAL: 4, _INTEGER: 4, _REAL: 8, _COMPLEX: 16}
_HAS_ATTRIBUTES, _HAS_TAG, _ACTIVE = 0x200, 0x400, 1 << 15


@dataclass(slots=True)
class RContent:
    """What a file holds.

    Attributes:
        kinds: how many of each kind that is more than data: `promise`, `forced promise`, `closure`,
            `language`, `environment`, `bytecode`, `active binding`, `external pointer`, `builtin` …
        called: names that language in it calls; `mentioned` are those that it names otherwise.
        packages: packages that are loaded to read it.
        classes: ALTREP classes, as package and name.
        unread: where reading ended before the end of the value, and why; "" where all was read.
        end: where the value ends in the data.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    called: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    unread: str = ""
    end: int = 0


@dataclass(slots=True)
class _Open:
    """A value whose parts are being read: how many are left, and which of them, counted down, is its head."""

    left: int
    kind: str = ""
    head: int = -1


def read_rdata(data: Data, start: int, end: int) -> RContent:
    """Read the file in `data[start:end]`.

    Raises:
        SubjectError: it is damaged, or cut short.
        LimitError: it holds more than 30 million values.
    """
    at = start + 5 if data[start : start + 5] in MAGIC else start
    kind = bytes(data[at : at + 2])
    if kind == b"A\n":
        reader: Input = AsciiInput(data, at + 2, end)
    else:
        reader = BinaryInput(data, at + 2, end, "big" if kind == b"X\n" else "little")
    version = reader.integer()
    reader.integer()
    reader.integer()
    if version == 3:  # noqa: PLR2004  the version that names the encoding
        reader.text(reader.integer())
    elif version != 2:  # noqa: PLR2004
        raise SubjectError(f"version {version} of the format is not known")
    return _Walk(reader).run()


class _Walk:
    """Walks one value without recursion: a hostile one is deep."""

    def __init__(self, reader: Input) -> None:
        self._in = reader
        self._found = RContent()
        self._references: list[str] = []
        self._open: list[_Open] = [_Open(1)]
        self._items = 0

    def run(self) -> RContent:
        while self._open:
            self._items += 1
            if self._items > MAX_ITEMS:
                raise LimitError(f"it holds more than {MAX_ITEMS:,} values")
            top = self._open[-1]
            is_head = top.left == top.head
            top.left -= 1
            if top.left == 0:  # at once, so that a long list keeps no more than one entry open
                self._open.pop()
            self._item(top.kind if is_head else "")
            if self._found.unread:
                break
        self._found.end = self._in.at
        return self._found

    def _item(self, heads: str) -> None:
        """Read one value's own bytes, and open what lies in it. `heads`: what it is the head of."""
        flags = self._in.integer()
        kind = flags & 0xFF
        name = ""
        if kind == _SYMBOL:
            name = self._symbol()
        elif kind == _REFERENCE:
            name = self._reference(flags >> 8)
        elif kind in _PAIRS:
            self._pair(kind, flags)
        elif kind not in _PLAIN:
            self._other(kind, flags)
        if name and heads in {"language", "list"}:
            names = self._found.called if heads == "language" else self._found.mentioned
            if len(names) < MAX_REMEMBERED:
                names.add(name)
        if heads == "promise":
            self._found.kinds["promise" if kind == _UNBOUND else "forced promise"] += 1

    def _pair(self, kind: int, flags: int) -> None:
        what = _PAIRS[kind]
        before = bool(flags & _HAS_ATTRIBUTES) + bool(flags & _HAS_TAG)
        if what in {"closure", "language", "dots"}:
            self._found.kinds[what] += 1
        if flags >> 12 & _ACTIVE and what == "list":
            self._found.kinds["active binding"] += 1
        self._open.append(_Open(before + 2, what, 2))  # attributes, tag, head, tail

    def _other(self, kind: int, flags: int) -> None:
        attributes = int(bool(flags & _HAS_ATTRIBUTES))
        if kind in _WIDTHS:
            self._in.skip_numbers(self._in.length(), _WIDTHS[kind])
            self._push(attributes)
        elif kind == _RAW:
            self._in.skip_bytes(self._in.length())
            self._push(attributes)
        elif kind == _CHARS:
            self._in.text(self._in.integer())
            self._push(attributes)
        elif kind in {_STRINGS, _VECTOR, _EXPRESSION}:
            if kind == _EXPRESSION:
                self._found.kinds["language"] += 1
            self._push(self._in.length() + attributes)
        elif kind == _ENVIRONMENT:
            self._found.kinds["environment"] += 1
            self._references.append("")
            self._in.integer()
            self._push(4)
        elif kind in {_POINTER, _WEAK}:
            self._found.kinds["external pointer" if kind == _POINTER else "weak reference"] += 1
            self._references.append("")
            self._push((2 if kind == _POINTER else 0) + attributes)
        elif kind == _S4:
            self._push(attributes)
        else:
            self._rare(kind)

    def _rare(self, kind: int) -> None:
        if kind in {_SPECIAL, _BUILTIN}:
            self._found.kinds["builtin"] += 1
            self._found.called.add(self._in.text(self._in.integer()))
        elif kind in {_PERSISTENT, _PACKAGE, _NAMESPACE}:
            self._names(kind)
        elif kind == _ALTREP:
            self._altrep()
        elif kind == _BYTECODE:
            self._found.kinds["bytecode"] += 1
            self._found.unread = "it holds compiled code"
        else:
            raise SubjectError(f"a value of type {kind} at byte {self._in.at:,} is not known")

    def _altrep(self) -> None:
        """Class (a list of two symbols and a type), state and attributes."""
        names = []
        for part in range(3):
            flags = self._in.integer()
            if flags & 0xFF != _LIST or flags & (_HAS_ATTRIBUTES | _HAS_TAG):
                raise SubjectError("an ALTREP value has no class")
            inner = self._in.integer()
            if inner & 0xFF == _SYMBOL:
                names.append(self._symbol())
            elif inner & 0xFF == _REFERENCE:
                names.append(self._reference(inner >> 8))
            elif part == 2 and inner & 0xFF == _INTEGER:  # noqa: PLR2004  the last is a type
                self._in.skip_numbers(self._in.length(), 4)
        if self._in.integer() & 0xFF not in _PLAIN or len(names) != 2:  # noqa: PLR2004
            raise SubjectError("an ALTREP value has no class")
        self._found.classes.add(f"{names[1]}::{names[0]}")
        self._push(2)

    def _names(self, kind: int) -> None:
        """A vector of texts that names a package, or something for a hook of the reader's to look up."""
        self._in.integer()
        texts = []
        for _ in range(self._bounded(self._in.integer())):
            self._in.integer()
            texts.append(self._in.text(self._in.integer()))
        self._references.append("")
        if kind == _PERSISTENT:
            self._found.kinds["persistent name"] += 1
        elif len(self._found.packages) < MAX_REMEMBERED:
            self._found.packages.add(texts[0] if texts else "")

    def _symbol(self) -> str:
        if self._in.integer() & 0xFF != _CHARS:
            raise SubjectError("a symbol has no name")
        name = self._in.text(self._in.integer())
        self._references.append(name[:200])
        return name

    def _reference(self, index: int) -> str:
        number = index or self._in.integer()
        if not 0 < number <= len(self._references):
            raise SubjectError("a reference leads nowhere")
        return self._references[number - 1]

    def _bounded(self, count: int) -> int:
        if not 0 <= count <= MAX_REMEMBERED:
            raise LimitError("a list of names is too long")
        return count

    def _push(self, count: int) -> None:
        if count:
            self._open.append(_Open(count))
