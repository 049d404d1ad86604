"""Events as JSON lines, and short, bounded forms of recorded values.

Written by hand over the C string encoder: importing `json` would double the start of the child.
"""

from __future__ import annotations

import os
import re
from _json import encode_basestring_ascii
from collections.abc import Callable, Sequence

Value = str | int | Sequence[int] | None
MAX_TEXT = 120
MAX_ITEMS = 6
MAX_DEPTH = 3
MAX_WAITING = 4096  # bytes
MAX_TRACES = 2_000
_NAME = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*\Z")


class TooManyEventsError(Exception):
    """The job said more than its parent is willing to hear."""


def encode(event: tuple[Value, ...]) -> bytes:
    """One JSON array and a newline."""
    parts = [encode_basestring_ascii(v) if isinstance(v, str) else _numbers(v) for v in event]
    return ("[" + ",".join(parts) + "]\n").encode("ascii")


def _numbers(value: int | Sequence[int] | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(int(value))
    return "[" + ",".join(str(int(number)) for number in value) + "]"


class Events:
    """Where events go: at once, so that the death of this process loses none, and never too many.

    Those that only say where the others belong wait for the next one.
    """

    def __init__(self, fd: int, limit: int) -> None:
        self._fd = fd
        self._left = limit
        self._waiting = b""
        self._traces = MAX_TRACES

    def emit(self, *event: Value) -> None:
        """Send one event.

        Raises:
            TooManyEventsError: the job used up its share.
        """
        self._left -= 1
        if self._left < 0:
            raise TooManyEventsError
        self.send(*event)

    def trace(self, source: str, steps: str) -> None:
        """Say how the event that was sent last comes about; the first ones of a job only."""
        if self._traces > 0:
            self._traces -= 1
            self.send("trace", None, source, steps)

    def send(self, *event: Value) -> None:
        """Send one event that does not count, such as the last."""
        self._waiting += encode(event)
        self._flush()

    def hold(self, *event: Value) -> None:
        """Send one event with the next one; the death of this process tells as much as it would."""
        self._waiting += encode(event)
        if len(self._waiting) > MAX_WAITING:
            self._flush()

    def _flush(self) -> None:
        left = memoryview(self._waiting)
        while left:
            left = left[os.write(self._fd, left) :]
        self._waiting = b""


def plausible(module: str, name: str) -> bool:
    """Whether this could be the name of something importable, rather than chance bytes."""
    return len(module) + len(name) < 1000 and bool(_NAME.match(module) and _NAME.match(name))  # noqa: PLR2004


# Bytes of one element of each class of torch storages; an UntypedStorage counts bytes.
_WIDTHS = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1,
    "Bool": 1, "ComplexFloat": 8, "ComplexDouble": 16, "QInt8": 1, "QUInt8": 1, "QInt32": 4, "QUInt4x2": 1,
    "QUInt2x4": 1, "Untyped": 1,
}  # fmt: skip


def storage_width(name: str) -> int:
    """Bytes of one element of a storage class such as `torch.FloatStorage`; 0 where it is not known."""
    module, _, kind = name.rpartition(".")
    known = module in {"torch", "torch.storage", "torch.cuda"} and kind.endswith("Storage")
    return _WIDTHS.get(kind.removesuffix("Storage"), 0) if known else 0


def text(value: str, limit: int = MAX_TEXT) -> str:
    """`value` cut to `limit`, with surrogates and controls escaped."""
    cut = value[:limit]
    return ascii(cut)[1:-1] + ("…" if len(value) > limit else "")


def short(value: object, depth: int = MAX_DEPTH, inert: Callable[[object], str | None] | None = None) -> str:
    """A bounded form of a recorded value; `inert` names the ones that stand for recorded objects."""
    kind = type(value)
    if kind is str:
        return "'" + text(value) + "'"  # type: ignore[arg-type]
    if kind in (bytes, bytearray, memoryview):
        return _bytes(value)  # type: ignore[arg-type]
    if kind in (int, bool, float, type(None)):
        return _scalar(value)
    named = inert(value) if inert else None
    if named is not None:
        return named
    if kind in (tuple, list, dict, set, frozenset):
        return _container(value, depth, inert)
    return f"<{kind.__name__}>"


def _bytes(value: bytes | bytearray | memoryview) -> str:
    shown = repr(bytes(value[:60]))
    return shown if len(value) <= 60 else f"{shown}… ({len(value):,} bytes)"  # noqa: PLR2004


def _scalar(value: object) -> str:
    if type(value) is int and value.bit_length() > 128:  # noqa: PLR2004  printing a huge integer is quadratic
        return f"<integer of {value.bit_length()} bits>"
    return repr(value)


def _container(value: object, depth: int, inert: Callable[[object], str | None] | None) -> str:
    opening, closing = "()" if type(value) is tuple else "[]" if type(value) is list else "{}"
    if depth <= 0:
        return opening + "…" + closing
    shown: list[str] = []
    for index, item in enumerate(value):  # type: ignore[arg-type,var-annotated]
        if index >= MAX_ITEMS:
            shown.append("…")
            break
        key = short(item, depth - 1, inert)
        if type(value) is dict:
            shown.append(f"{key}: {short(value[item], depth - 1, inert)}")
        else:
            shown.append(key)
    return opening + ", ".join(shown) + closing
