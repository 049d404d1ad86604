"""The pickle opcodes, protocols 0 to 5, and how each one's argument is laid out.

Source: Lib/pickle.py and Modules/_pickle.c of CPython 3.11 to 3.14 (PEP 3154, PEP 574).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

Find = Callable[[bytes, int, int], int]


class BrokenStreamError(Exception):
    """An argument reaches past the end of the data, or cannot be decoded."""


# name, argument layout: "" none, u1 u2 i4 u4 u8 f8 fixed, line, lines, s1 s4 s8 counted by so many bytes
OPCODES: dict[int, tuple[str, str]] = {
    ord("("): ("MARK", ""), ord("."): ("STOP", ""), ord("0"): ("POP", ""), ord("1"): ("POP_MARK", ""),
    ord("2"): ("DUP", ""), ord("F"): ("FLOAT", "line"), ord("I"): ("INT", "line"), ord("J"): ("BININT", "i4"),
    ord("K"): ("BININT1", "u1"), ord("L"): ("LONG", "line"), ord("M"): ("BININT2", "u2"),
    ord("N"): ("NONE", ""), ord("P"): ("PERSID", "line"), ord("Q"): ("BINPERSID", ""),
    ord("R"): ("REDUCE", ""), ord("S"): ("STRING", "line"), ord("T"): ("BINSTRING", "s4"),
    ord("U"): ("SHORT_BINSTRING", "s1"), ord("V"): ("UNICODE", "line"), ord("X"): ("BINUNICODE", "s4"),
    ord("a"): ("APPEND", ""), ord("b"): ("BUILD", ""), ord("c"): ("GLOBAL", "lines"), ord("d"): ("DICT", ""),
    ord("}"): ("EMPTY_DICT", ""), ord("e"): ("APPENDS", ""), ord("g"): ("GET", "line"),
    ord("h"): ("BINGET", "u1"), ord("i"): ("INST", "lines"), ord("j"): ("LONG_BINGET", "u4"),
    ord("l"): ("LIST", ""), ord("]"): ("EMPTY_LIST", ""), ord("o"): ("OBJ", ""), ord("p"): ("PUT", "line"),
    ord("q"): ("BINPUT", "u1"), ord("r"): ("LONG_BINPUT", "u4"), ord("s"): ("SETITEM", ""),
    ord("t"): ("TUPLE", ""), ord(")"): ("EMPTY_TUPLE", ""), ord("u"): ("SETITEMS", ""),
    ord("G"): ("BINFLOAT", "f8"), 0x80: ("PROTO", "u1"), 0x81: ("NEWOBJ", ""), 0x82: ("EXT1", "u1"),
    0x83: ("EXT2", "u2"), 0x84: ("EXT4", "i4"), 0x85: ("TUPLE1", ""), 0x86: ("TUPLE2", ""),
    0x87: ("TUPLE3", ""), 0x88: ("NEWTRUE", ""), 0x89: ("NEWFALSE", ""), 0x8A: ("LONG1", "s1"),
    0x8B: ("LONG4", "s4"), ord("B"): ("BINBYTES", "s4"), ord("C"): ("SHORT_BINBYTES", "s1"),
    0x8C: ("SHORT_BINUNICODE", "s1"), 0x8D: ("BINUNICODE8", "s8"), 0x8E: ("BINBYTES8", "s8"),
    0x8F: ("EMPTY_SET", ""), 0x90: ("ADDITEMS", ""), 0x91: ("FROZENSET", ""), 0x92: ("NEWOBJ_EX", ""),
    0x93: ("STACK_GLOBAL", ""), 0x94: ("MEMOIZE", ""), 0x95: ("FRAME", "u8"), 0x96: ("BYTEARRAY8", "s8"),
    0x97: ("NEXT_BUFFER", ""), 0x98: ("READONLY_BUFFER", ""),
}  # fmt: skip

_FIXED = {
    "u1": struct.Struct("<B"), "u2": struct.Struct("<H"), "i4": struct.Struct("<i"),
    "u4": struct.Struct("<I"), "u8": struct.Struct("<Q"), "f8": struct.Struct(">d"),
}  # fmt: skip
MAX_LINE = 1 << 20


def argument(view: memoryview, find: Find, layout: str, at: int, end: int) -> tuple[object, int]:
    """The argument that starts at `at`, and where the next opcode starts.

    Lines and counted arguments come as views: nothing large is copied.

    Raises:
        BrokenStreamError: it does not fit into what is left.
    """
    if not layout:
        return None, at
    fixed = _FIXED.get(layout)
    if fixed is not None:
        if at + fixed.size > end:
            raise BrokenStreamError("the data ends inside an argument")
        return fixed.unpack_from(view, at)[0], at + fixed.size
    if layout == "line":
        return _line(view, find, at, end)
    if layout == "lines":
        first, at = _line(view, find, at, end)
        second, at = _line(view, find, at, end)
        return (bytes(first), bytes(second)), at
    return _counted(view, int(layout[1]), at, end)


def _line(view: memoryview, find: Find, at: int, end: int) -> tuple[memoryview, int]:
    newline = find(b"\n", at, end)
    if newline < 0 or newline - at > MAX_LINE:
        raise BrokenStreamError("a line argument without an end")
    return view[at:newline], newline + 1


def _counted(view: memoryview, width: int, at: int, end: int) -> tuple[memoryview, int]:
    if at + width > end:
        raise BrokenStreamError("the data ends inside a length")
    size = int.from_bytes(view[at : at + width], "little")
    at += width
    if size > end - at:
        raise BrokenStreamError(f"a length of {size:,} bytes reaches past the end")
    return view[at : at + size], at + size
