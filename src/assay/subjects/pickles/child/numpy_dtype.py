"""The states of numpy's dtypes, which say how bytes are laid out and whether they are pointers.

Source: numpy/_core/src/multiarray/descriptor.c `arraydescr_reduce` and `arraydescr_setstate`. The latter
believes the flags of any state, and sizes of `S`, `U` and `V`: a dtype of objects without its flags makes
numpy take raw bytes for pointers, one of another size makes readers step over other bytes than numpy reads.
"""

from __future__ import annotations

import re

from .readings import Reading

_NUMBER = re.compile(r"\?\Z|[biufcmM](1|2|4|8|12|16|32)\Z")
_SCALARS = {"numpy.record", "numpy.void"}  # classes that numpy writes in place of a code
_TEXT = re.compile(r"([SaU])(\d{1,9})\Z")
_VOID = re.compile(r"V(\d{1,9})\Z")
_OBJECT = re.compile(r"O\d?\Z")
_LENGTHS = (8, 9)
STRINGS = "numpy._core._internal._convert_to_stringdtype_kwargs"
HAS_OBJECT, LIST_PICKLE, OBJECT_FLAGS = 1, 2, 63
_OF_OBJECTS = HAS_OBJECT | LIST_PICKLE
_POINTERS = _OF_OBJECTS | 4 | 32 | 64  # what no record of plain numbers has
MAX_DEPTH = 16


class Layout:
    """What a dtype comes to: bytes of one element, and whether it holds objects."""

    __slots__ = ("objects", "size")

    def __init__(self, size: int, objects: bool = False) -> None:  # noqa: FBT001, FBT002  a plain record
        self.size = size
        self.objects = objects


def misuse(target: object, state: object, reading: Reading) -> str:
    """What is wrong with giving a dtype this state; "" where numpy itself writes it."""
    args = reading.note(target)
    if not isinstance(args, tuple):
        return "is given a second state, and reads other bytes from then on"
    try:
        layout = _layout(args, state, reading)
    except ValueError as error:
        reading.remember(target, Layout(-1))
        return str(error)
    reading.remember(target, layout)
    return ""


def layout_of(dtype: object, reading: Reading) -> Layout | None:
    """The layout of a dtype; None where it is not known."""
    note = reading.note(dtype) if reading.made_by(dtype) == "numpy.dtype" else None
    if isinstance(note, Layout):
        return note if note.size >= 0 else None
    code = note[0] if isinstance(note, tuple) and note else None
    return _plain(code) if isinstance(code, str) else None


def holds_objects(wrapper: object, reading: Reading) -> bool:
    """Whether the state of joblib's wrapper of an array says that a pickle follows, and no numbers."""
    for key, value in reading.pairs(wrapper):
        if key == "dtype":
            layout = layout_of(value, reading)
            return layout.objects if layout is not None else reading.made_by(value) == STRINGS
    return False


def _layout(args: tuple[object, ...], state: object, reading: Reading) -> Layout:
    fields = tuple(reading.items(state)) if reading.kind(state) == "tuple" else ()
    size, flags = (fields[5], fields[7]) if len(fields) in _LENGTHS else (None, None)
    if type(size) is not int or type(flags) is not int:
        raise ValueError("has a state that numpy does not write")
    code = args[0] if args else None
    if not isinstance(code, str) or fields[2] is not None or fields[4] is not None:
        return _composed(code, fields, size, flags, reading)
    plain = _plain(code)
    if plain is None:
        raise ValueError(f"has the code {code[:20]!r}, which numpy does not write")
    if plain.objects and (flags != OBJECT_FLAGS or size != -1):
        raise ValueError("is of objects but says otherwise: numpy would take raw bytes for pointers")
    if flags & _POINTERS and not plain.objects:
        raise ValueError("is of numbers but says that it holds objects: numpy would take them for pointers")
    if size not in ({plain.size} if code[0] in "SUaV" else {-1, plain.size}):
        raise ValueError(f"has the code {code[:20]!r} but elements of {size} bytes")
    return plain


def _plain(code: str) -> Layout | None:
    if _OBJECT.match(code):
        return Layout(8, objects=True)
    number, text, void = _NUMBER.match(code), _TEXT.match(code), _VOID.match(code)
    if number:
        return Layout(int(number.group(1) or 1))
    if text:
        return Layout(int(text.group(2)) * (4 if text.group(1) == "U" else 1))
    return Layout(int(void.group(1))) if void else None


def _composed(code: object, fields: tuple[object, ...], size: int, flags: int, reading: Reading) -> Layout:
    """Records, subarrays, and dtypes of a scalar class."""
    name = reading.named(code)
    rule = reading.rule(code) if name else None
    if name not in _SCALARS and not isinstance(code, str):
        if name and (rule is None or not rule.use):
            return Layout(-1)  # a dtype of a class that is judged by its name
        raise ValueError("is of a class that numpy does not write in its place")
    void = _VOID.match(code) if isinstance(code, str) else None
    if isinstance(code, str) and (void is None or int(void.group(1)) != size):
        raise ValueError(f"has the code {code[:20]!r} but elements of {size} bytes")
    if size < 0:
        raise ValueError("has elements of an unknown size")
    inner = [*_record(fields[4], size, reading), *_subarray(fields[2], size, reading)]
    objects = any(layout.objects for layout in inner)
    if objects and flags & _OF_OBJECTS != _OF_OBJECTS:
        raise ValueError("holds objects but says otherwise: numpy would take raw bytes for pointers")
    if not objects and flags & _POINTERS:
        raise ValueError("holds numbers but says that it holds objects: numpy would take them for pointers")
    return Layout(size, objects)


def _record(named: object, size: int, reading: Reading) -> list[Layout]:
    if named is None:
        return []
    if reading.kind(named) != "dict":
        raise ValueError("has fields that numpy does not write")
    layouts = []
    for _, field in reading.pairs(named):
        parts = tuple(reading.items(field)) if reading.kind(field) == "tuple" else ()
        layout = layout_of(parts[0], reading) if parts else None
        offset = parts[1] if len(parts) > 1 else None
        if layout is None or type(offset) is not int:
            raise ValueError("has a field that numpy does not write")
        if not 0 <= offset <= size - layout.size:
            raise ValueError("has a field that reaches past its element")
        layouts.append(layout)
    return layouts


def _subarray(pair: object, size: int, reading: Reading) -> list[Layout]:
    if pair is None:
        return []
    parts = tuple(reading.items(pair)) if reading.kind(pair) == "tuple" else ()
    layout = layout_of(parts[0], reading) if len(parts) == len(("dtype", "shape")) else None
    if layout is None:
        raise ValueError("has a subarray that numpy does not write")
    shape = parts[1]
    sides = tuple(reading.items(shape)) if reading.kind(shape) == "tuple" else (shape,)
    count = 1
    for side in sides:
        if type(side) is not int or side < 0:
            raise ValueError("has a subarray without a shape")
        count *= side
    if count * layout.size != size:
        raise ValueError("has a subarray of another size than its elements")
    return [layout]
