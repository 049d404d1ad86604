"""The inert classes that stand for globals, and how rules read values among which they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from . import misuse
from .numpy_dtype import holds_objects
from .readings import Pairs, Raw
from .rules import Rule
from .wire import short

if TYPE_CHECKING:
    from .recorder import Recorder

_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"
TOLD_CALLS = 3  # of each global; the rest is counted by nobody


def name_inert(value: object) -> str | None:
    """How a recorded object is written in a short form."""
    if isinstance(value, Inert):
        return value.assay[1]
    if isinstance(value, InertBase):
        return f"{type(value).assay[1]}(…)"
    return None


def shorten(*values: object) -> str:
    """Values as a list of arguments."""
    return ", ".join(short(value, inert=name_inert) for value in values[:8])[:400]


class _OnClass:
    """A data descriptor of the metaclass: what is looked up on a class itself ends here."""

    def __init__(self, how: str) -> None:
        self._how = how

    def __get__(self, cls: Inert | None, owner: type) -> Callable[[object], None]:
        def record(state: object) -> None:
            if cls is not None:
                cls.assay[0].changed(cls, state, self._how)

        return record

    def __set__(self, cls: Inert, value: object) -> None:
        cls.assay[0].changed(cls, value, "setattr")


class Inert(type):
    """The class of the classes that stand for globals.

    `assay` holds the recorder, the full name, how many calls were told, and the rule.
    """

    assay: tuple[Recorder, str, list[int], Rule]
    __setstate__ = _OnClass("BUILD")
    append = _OnClass("APPEND")
    extend = _OnClass("APPENDS")
    add = _OnClass("ADDITEMS")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Record the call, and answer with an inert object."""
        cls.assay[0].called(cls, args, kwargs, "REDUCE")
        return _made(cls, args)

    def __setitem__(cls, key: object, value: object) -> None:
        cls.assay[0].changed(cls, {"key": key, "value": value}, "SETITEM")


class InertBase(metaclass=Inert):
    """The base of the classes that stand for globals: its instances take everything and do nothing."""

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Record the call, and answer with an inert object."""
        cls.assay[0].called(cls, args, kwargs, "NEWOBJ")
        return _made(cls, args)

    def __setstate__(self, state: object) -> None:
        recorder, name, count, rule = type(self).assay
        for value in state if type(state) is tuple else (state,):
            if type(value) is bytes:
                recorder.look_inside(value)
        reason = misuse.of_state(rule, self, state, LIVE)
        if reason:
            recorder.misused(name, reason, shorten(state), "BUILD")
        if name == _ARRAY:
            recorder.past_array |= holds_objects(state, LIVE)
        if count[0] < TOLD_CALLS:
            recorder.tell("state", name, short(state, inert=name_inert)[:200])
            count[0] += 1

    def __call__(self, *args: Any, **_: Any) -> Any:
        """Record that a result was called, where its rule does not expect that."""
        recorder, name, _count, rule = type(self).assay
        if misuse.of_result(rule, args, LIVE):
            recorder.tell("computed-call", name, short(args, inert=name_inert)[:200])
            return self
        return recorder.nameless("<result>")

    def append(self, item: object) -> None:
        """Take an item."""
        if type(self).assay[3].items != "any":
            _judge_item(self, None, item, "APPEND")

    def extend(self, items: object) -> None:
        """Take items."""
        if type(self).assay[3].items != "any":
            _judge_item(self, None, items, "APPENDS")

    def add(self, item: object) -> None:
        """Take an item."""
        if type(self).assay[3].items != "any":
            _judge_item(self, None, item, "ADDITEMS")

    def __setitem__(self, key: object, value: object) -> None:
        """Take an item."""
        if type(self).assay[3].items != "any":
            _judge_item(self, key, value, "SETITEM")


def _made(cls: Inert, args: tuple[Any, ...]) -> Any:
    first = args[0] if args else None
    made_of = first if cls.assay[3].makes and isinstance(first, Inert) else cls
    made: Any = object.__new__(made_of)  # type: ignore[arg-type]
    if made_of.assay[3].notes:
        made.note = args if made_of is cls else ()
    return made


def _judge_item(target: InertBase, key: object, value: object, how: str) -> None:
    recorder, name, _, rule = type(target).assay
    reason = misuse.of_item(rule, key, value, LIVE)
    if reason:
        recorder.misused(name, reason, shorten(value) if key is None else shorten(key, value), how)


_KINDS: dict[type, str] = {
    type(None): "none", bool: "bool", int: "integer", float: "number", str: "text", bytes: "bytes",
    bytearray: "bytes", tuple: "tuple", list: "list", dict: "dict", set: "set", frozenset: "set",
}  # fmt: skip


class _Live:
    """Reads values of the C machine."""

    def kind(self, value: object) -> str:
        known = _KINDS.get(type(value))
        if known:
            return known
        if isinstance(value, Inert):
            return "global"
        return type(value).assay[3].gives or "object" if isinstance(value, InertBase) else "object"

    def named(self, value: object) -> str:
        return value.assay[1] if isinstance(value, Inert) else ""

    def rule(self, value: object) -> Rule | None:
        if isinstance(value, Inert):
            return value.assay[3]
        return type(value).assay[3] if isinstance(value, InertBase) else None

    def made_by(self, value: object) -> str:
        return type(value).assay[1] if isinstance(value, InertBase) else ""

    def items(self, value: object) -> Sequence[object]:
        return value if isinstance(value, (tuple, list)) else ()

    def pairs(self, value: object) -> Pairs:
        return value.items() if isinstance(value, dict) else ()

    def raw(self, value: object) -> Raw:
        if isinstance(value, (bytes, bytearray)):
            return value
        made_with = getattr(value, "note", None)  # text, below protocol 3
        first = made_with[0] if isinstance(made_with, tuple) and made_with else b""
        return first.encode("latin-1", "replace") if type(first) is str else b""

    def note(self, value: object) -> object:
        return getattr(value, "note", None)

    def remember(self, value: object, note: object) -> None:
        value.note = note  # type: ignore[attr-defined]


LIVE = _Live()
