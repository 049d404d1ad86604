"""What stands on the walker's stack in place of real objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .readings import Pairs, Raw
from .rules import ASKED_FOR, Rule, Rules
from .wire import short

MAX_ODD = 1_000


class _Sign:
    def __init__(self, text: str) -> None:
        self.text = text


UNKNOWN = _Sign("?")


@dataclass(frozen=True, slots=True)
class Global:
    """A global that was named: by which opcode, and where. `shown` is its source where it is computed."""

    module: str
    name: str
    at: int = field(default=-1, compare=False)
    how: str = field(default="", compare=False)
    shown: str = field(default="", compare=False)
    made_of: tuple[object, ...] = field(default=(), compare=False)


@dataclass(slots=True, eq=False)
class Call:
    """The result of calling `function`, or an instance of it: its state from BUILD, and the items set on it.

    `note` is what rules keep with it: at first the arguments it was made with. `how` is the opcode that
    called, and `at` its place.
    """

    function: object
    args: tuple[object, ...]
    state: object = None
    items: list[object] = field(default_factory=list)
    note: object = None
    at: int = -1
    how: str = ""


@dataclass(slots=True, eq=False)
class Persistent:
    """What a persistent id stands for."""

    pid: object


@dataclass(slots=True, eq=False)
class Items:
    """A list, dict (keys and values alternate) or set with as many items as are kept.

    `odd` has, of the pairs of a dict that are not kept, those whose key a rule may ask for.
    """

    kind: str
    items: list[object] = field(default_factory=list)
    odd: list[tuple[object, object]] = field(default_factory=list)

    def take(self, more: list[object], keep: int) -> None:
        """Take items, of which at most `keep` in all are kept."""
        room = max(0, keep - len(self.items))
        self.items.extend(more[:room])
        if self.kind == "dict" and len(more) > room:
            for key, value in zip(more[room::2], more[room + 1 :: 2], strict=False):
                if is_odd(key) and len(self.odd) < MAX_ODD:
                    self.odd.append((key, value))


def is_odd(key: object) -> bool:
    """Whether a rule may ask for an attribute of that name."""
    return type(key) is not str or key[:1] == "_" or key in ASKED_FOR


@dataclass(slots=True, eq=False)
class Bytes:
    """Bytes, or text that was too long or wrong to decode, as a view of the data."""

    raw: memoryview
    text: bool = False


def name_of(value: object) -> str:
    """How a callable is named."""
    if isinstance(value, Global):
        return f"{value.module}.{value.name}"
    if isinstance(value, Call):
        return f"result of {name_of(value.function)}" if isinstance(value.function, Global) else "a result"
    return describe(value, 1)


def describe(value: object, depth: int = 3) -> str:
    """A bounded form of a value."""
    return short(_plain(value, depth), depth, _named)


def _plain(value: object, depth: int) -> object:
    if isinstance(value, Bytes):
        return value.raw
    if isinstance(value, Items) and depth > 0:
        kept = [_plain(item, depth - 1) for item in value.items[:7]]
        return kept if value.kind != "dict" else _Sign(_pairs(kept, depth))
    if isinstance(value, tuple) and depth > 0:
        return tuple(_plain(item, depth - 1) for item in value[:7])
    return value


def _pairs(items: list[object], depth: int) -> str:
    pairs = zip(items[::2], items[1::2], strict=False)
    return "{" + ", ".join(f"{short(k, depth, _named)}: {short(v, depth, _named)}" for k, v in pairs) + "}"


def _named(value: object) -> str | None:
    if isinstance(value, _Sign):
        return value.text
    if isinstance(value, Global):
        return f"{value.module[:200]}.{value.name[:200]}"
    if isinstance(value, Call):
        return f"{name_of(value.function)[:200]}(…)"
    if isinstance(value, Persistent):
        return "<persistent>"
    return "…" if isinstance(value, Items) else None


def as_latin1(text: object) -> bytes:
    """The bytes that text stands for below protocol 3."""
    if isinstance(text, Bytes) and text.text:
        text = bytes(text.raw).decode("utf-8", "replace")
    return text.encode("latin-1", "replace") if isinstance(text, str) else b""


_KINDS: dict[type, str] = {
    type(None): "none", bool: "bool", int: "integer", float: "number", str: "text", tuple: "tuple",
    Global: "global", Persistent: "object",
}  # fmt: skip


class Symbolic:
    """Reads the walker's values."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def kind(self, value: object) -> str:
        """Of what kind a value is."""
        known = _KINDS.get(type(value))
        if known:
            return known
        if isinstance(value, Items):
            return value.kind
        if isinstance(value, Bytes):
            return "text" if value.text else "bytes"
        if isinstance(value, Call):
            rule = self.rule(value)
            return rule.gives or "object" if rule else "object"
        return "unknown"

    def named(self, value: object) -> str:
        """The full name of a global."""
        return f"{value.module}.{value.name}" if isinstance(value, Global) else ""

    def rule(self, value: object) -> Rule | None:
        """The rule of a global, or of the global that a value was made by."""
        source = value.function if isinstance(value, Call) else value
        return self._rules.get((source.module, source.name)) if isinstance(source, Global) else None

    def made_by(self, value: object) -> str:
        """The full name of the global that a value is an instance or a result of."""
        return self.named(value.function) if isinstance(value, Call) else ""

    def items(self, value: object) -> Sequence[object]:
        """The items of a tuple, list or set."""
        if isinstance(value, Items):
            return value.items
        return value if isinstance(value, tuple) else ()

    def pairs(self, value: object) -> Pairs:
        """Keys and values of a dict."""
        if not isinstance(value, Items):
            return ()
        return [*zip(value.items[::2], value.items[1::2], strict=False), *value.odd]

    def raw(self, value: object) -> Raw:
        """The bytes of a `bytes` value."""
        if isinstance(value, Bytes):
            return value.raw
        first = value.args[0] if isinstance(value, Call) and value.args else b""  # text, below protocol 3
        return as_latin1(first)

    def note(self, value: object) -> object:
        """What rules kept with a call."""
        return value.note if isinstance(value, Call) else None

    def remember(self, value: object, note: object) -> None:
        """Keep a note with a call."""
        if isinstance(value, Call):
            value.note = note
