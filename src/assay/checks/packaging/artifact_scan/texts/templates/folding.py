"""What expressions of a template come to: names are put together to get past a search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from assay.checks.packaging.artifact_scan.texts.templates import calls
from assay.checks.packaging.artifact_scan.texts.templates.names import MACHINERY, SPECIAL_TOKEN, is_edged
from assay.checks.packaging.artifact_scan.texts.templates.operations import (
    OPERATORS,
    apply,
    concatenated,
    plus,
    sliced,
)
from assay.checks.packaging.artifact_scan.texts.templates.values import (
    COMPUTED,
    COMPUTED_VALUE,
    DATA,
    DATA_VALUE,
    EDGED,
    MACHINE,
    MAX_LENGTH,
    MAX_VALUES,
    NOTHING,
    NUMBER,
    NUMBER_VALUE,
    SPACE,
    Sequence,
    Table,
    Value,
    alternatives,
    bag,
    bounded,
    lift,
    member,
    opened,
    unfolded,
    union,
    widened,
)
from assay.subjects.jinja import Node

MAX_DEPTH: Final = 60
MAX_WORK: Final = 400_000  # expressions worked out, and constants in them
APPENDED: Final = "[]"
UPDATED: Final = "{}"
PUT_TOGETHER: Final = 64  # values of a name that are not literals
SETTLED: Final = 3  # passes after which what still grows is no longer followed
_LOOP_NUMBERS = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"}
)


class Folder:
    """Remembers what a template assigns, and folds expressions over it.

    Attributes:
        known: for each name what it was ever set to; `.b` holds what any namespace has as `b`, `.` all that
            namespaces have, `.*` what they have under names that are not known, `[]` and `{}` what is added
            to lists and to dicts, `a()` what the macro `a` puts out, `loop.previtem` what loops go over,
            `loop()` and `caller()` what they are called with.
        callables: names that the template calls, and its macros.
        gave_up: whether an expression was too deep to be followed.
        cut: whether there was more to follow than the limits allow.
    """

    def __init__(self) -> None:
        self.known: dict[str, Value] = {}
        self.callables: set[str] = set()
        self.gave_up = False
        self.cut = False
        self.changed = False
        self.passed = 0
        self._work = MAX_WORK
        self._settled: dict[int, tuple[Node, Value]] | None = None

    def settle(self) -> None:
        """Nothing is assigned from here on, so that every expression is worked out once."""
        self._settled = {}

    def assign(self, target: Node, value: Value, *, literal: bool = False) -> None:
        """Add a value that `target` may have; `literal`: it stands so in the template."""
        if target.kind == "list":
            for number, one in enumerate(target.children):
                self.assign(one, calls.unpacked(value, number, len(target.children)), literal=literal)
            return
        while target.kind == "filter":  # `{% set name | filter %}`
            target, value = target.children[0], unfolded(value)
        if target.kind == "name":
            self.remember(target.name, value, literal=literal)
        else:  # of a namespace, which may have other names
            name = f".{target.name}" if target.kind == "attr" else ".*"
            self.remember(name, value, literal=literal)
            self.remember(".", value)

    def remember(self, path: str, value: Value, *, literal: bool = False) -> None:
        """Add a value that may stand under a path, the root of `known`."""
        old = self.known.get(path, NOTHING)
        if path not in {APPENDED, UPDATED}:
            value = opened(value, self.known.get(APPENDED), self.known.get(UPDATED))
        self.spend(old.size // 8)
        if self.exhausted:
            if not old.flags & COMPUTED:
                self.known[path] = Value(old.constants, old.flags | COMPUTED)
            return
        new = bounded(union([old, bounded(value)]))
        room = MAX_VALUES if literal else PUT_TOGETHER
        if new.cut or (new.constants != old.constants and len(new.constants) > room):
            # Literals and numbers would be lost to the judges of costs and triggers.
            numbers = any(type(one) is int for one in value.constants)
            self.cut |= path != "." and (literal or numbers)
            new = Value(old.constants, new.flags | unfolded(Value(value.constants)).flags)
        if self.passed > SETTLED and new.constants != old.constants:
            new = _grown(old, new, collapse=self.passed > 3 * SETTLED)
        if new != old or path not in self.known:
            self.changed = True
            self.known[path] = new

    def evaluate(self, node: Node, depth: int = 0) -> Value:
        """What an expression may come to."""
        if node.kind == "const":
            return lift(node.value)
        if self._settled is not None and id(node) in self._settled:
            return self._settled[id(node)][1]
        if depth > MAX_DEPTH:
            self.gave_up = True
            return COMPUTED_VALUE
        self.spend(1)
        if self.exhausted:
            return COMPUTED_VALUE
        value = _HANDLERS.get(node.kind, _unknown)(self, node, depth + 1)
        self.spend(value.size)
        if self._settled is not None:
            self._settled[id(node)] = (node, value)
        return value

    def under(self, holder: Value, key: Value) -> Value:
        """What stands in `holder` under `key`, an attribute or a subscript."""
        found = [member(Value(holder.constants, holder.flags & ~SPACE, holder.cut), key)]
        if holder.flags & SPACE:
            names = [".", ".*"] if key.flags else [f".{one}" for one in (*key.strings, "*")]
            found += [self.known[one] for one in names if one in self.known]
        return union(found)

    def spend(self, work: int) -> None:
        """Count work; once there was too much of it, nothing is followed any more."""
        self._work -= work
        self.cut |= self._work < 0

    @property
    def exhausted(self) -> bool:
        """Whether there was too much work."""
        return self._work < 0

    def each(self, nodes: Iterable[Node], depth: int) -> list[Value]:
        """What several expressions may come to."""
        return [self.evaluate(node, depth) for node in nodes]

    def fold(self, node: Node) -> list[Any]:
        """The constants that an expression may come to, as plain Python."""
        return alternatives(self.evaluate(node))[0]

    def strings(self, node: Node) -> list[str]:
        """The strings among them."""
        return self.evaluate(node).strings


def _grown(old: Value, new: Value, *, collapse: bool) -> Value:
    """A value that grows from pass to pass, and would without an end."""
    plain = tuple(one for one in new.constants if not isinstance(one, Sequence | Table))
    held = Value(tuple(one for one in new.constants if isinstance(one, Sequence | Table)))
    kept = Value(tuple(one for one in plain if one in old.constants))
    added = Value(tuple(one for one in plain if one not in old.constants))
    if collapse:
        before = tuple(one for one in held.constants if one in old.constants)
        added = Value((*added.constants, *(one for one in held.constants if one not in before)))
        held = Value(before)
    else:
        held = widened(held)
    return union([kept, held, Value(flags=new.flags | unfolded(added).flags, cut=new.cut)])


def _unknown(folder: Folder, node: Node, depth: int) -> Value:
    return unfolded(*folder.each(node.children, depth))


def _name(folder: Folder, node: Node, _: int) -> Value:
    name = node.name
    if name in MACHINERY or name in folder.callables:
        held = [Value(flags=MACHINE)]
        held += [COMPUTED_VALUE] if name in {"varargs", "kwargs"} else []
        return union([*held, folder.known.get(name, NOTHING)])
    return folder.known.get(name, COMPUTED_VALUE if SPECIAL_TOKEN.fullmatch(name) else DATA_VALUE)


def _attr(folder: Folder, node: Node, depth: int) -> Value:
    holder = node.children[0]
    if holder.kind == "name" and holder.name == "loop":
        if node.name in _LOOP_NUMBERS:
            return NUMBER_VALUE
        if node.name in {"previtem", "nextitem"}:
            return folder.known.get("loop.previtem", DATA_VALUE)
        return Value(flags=MACHINE)
    key = Value((node.name, int(node.name)) if node.name.isdecimal() else (node.name,))
    return folder.under(folder.evaluate(holder, depth), key)


def _item(folder: Folder, node: Node, depth: int) -> Value:
    holder, key = folder.evaluate(node.children[0], depth), node.children[1]
    if key.kind == "slice":
        return _slice(holder, folder.each(key.children, depth))
    return folder.under(holder, folder.evaluate(key, depth))


def _slice(holder: Value, bounds: list[Value]) -> Value:
    lists = [one for one in holder.constants if isinstance(one, Sequence)]
    rest = Value(tuple(one for one in holder.constants if not isinstance(one, Sequence)), holder.flags)
    found = [apply(sliced, [rest, *bounds])] if rest != NOTHING else []
    if all(not bound.flags and len(bound.constants) == 1 for bound in bounds):
        plain = [bound.constants[0] for bound in bounds]
        if (
            all(one is None or (isinstance(one, int) and one) or one == 0 for one in plain)
            and 0 not in plain[2:]
        ):
            cut = slice(*(*plain, None) if len(plain) == 1 else plain)
            return union([*found, *(Value((Sequence(one.items[cut], one.exact),)) for one in lists)])
    return union([*found, bag(Value(tuple(lists)))])


def _spine(folder: Folder, node: Node) -> list[Node]:
    """The operands of a chain of the same operator, which is as deep as it is long."""
    operator, operands = node.name, list[Node]()
    while node.kind == "binary" and node.name == operator:
        operands.append(node.children[1])
        node = node.children[0]
    folder.spend(len(operands))
    return [node, *reversed(operands)]


def _binary(folder: Folder, node: Node, depth: int) -> Value:
    if node.name in {"and", "or"}:
        return union(folder.each(_spine(folder, node), depth))
    if node.name == "~":
        return concatenated(folder.each(_spine(folder, node), depth), is_edged, EDGED)
    if node.name == "+":
        operands = _spine(folder, node)
        values = folder.each(operands, depth)
        if all(one.kind in {"name", "attr"} for one in operands) and {one.flags for one in values} == {DATA}:
            return union([DATA_VALUE, *([unfolded(*values)] if any(one.strings for one in values) else [])])
        return _added(values)
    if node.name not in OPERATORS:  # `/`
        return NUMBER_VALUE
    left, right = folder.each(node.children, depth)
    found = apply(OPERATORS[node.name], [left, right])
    if node.name in {"-", "//", "**"}:
        return Value(found.constants, NUMBER if found.flags else 0)
    shown = node.name == "%" and any(isinstance(one, Sequence) for one in right.constants)
    if shown and not (node.children[1].kind == "list" and node.children[1].name == "tuple"):
        return union([found, unfolded(left, right)])  # a list is shown, where a tuple is taken apart
    return found


def _added(values: list[Value]) -> Value:
    numeric = [_is_number(value) for value in values]
    if all(numeric):
        total = values[0]
        for value in values[1:]:
            total = apply(plus, [total, value])
        return total
    if any(numeric):
        return NUMBER_VALUE  # a number is added to numbers only
    lists = [_lists(value) for value in values]
    if not any(lists):
        return concatenated(values, is_edged, EDGED)
    added = bag(Value(tuple(one for held in lists for one in held)))
    if all(len(held) == 1 and value == Value((held[0],)) for held, value in zip(lists, values, strict=True)):
        items = tuple(item for held in lists for item in held[0].items)
        if all(held[0].exact for held in lists) and len(items) <= MAX_LENGTH:
            added = Value((Sequence(items),))
    texts = [Value(tuple(value.strings), value.flags) for value in values]
    rest = [] if any(value == NOTHING for value in texts) else [concatenated(texts, is_edged, EDGED)]
    flags = 0
    for value in values:
        flags |= value.flags
    return union([added, *rest, Value(flags=flags)])


def _lists(value: Value) -> list[Sequence]:
    return [one for one in value.constants if isinstance(one, Sequence)]


def _is_number(value: Value) -> bool:
    if value.flags & ~NUMBER or value == NOTHING:
        return False
    return all(isinstance(one, int | float) for one in value.constants)


def _list(folder: Folder, node: Node, depth: int) -> Value:
    values = folder.each(node.children, depth)
    return bounded(Value((Sequence(tuple(values)),)))


def _dict(folder: Folder, node: Node, depth: int) -> Value:
    values = folder.each(node.children, depth)
    return bounded(Value((Table(tuple(zip(values[::2], values[1::2], strict=True))),)))


def _unary(folder: Folder, node: Node, depth: int) -> Value:
    value = folder.evaluate(node.children[0], depth)
    if node.name not in {"-", "+"}:
        return NUMBER_VALUE if node.name == "not" else value
    return apply(lambda one: -one if node.name == "-" else one, [value])


def _cond(folder: Folder, node: Node, depth: int) -> Value:
    return union(folder.each(node.children[1:], depth))


def _number(_: Folder, __: Node, ___: int) -> Value:
    return NUMBER_VALUE


_HANDLERS: Final[Mapping[str, Callable[[Folder, Node, int], Value]]] = {
    "name": _name, "attr": _attr, "item": _item, "unary": _unary, "list": _list, "dict": _dict,
    "binary": _binary, "cond": _cond, "compare": _number, "test": _number, "call": calls.call,
    "filter": calls.filtered,
}  # fmt: skip
