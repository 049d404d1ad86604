"""What stands on the walker's stack in place of real objects."""

from __future__ import annotations

from dataclasses import dataclass, field

from .wire import short


class _Sign:
    def __init__(self, text: str) -> None:
        self.text = text


UNKNOWN = _Sign("?")


@dataclass(frozen=True, slots=True)
class Global:
    """A global that was named."""

    module: str
    name: str


@dataclass(slots=True, eq=False)
class Call:
    """The result of calling `function`, the state BUILD gave it, and the items set on it."""

    function: object
    args: tuple[object, ...]
    state: object = None
    items: list[object] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Persistent:
    """What a persistent id stands for."""

    pid: object


@dataclass(slots=True, eq=False)
class Items:
    """A list, dict (keys and values alternate) or set with as many items as are kept."""

    kind: str
    items: list[object] = field(default_factory=list)


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
