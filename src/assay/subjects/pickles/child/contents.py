"""What lies below a checkpoint's root, entry by entry: its tensors, its plain values, and what is neither."""

from __future__ import annotations

from _json import encode_basestring_ascii
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Protocol

from .rebuilding import Placed, RefusedError, is_dtype, placed, unwrapped
from .symbols import UNKNOWN, Bytes, Call, Global, Items, Persistent, name_of

MAX_DEPTH = 64
MAX_ENTRIES = 5_000_000  # fewer than a walk keeps of a container, so that none is passed over
MAX_NAME = 1_000
MAX_TEXT = 1_000
MAX_LIST = 10_000
TENSOR, ROOT = "tensor", "(root)"  # what has no key: a checkpoint that is nothing but this one value
# What torch.nn.Module keeps its parts in; names of a state dict go without.
_OF_MODULES = {"_parameters", "_buffers", "_modules"}
_ORDERED = Global("collections", "OrderedDict")
# Called with one list, tuple or dict, these give what is as good as that.
_SAME = {
    Global("torch", "Size"), Global("collections", "Counter"),
    *(Global(module, name) for module in ("builtins", "__builtin__") for name in ("set", "frozenset")),
}  # fmt: skip
_DEVICE = Global("torch", "device")
_ENCODE = Global("_codecs", "encode")


class Listener(Protocol):
    """Who is told what there is."""

    def tensor(self, name: str, tensor: Placed) -> None:
        """A tensor."""

    def value(self, name: str, text: str) -> None:
        """A number, a short text, a truth value, nothing, or a list of these, as JSON."""

    def other(self, name: str, what: str) -> None:
        """Something else."""


class Contents:
    """Looks through what a walk built.

    Attributes:
        met: the calls that made the tensors which were met, by identity.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._left = MAX_ENTRIES
        self._around: set[int] = set()
        self._declared: dict[str, tuple[str, int]] = {}
        self.met: set[int] = set()

    def look(self, value: object, name: str = "") -> None:
        """Tell of a value and of all below it, by their keys and positions, joined by dots.

        Raises:
            RefusedError: a tensor cannot be written, or there is too much.
        """
        if isinstance(value, Call) and value.function in _SAME and value.args:
            value = value.args[0]
        self._left -= 1 + len(_items(value))
        if self._left < 0:
            raise RefusedError("many")
        if len(name) > MAX_NAME:
            raise RefusedError("name", name[:100])
        if isinstance(value, Call) and self._is_tensor(value, name):
            return
        text = as_json(value)
        if text:
            self._listener.value(name or ROOT, text)
        elif isinstance(value, tuple | Items | Call):
            self._below(value, _inside(value), name)
        else:
            self._listener.other(name or ROOT, _described(value))

    def _is_tensor(self, value: Call, name: str) -> bool:
        """Tell of a tensor, and of what was set on it; whether it is one."""
        try:
            made = unwrapped(value)
            found = placed(made[0]) if made else None
        except RefusedError as refusal:
            raise RefusedError(refusal.code, name or TENSOR, refusal.detail) from refusal
        if made is None or found is None:
            return False
        call, states = made
        self.met.add(id(call))
        # torch makes a storage once, of the class and size that it is first named with.
        if self._declared.setdefault(found.key, (found.kind, found.count)) != (found.kind, found.count):
            raise RefusedError("twofold", name or TENSOR)
        self._listener.tensor(name or TENSOR, found)
        for state in states:
            self._below(state, _attributes(state), name)
        return True

    def _below(self, value: object, inside: Iterator[tuple[object, object]] | None, name: str) -> None:
        if inside is None:
            self._listener.other(name or ROOT, _described(value))
            return
        if id(value) in self._around:
            return  # it lies in itself: all of it is met under shorter names
        if len(self._around) >= MAX_DEPTH:
            raise RefusedError("deep", name)
        self._around.add(id(value))
        for key, item in inside:
            if type(key) is not str and type(key) is not int:
                self._listener.other(name or ROOT, "an entry whose key is neither text nor a whole number")
                continue
            if key in _OF_MODULES and isinstance(value, Call):
                self._below(item, _inside(item) if isinstance(item, Items | Call) else None, name)
            else:
                self.look(item, f"{name}.{key}" if name else str(key))
        self._around.discard(id(value))


def _items(value: object) -> Sequence[object]:
    if isinstance(value, Items):
        return value.items
    return value if isinstance(value, tuple) else ()


def _inside(value: tuple[object, ...] | Items | Call) -> Iterator[tuple[object, object]] | None:
    """Keys or positions, and values; None where nothing is known of what is inside."""
    if isinstance(value, tuple):
        return iter(enumerate(value))
    if isinstance(value, Items):
        return _pairs(value.items) if value.kind == "dict" else iter(enumerate(value.items))
    if value.function == _ORDERED:
        return _of_ordered(value)
    return _of_object(value) if value.items or value.state is not None else None


def _pairs(items: list[object]) -> Iterator[tuple[object, object]]:
    return zip(items[::2], items[1::2], strict=False)


def _of_ordered(call: Call) -> Iterator[tuple[object, object]]:
    """Entries of an OrderedDict, which Python 2 pickled as a list of pairs."""
    for argument in call.args:
        for pair in argument.items if isinstance(argument, Items) else ():
            entry = pair.items if isinstance(pair, Items) else pair
            if isinstance(entry, list | tuple) and len(entry) == 2:  # noqa: PLR2004
                yield entry[0], entry[1]
    yield from _pairs(call.items)
    for key, item in _attributes(call.state):
        if key != "_metadata":  # versions of modules, which every state dict has
            yield key, item


def _of_object(call: Call) -> Iterator[tuple[object, object]]:
    yield from _pairs(call.items)
    yield from _attributes(call.state)


def _attributes(state: object) -> Iterator[tuple[object, object]]:
    """Names and values in a state: a dict, or a pair of dicts where some lie in slots."""
    if isinstance(state, Items) and state.kind == "dict":
        yield from _pairs(state.items)
    elif isinstance(state, tuple) and len(state) == 2 and all(_is_state(part) for part in state):  # noqa: PLR2004
        for part in state:
            yield from _attributes(part)
    elif isinstance(state, tuple | Items):
        yield from enumerate(state if isinstance(state, tuple) else state.items)
    elif state is not None:
        yield "state", state


def _is_state(part: object) -> bool:
    return part is None or (isinstance(part, Items) and part.kind == "dict")


def as_json(value: object) -> str:
    """JSON of a plain value that is short enough; "" for any other. What is not finite becomes a text."""
    if isinstance(value, Call) and value.function == _DEVICE and value.args:
        return _scalar(":".join(str(part) for part in value.args))
    if isinstance(value, Items) and value.kind == "dict":
        return "" if value.items else "{}"
    if not isinstance(value, Items | tuple):
        return _scalar(value)
    items = _items(value)
    if len(items) > MAX_LIST:
        return ""
    parts = [_scalar(item) for item in items]
    return "[" + ",".join(parts) + "]" if all(parts) else ""


def _scalar(value: object) -> str:
    if value is None or type(value) is bool:
        return {None: "null", True: "true", False: "false"}[value]
    if type(value) is int:
        return str(value) if value.bit_length() <= 64 else ""  # noqa: PLR2004
    if type(value) is float:
        return repr(value) if isfinite(value) else f'"{value!r}"'
    if isinstance(value, Global) and is_dtype(value.module, value.name):
        value = name_of(value)
    return encode_basestring_ascii(value) if type(value) is str and len(value) <= MAX_TEXT else ""


def _described(value: object) -> str:
    if isinstance(value, Bytes):
        return f"{'text' if value.text else 'bytes'}, {len(value.raw):,} bytes of it"
    if isinstance(value, str):
        return f"text of {len(value):,} characters"
    if isinstance(value, Persistent):
        return "a storage that is no tensor's"
    if isinstance(value, Call) and value.function == _ENCODE:
        return "bytes"
    if isinstance(value, Call):
        return f"an object of {name_of(value.function)[:100]}"
    if isinstance(value, Global):
        return name_of(value)[:100]
    return "a value that is not known" if value is UNKNOWN else "a value that is too large"
