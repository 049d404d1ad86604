"""joblib's arrays, which lie as raw bytes between the opcodes of one pickle.

Source: joblib/numpy_pickle.py. After BUILD on a `NumpyArrayWrapper`, joblib's unpickler (pickle's pure Python
one) reads from the file: a padding byte with its padding where the wrapper has an alignment, then the array;
or, where its dtype has objects, one pickle of its own. All sizes stand in the wrapper's state.
"""

from __future__ import annotations

from collections.abc import Callable

from .numpy_dtype import STRINGS, layout_of
from .opcodes import Find
from .readings import Reading
from .symbols import Call, Global, Items
from .walk import WalkRecorder
from .walker import Walker

_WRAPPER = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
_STATE = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}
FRAME_HEADER = 9


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
                # Where the opcodes go on is not known any more: what is left is searched, not followed.
                self.skipped.append((self._at + 1, self._end))
                self._resume = self._end

    def _array(self, wrapper: Call) -> int:
        """Where the opcodes go on after the wrapper's array."""
        size, aligned = _size(wrapper.state, self._recorder.reading)
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


def _size(state: object, reading: Reading) -> tuple[int, bool]:
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
    width = _item_size(found["dtype"], reading)
    return (count * width if width >= 0 else -1), found.get("numpy_array_alignment_bytes") is not None


def _item_size(dtype: object, reading: Reading) -> int:
    """Bytes of one element as numpy counts them; -1 where joblib writes a pickle instead."""
    if reading.made_by(dtype) == STRINGS:
        return -1
    layout = layout_of(dtype, reading)
    if layout is None:
        raise ValueError("its dtype is not judged")
    return -1 if layout.objects else layout.size
