"""joblib's arrays, which lie as raw bytes between the opcodes of one pickle.

Source: joblib/numpy_pickle.py. After BUILD on a `NumpyArrayWrapper`, joblib's unpickler (pickle's pure Python
one) reads from the file: a padding byte with its padding where the wrapper has an alignment, then the array;
or, where its dtype has objects, one pickle of its own. All sizes stand in the wrapper's state.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .opcodes import Find
from .symbols import Call, Global, Items
from .walk import WalkRecorder
from .walker import Walker

_WRAPPER = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
_STATE = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}
_NUMBER = re.compile(r"[biufcmM](1|2|4|8|16)\Z")
_TEXT = re.compile(r"([SU])(\d{1,9})\Z")
FRAME_HEADER = 9
STATE, HAS_OBJECTS, MAX_DEPTH = 8, 1, 8


class JoblibWalker(Walker):
    """Walks a stream as joblib reads it.

    `objects` reads the pickle of an array of objects: what troubled it, and where it ends.
    `skipped` holds the raw arrays as (start, end), `arrays` counts the wrappers that were met.
    """

    def __init__(
        self,
        view: memoryview,
        find: Find,
        recorder: WalkRecorder,
        keep: int,
        objects: Callable[[int], tuple[str, int]],
    ) -> None:
        super().__init__(view, find, recorder, keep)
        self._objects = objects
        self.skipped: list[tuple[int, int]] = []
        self.arrays = 0
        self._known: set[int] = set()
        self._wrappers: list[Call] = []  # kept alive, so that no identity comes back
        self._frame_end = 0

    def _op_frame(self, value: object) -> None:
        self._frame_end = self._at + FRAME_HEADER + int(value)  # type: ignore[call-overload]

    def _op_build(self, value: object) -> None:
        super()._op_build(value)
        target = self._top()
        if isinstance(target, Call) and target.function == _WRAPPER:
            self.arrays += 1
            try:
                self._resume = self._array(target)
            except ValueError as error:
                self._complain(f"an array of joblib cannot be measured ({error})")

    def _array(self, wrapper: Call) -> int:
        """Where the opcodes go on after the wrapper's array."""
        size, aligned = _size(wrapper.state)
        at = self._at + 1
        if self._frame_end > at or id(wrapper) in self._known:
            raise ValueError("it does not stand where joblib writes it")
        self._known.add(id(wrapper))
        self._wrappers.append(wrapper)
        if size < 0:
            trouble, after = self._objects(at)
            if trouble:
                raise ValueError(f"its objects: {trouble}")
            return after
        if aligned and at < self._end:
            at += 1 + self._view[at]
        if at + size > self._end:
            raise ValueError("it reaches past the end")
        self.skipped.append((at, at + size))
        return at + size


def _size(state: object) -> tuple[int, bool]:
    """Bytes of the array that a wrapper's state describes (-1: objects), and whether it is aligned.

    Raises:
        ValueError: the state is not exactly what joblib writes.
    """
    if not isinstance(state, Items) or state.kind != "dict" or len(state.items) % 2:
        raise ValueError("its state is no dict")
    found = dict(zip(state.items[::2], state.items[1::2], strict=True))
    if not set(found) <= _STATE or len(found) * 2 != len(state.items) or not {"shape", "dtype"} <= set(found):
        raise ValueError("its state is not what joblib writes")
    shape = found["shape"]
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("its shape is no shape")
    count = 1
    for length in shape:
        count *= length
    width = _item_size(found["dtype"])
    return (count * width if width >= 0 else -1), found.get("numpy_array_alignment_bytes") is not None


def _item_size(dtype: object, depth: int = 0) -> int:
    """Bytes of one element; -1 for objects."""
    if not isinstance(dtype, Call) or dtype.function != Global("numpy", "dtype") or not dtype.args:
        raise ValueError("its dtype is none of numpy's")
    code, state = dtype.args[0], dtype.state
    if (
        not isinstance(code, str)
        or not isinstance(state, tuple)
        or len(state) < STATE
        or state[2] is not None
    ):
        raise ValueError("its dtype is not judged")
    if state[3] is not None or state[4] is not None:
        return _record_size(state, depth)
    number, text = _NUMBER.match(code), _TEXT.match(code)
    if code in {"O", "O8"}:
        return -1
    if number:
        return int(number.group(1))
    if text:
        return int(text.group(2)) * (4 if text.group(1) == "U" else 1)
    raise ValueError("its dtype is not judged")


def _record_size(state: tuple[object, ...], depth: int) -> int:
    """Bytes of one record: numpy goes by the size and flags of the state, so fields must agree with both."""
    fields, size, flags = state[4], state[5], state[7]
    if depth > MAX_DEPTH or not isinstance(fields, Items) or type(size) is not int or type(flags) is not int:
        raise ValueError("its records are not judged")
    inner = [item[0] for item in fields.items[1::2] if isinstance(item, tuple) and item]
    objects = any(_item_size(dtype, depth + 1) < 0 for dtype in inner)
    if objects or flags & HAS_OBJECTS or size < 0 or len(inner) * 2 != len(fields.items):
        raise ValueError("its records hold objects")
    return size
