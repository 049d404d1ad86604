"""The walker's values as Python source, and the opcodes that they come from.

Everything is bounded and pure ASCII: what is hidden in a text shows as an escape.
"""

from __future__ import annotations

from .symbols import UNKNOWN, Bytes, Call, Global, Items, Persistent
from .wire import plausible, short, text

MAX_SOURCE = 1_500
MAX_STRING = 300
MAX_BYTES = 80
MAX_ARGUMENTS = 12
MAX_DEPTH = 8
MAX_NODES = 200
MAX_STEPS = 12


def named(value: Global) -> str:
    """How a global is written."""
    if value.shown:
        return value.shown
    if plausible(value.module, value.name):
        return f"{text(value.module, 200)}.{text(value.name, 200)}".replace("\u2026", "...")
    module, name = _quoted(value.module), _quoted(value.name)
    return f"getattr(import_module({module}), {name})"


def source_of(value: object) -> str:
    """A value as Python source."""
    return _cut(Writer().value(value, MAX_DEPTH))


def built(target: object, state: object) -> str:
    """Giving a state to an object, which BUILD does by its `__setstate__`, else by its attributes."""
    writer = Writer()
    return _cut(f"{writer.value(target, MAX_DEPTH)}.__setstate__({writer.value(state, MAX_DEPTH)})")


def items_set(target: object, items: tuple[object, ...], how: str) -> str:
    """Setting an item, or appending one."""
    writer = Writer()
    shown, values = writer.value(target, MAX_DEPTH), [writer.value(item, MAX_DEPTH) for item in items[:2]]
    if how.startswith("SETITEM") and len(values) > 1:
        return _cut(f"{shown}[{values[0]}] = {values[1]}")
    return _cut(f"{shown}.{'add' if how == 'ADDITEMS' else 'append'}({', '.join(values[:1])})")


def steps_of(*values: object) -> str:
    """The opcodes that name and call what is in `values`, a line each: offset, a blank, what it does.

    Where there are too many, the last ones count: they are nearest to the effect.
    """
    found: dict[int, str] = {}
    _collect(values, found, [MAX_NODES])
    return "\n".join(f"{at} {found[at]}" for at in sorted(found)[-MAX_STEPS:])


def _collect(values: tuple[object, ...], found: dict[int, str], left: list[int]) -> None:
    pending = list(values)
    while pending and left[0] > 0:
        left[0] -= 1
        value = pending.pop()
        if isinstance(value, Global):
            pending += value.made_of
            if value.at >= 0:
                does = "resolves" if value.shown else "imports"
                found.setdefault(value.at, f"{value.how} {does} {named(value)[:300]}")
        elif isinstance(value, Call):
            pending += [value.function, *value.args[:MAX_ARGUMENTS]]
            if value.at >= 0:
                found[value.at] = f"{value.how} {_does(value)}"
        elif isinstance(value, Items):
            pending += value.items[:MAX_ARGUMENTS]
        elif isinstance(value, tuple):
            pending += value[:MAX_ARGUMENTS]


def _does(call: Call) -> str:
    called = _callee(call.function)
    if call.how == "INST":
        return f"imports and calls {called}"
    return f"makes an instance of {called}" if call.how.startswith("NEWOBJ") else f"calls {called}"


def _callee(function: object) -> str:
    if isinstance(function, Global):
        return named(function)[:300]
    if isinstance(function, Call):
        return f"what {_callee(function.function)[:200]} returned"
    return "a computed value"


def _cut(source: str) -> str:
    return source if len(source) <= MAX_SOURCE else source[: MAX_SOURCE - 3] + "..."


def _quoted(value: str) -> str:
    if len(value) <= MAX_STRING:
        return ascii(value)
    return f"{value[:MAX_STRING]!a}... ({len(value):,} characters)"


class Writer:
    """Writes values as source until its share of them is used up."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def value(self, value: object, depth: int) -> str:
        """One value; `...` where it is nested too deeply, or too much was written."""
        self._left -= 1
        if depth <= 0 or self._left <= 0:
            return "..."
        if type(value) is str:
            return _quoted(value)
        if isinstance(value, Bytes):
            return _raw(value)
        if isinstance(value, Global):
            return named(value)
        if isinstance(value, Call):
            return self._call(value, depth)
        if isinstance(value, Persistent):
            return f"persistent_load({self.value(value.pid, depth - 1)})"
        if isinstance(value, Items | tuple):
            return self._container(value, depth)
        return "..." if value is UNKNOWN else short(value)

    def _call(self, call: Call, depth: int) -> str:
        function = self.value(call.function, depth - 1)
        given = [self.value(one, depth - 1) for one in call.args[:MAX_ARGUMENTS]]
        if len(call.args) > MAX_ARGUMENTS:
            given.append("...")
        if call.how.startswith("NEWOBJ"):  # the machine calls __new__ alone, with the class
            return f"{function}.__new__({', '.join([function, *given])})"
        return f"{function}({', '.join(given)})"

    def _container(self, value: Items | tuple[object, ...], depth: int) -> str:
        items = value.items if isinstance(value, Items) else value
        kind = value.kind if isinstance(value, Items) else "tuple"
        shown = [self.value(one, depth - 1) for one in items[: 2 * MAX_ARGUMENTS]]
        if kind == "dict":
            shown = [f"{key}: {item}" for key, item in zip(shown[::2], shown[1::2], strict=False)]
        if len(items) > 2 * MAX_ARGUMENTS:
            shown.append("...")
        if kind == "tuple":
            return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"
        if kind == "set" and not shown:
            return "set()"
        return f"[{', '.join(shown)}]" if kind == "list" else "{" + ", ".join(shown) + "}"


def _raw(value: Bytes) -> str:
    if value.text:
        return _quoted(bytes(value.raw[: 4 * MAX_STRING + 4]).decode("utf-8", "backslashreplace"))
    shown = repr(bytes(value.raw[:MAX_BYTES]))
    return shown if len(value.raw) <= MAX_BYTES else f"{shown}... ({len(value.raw):,} bytes)"
