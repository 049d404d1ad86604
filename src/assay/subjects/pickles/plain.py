"""Pickles that hold nothing but plain data, told in our own process and without a child.

A stream of the opcodes below can neither import, call nor ask for anything, whichever machine reads it:
they push numbers, texts and constants, and put them into lists, dicts and tuples. Whatever is not exactly one
whole such stream, of which all machines see every argument and frame alike, is for a child to read. Nothing
is built here but a list of what kinds of values stand on the stack (docs/adr/014-plain-data.md).

Source: Lib/pickle.py and Modules/_pickle.c of CPython 3.11 to 3.14 (PEP 307, PEP 3154).
"""

from __future__ import annotations

from collections.abc import Callable

NAME = "plain"
MOST = 1 << 15  # bytes: the C machine in its child reads larger ones faster
_PROTO, _STOP, _FRAME = 0x80, 0x2E, 0x95
_FRAMED = 4  # the first protocol with frames
_PROTOCOLS = range(2, 6)  # older ones have arguments by lines, which are for the machine
# The key by which hydra.utils.instantiate makes what a setting names: a walk has to tell what.
_TARGET = b"_target_"
_PLAIN, _LIST, _DICT, _TUPLE = range(4)
# Opcodes that push a number or a constant, with their length: NONE, NEWTRUE, NEWFALSE, BININT1, BININT2,
# BININT, BINFLOAT.
_NUMBERS = {0x4E: 1, 0x88: 1, 0x89: 1, 0x4B: 2, 0x4D: 3, 0x4A: 5, 0x47: 9}


class _OtherError(Exception):
    """It is not plain, or not whole."""


class _Values:
    """A machine's stack as the kinds of its values, with the positions of its marks, and its memo."""

    __slots__ = ("marks", "memo", "stack")

    def __init__(self) -> None:
        self.stack: list[int] = []
        self.marks: list[int] = []
        self.memo: list[int] = []

    def need(self, count: int) -> None:
        """As many values must stand above the last mark."""
        if len(self.stack) - count < (self.marks[-1] if self.marks else 0):
            raise _OtherError

    def take(self, at: int, kind: int) -> list[int]:
        """Take the values from `at`; the one below must be of `kind`."""
        self.need(len(self.stack) - at + 1)
        taken = self.stack[at:]
        if self.stack[at - 1] != kind:
            raise _OtherError
        del self.stack[at:]
        return taken

    def mark(self) -> int:
        """Take the last mark."""
        if not self.marks:
            raise _OtherError
        return self.marks.pop()


def is_plain(data: bytes) -> bool:
    """Whether `data` is one pickle of protocol 2 to 5, to its last byte, that holds plain data alone.

    False says nothing: it may still be a pickle that is harmless.
    """
    if not 4 <= len(data) <= MOST or data[0] != _PROTO or data[1] not in _PROTOCOLS or _TARGET in data:  # noqa: PLR2004
        return False
    try:
        return _walk(data, _body(data))
    except (_OtherError, IndexError, UnicodeDecodeError):
        return False


def _body(data: bytes) -> int:
    """Where the first opcode of a value stands: a frame, where there is one, holds all of the rest."""
    if data[1] < _FRAMED or data[2] != _FRAME:
        return 2
    if int.from_bytes(data[3:11], "little") != len(data) - 11:
        raise _OtherError
    return 11


def _walk(data: bytes, at: int) -> bool:
    values, last = _Values(), len(data) - 1
    push = values.stack.append
    while at < last:
        code = data[at]
        size = _NUMBERS.get(code)
        if size:
            push(_PLAIN)
            at += size
        elif step := _STEPS.get(code):
            at = step(values, data, at + 1)
        else:
            return False
    return at == last and data[at] == _STOP and len(values.stack) == 1 and not values.marks


def _text(width: int) -> Callable[[_Values, bytes, int], int]:
    def step(values: _Values, data: bytes, at: int) -> int:
        start = at + width
        end = start + int.from_bytes(data[at:start], "little")
        data[start:end].decode("utf-8", "surrogatepass")  # as the machine does, which may fail
        values.stack.append(_PLAIN)
        return end

    return step


def _long(values: _Values, data: bytes, at: int) -> int:
    values.stack.append(_PLAIN)
    return at + 1 + data[at]


def _pushed(kind: int) -> Callable[[_Values, bytes, int], int]:
    def step(values: _Values, _: bytes, at: int) -> int:
        values.stack.append(kind)
        return at

    return step


def _mark(values: _Values, _: bytes, at: int) -> int:
    values.marks.append(len(values.stack))
    return at


def _memoize(width: int) -> Callable[[_Values, bytes, int], int]:
    """MEMOIZE, or a PUT that does the same: writers number as they go."""

    def step(values: _Values, data: bytes, at: int) -> int:
        values.need(1)
        if width and int.from_bytes(data[at : at + width], "little") != len(values.memo):
            raise _OtherError
        values.memo.append(values.stack[-1])
        return at + width

    return step


def _get(width: int) -> Callable[[_Values, bytes, int], int]:
    def step(values: _Values, data: bytes, at: int) -> int:
        values.stack.append(values.memo[int.from_bytes(data[at : at + width], "little")])
        return at + width

    return step


def _append(values: _Values, _: bytes, at: int) -> int:
    values.take(len(values.stack) - 1, _LIST)
    return at


def _appends(values: _Values, _: bytes, at: int) -> int:
    values.take(values.mark(), _LIST)
    return at


def _set_item(values: _Values, _: bytes, at: int) -> int:
    _keyed(values.take(len(values.stack) - 2, _DICT))
    return at


def _set_items(values: _Values, _: bytes, at: int) -> int:
    _keyed(values.take(values.mark(), _DICT))
    return at


def _keyed(items: list[int]) -> None:
    """Keys and values by turns. A tuple as a key may be a bomb, whose hash is never done."""
    if len(items) % 2 or any(items[::2]):
        raise _OtherError


def _tuple(size: int) -> Callable[[_Values, bytes, int], int]:
    def step(values: _Values, _: bytes, at: int) -> int:
        values.need(size)
        values.stack[-size:] = [_TUPLE]
        return at

    return step


def _marked_tuple(values: _Values, _: bytes, at: int) -> int:
    values.stack[values.mark() :] = [_TUPLE]
    return at


_STEPS: dict[int, Callable[[_Values, bytes, int], int]] = {
    0x8C: _text(1), 0x58: _text(4), 0x8D: _text(8), 0x8A: _long, 0x7D: _pushed(_DICT), 0x5D: _pushed(_LIST),
    0x29: _pushed(_TUPLE), 0x28: _mark, 0x94: _memoize(0), 0x71: _memoize(1), 0x72: _memoize(4),
    0x68: _get(1), 0x6A: _get(4), 0x61: _append, 0x65: _appends, 0x73: _set_item, 0x75: _set_items,
    0x85: _tuple(1), 0x86: _tuple(2), 0x87: _tuple(3), 0x74: _marked_tuple,
}  # fmt: skip
