"""What calls and filters in a template come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assay.checks.packaging.artifact_scan.texts.templates.names import MACHINERY
from assay.checks.packaging.artifact_scan.texts.templates.operations import FILTERS, METHODS, apply, method
from assay.checks.packaging.artifact_scan.texts.templates.values import (
    COMPUTED_VALUE,
    DATA,
    EDGED,
    MACHINE,
    NOTHING,
    NUMBER,
    NUMBER_VALUE,
    SPACE,
    Constant,
    Sequence,
    Table,
    Value,
    alternatives,
    bag,
    elements,
    unfolded,
    union,
)
from assay.subjects.jinja import Node

if TYPE_CHECKING:
    from assay.checks.packaging.artifact_scan.texts.templates.folding import Folder

# These give parts of what they are asked of, and put nothing of their arguments in.
_CUTTING = frozenset({
    "split", "rsplit", "splitlines", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix",
    "lower", "upper", "title", "capitalize", "casefold", "swapcase", "trim", "string", "safe", "list",
    "reverse", "first", "last", "e", "escape", "urlencode", "sort", "items", "keys", "values", "copy",
    "pop", "popitem", "tojson", "unique", "random", "min", "max", "select", "reject", "selectattr",
    "rejectattr", "dictsort", "groupby", "batch", "slice", "wordwrap",
})  # fmt: skip
_NUMBERS = frozenset({
    "length", "count", "int", "float", "round", "abs", "wordcount", "startswith", "endswith", "find",
    "rfind", "index", "rindex", "isdigit", "isdecimal", "isnumeric", "isalpha", "isalnum", "isupper",
    "islower", "isspace", "bit_length", "__len__",
})  # fmt: skip
# What changes a list, a dict, or either in its place.
APPENDING: Final = frozenset(
    {"append", "extend", "insert", "add", "remove", "reverse", "sort", "pop", "clear"}
)
UPDATING: Final = frozenset({"update", "setdefault", "popitem", "pop", "clear"})
_BRINGING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
_BYTES = frozenset({"to_bytes", "from_bytes", "fromhex", "decode", "hex"})
_ORDERED = frozenset({"list", "reverse", "first", "last", "safe"})
_SHUFFLED = frozenset({"sort", "unique", "select", "reject", "selectattr", "rejectattr"})
_PICKED = frozenset({"random", "min", "max"})


class Arguments(NamedTuple):
    """The arguments of a call or filter; `spread`: those behind `*` and `**`."""

    plain: list[Value]
    named: dict[str, Value]
    spread: list[Value]

    @property
    def every(self) -> list[Value]:
        """All of them."""
        return [*self.plain, *self.named.values(), *self.spread]


def arguments(folder: Folder, nodes: tuple[Node, ...], depth: int) -> Arguments:
    """What is passed to a call or filter."""
    found = Arguments([], {}, [])
    for node in nodes:
        if node.kind == "keyword":
            found.named[node.name] = folder.evaluate(node.children[0], depth)
        elif node.kind == "unary" and node.name in {"*", "**"}:
            found.spread.append(folder.evaluate(node.children[0], depth))
        else:
            found.plain.append(folder.evaluate(node, depth))
    return found


def unpacked(value: Value, number: int, count: int) -> Value:
    """What the target at a place among `count` targets gets of a value."""
    found = [Value(flags=elements(Value(flags=value.flags)).flags)]
    for one in value.constants:
        whole = Value((one,))
        if isinstance(one, Sequence) and one.exact and len(one.items) == count:
            found.append(one.items[number])
        elif isinstance(one, str) and len(one) == count:
            found.append(Value((one[number],)))
        else:
            found.append(unfolded(whole) if isinstance(one, Sequence) and one.exact else elements(whole))
    return union(found)


def call(folder: Folder, node: Node, depth: int) -> Value:
    """What a call comes to."""
    function = node.children[0]
    given = arguments(folder, node.children[1:], depth)
    if function.kind == "name":
        return _function(folder, function.name, given)
    if function.kind == "attr":
        holder = folder.evaluate(function.children[0], depth)
        return _asked(folder, holder, function.name, given)
    return unfolded(folder.evaluate(function, depth), *given.every)


def _function(folder: Folder, name: str, given: Arguments) -> Value:
    if name == "namespace":
        return Value(flags=SPACE)
    if name == "dict":
        return _table(given)
    if name == "range":
        return NUMBER_VALUE
    if name in {"cycler", "joiner"}:
        return Value(flags=MACHINE)
    if name in MACHINERY or name in folder.known:
        return COMPUTED_VALUE
    if f"{name}()" in folder.known:
        return folder.known[f"{name}()"]
    return union([unfolded(*given.every), Value(flags=DATA)])


def _table(given: Arguments) -> Value:
    pairs = [(Value((name,)), value) for name, value in given.named.items()]
    for one in [*given.plain, *given.spread]:
        for constant in one.constants:
            if not isinstance(constant, Table):
                return unfolded(*given.every, Value(tuple(given.named)))
            pairs += constant.pairs
    flags = 0
    for one in [*given.plain, *given.spread]:
        flags |= unfolded(Value(flags=one.flags)).flags
    return Value((Table(tuple(pairs)),), flags)


def _asked(folder: Folder, holder: Value, name: str, given: Arguments) -> Value:
    """What a method gives."""
    if holder.flags & MACHINE:
        return union([COMPUTED_VALUE] if name != "cycle" else [*given.every, unfolded(*given.spread)])
    if name in _NUMBERS:
        return NUMBER_VALUE
    texts: tuple[Constant, ...] = tuple(holder.strings)
    held = Value(tuple(one for one in holder.constants if isinstance(one, Sequence | Table)))
    found = [_tabled(folder, held, name, given)] if held != NOTHING else []
    if texts and name in METHODS and not given.spread:
        found.append(apply(method(name), [Value(texts), *given.plain], given.named))
    elif texts:
        found.append(unfolded(Value(texts), *given.every))
    if holder.flags:
        found.append(_of_unknown(Value(flags=holder.flags), name, given))
    if any(isinstance(one, int | float) for one in holder.constants):
        found.append(COMPUTED_VALUE)
    return union(found) if found else unfolded(*given.every)


def _of_unknown(holder: Value, name: str, given: Arguments) -> Value:
    if name == "join" or name in _BYTES or holder.flags & NUMBER:
        return COMPUTED_VALUE  # a number may be as many bytes as it has
    if name in {"get", "pop"}:
        return union([unfolded(holder), *given.every[1:]])
    return unfolded(holder) if name in _CUTTING else unfolded(holder, *given.every)


def added(folder: Folder, node: Node, depth: int = 0) -> Value:
    """What a call of `append`, `update` or their like adds to a list or dict."""
    if node.children[0].name not in _BRINGING:
        return NOTHING
    given = arguments(folder, node.children[1:], depth)
    values = union(given.every)
    if node.children[0].name in {"extend", "update"}:
        names = Value(tuple(given.named))
        values = union([values, elements(values), elements(_columns(values)), names])
    return values


def _tabled(folder: Folder, held: Value, name: str, given: Arguments) -> Value:
    """What a method of lists and dicts gives."""
    if name in {"items", "keys", "copy"}:
        return _pairs(held) if name == "items" else held
    if name == "values":
        return _columns(held)
    if name in {"get", "pop", "setdefault"} and given.plain:
        lists = Value(tuple(one for one in held.constants if isinstance(one, Sequence)))
        return union([folder.under(held, given.plain[0]), elements(lists), *given.every[1:]])
    if name in {"pop", "popitem"}:
        return union([elements(held), elements(_columns(held))])
    if name in APPENDING | UPDATING:
        return NOTHING
    return unfolded(held, *given.every)


def _pairs(held: Value) -> Value:
    tables = [one for one in held.constants if isinstance(one, Table)]
    rows = [Sequence(tuple(Value((Sequence(pair),)) for pair in one.pairs)) for one in tables]
    return Value(tuple(rows))


def _columns(held: Value) -> Value:
    tables = [one for one in held.constants if isinstance(one, Table)]
    return Value(tuple(Sequence(tuple(value for _, value in one.pairs)) for one in tables))


def filtered(folder: Folder, node: Node, depth: int) -> Value:
    """What a filter gives."""
    holder = folder.evaluate(node.children[0], depth)
    given = arguments(folder, node.children[1:], depth)
    name = node.name
    if name in _NUMBERS:
        return NUMBER_VALUE
    if name in {"default", "d"}:
        return union([holder, *given.every])
    if name == "sum" and not given.every:
        return union([NUMBER_VALUE, Value(flags=holder.flags & DATA)])
    if name == "map":
        return _mapped(folder, holder, given)
    if name in {"items", "dictsort"} and any(isinstance(one, Table) for one in holder.constants):
        pairs = _pairs(holder)
        return union([pairs if name == "items" else bag(pairs), unfolded(Value(flags=holder.flags))])
    if name in _ORDERED | _SHUFFLED | _PICKED and not holder.strings:
        return _of_list(folder, name, holder, given)
    found = _of_text(name, holder, given)
    return Value(found.constants, found.flags | EDGED, found.cut) if found.flags & NUMBER else found


def _of_list(folder: Folder, name: str, holder: Value, given: Arguments) -> Value:
    """Filters that keep the items of a list as they are."""
    tables = [one for one in holder.constants if isinstance(one, Table)]
    if tables:  # filters see the keys of a dict
        rows = [Sequence(tuple(key for key, _ in one.pairs)) for one in tables]
        rest = [one for one in holder.constants if not isinstance(one, Table)]
        holder = Value((*rest, *rows), holder.flags, holder.cut)
    if name in {"first", "last"}:
        return folder.under(holder, Value((0 if name == "first" else -1,)))
    if name in _PICKED:
        return elements(holder)
    if name == "sort" and not given.every and alternatives(holder)[1]:
        return apply(FILTERS["sort"], [holder])
    if name == "reverse":
        rows = [Sequence(one.items[::-1], one.exact) for one in holder.constants if isinstance(one, Sequence)]
        return Value(tuple(rows), holder.flags)
    return bag(holder) if name in _SHUFFLED else holder


def _of_text(name: str, holder: Value, given: Arguments) -> Value:
    if name in FILTERS and not given.spread:
        found = apply(FILTERS[name], [Value(holder.constants, cut=holder.cut), *given.plain], given.named)
        found = found if holder.constants or not holder.flags else NOTHING
        if not holder.flags:
            return found
        rest = Value(flags=holder.flags)
        if holder.flags & NUMBER:
            digits = Value(flags=holder.flags & ~NUMBER | EDGED)
            return union([found, digits if name == "string" else unfolded(digits)])
        if name == "join":
            return union([found, COMPUTED_VALUE])
        return union([found, unfolded(rest) if name in _CUTTING else unfolded(rest, *given.every)])
    if not all(isinstance(one, int | float) for one in holder.constants):
        return union([COMPUTED_VALUE, unfolded(holder, *given.every)])
    return unfolded(holder) if name in _CUTTING and not holder.constants else unfolded(holder, *given.every)


def _mapped(folder: Folder, holder: Value, given: Arguments) -> Value:
    path = given.named.get("attribute")
    if path is None or path.flags or len(path.constants) != 1 or given.plain or given.spread:
        return unfolded(holder, *given.every)
    value = elements(holder)
    for part in str(path.constants[0]).split("."):
        value = folder.under(value, Value((part, int(part)) if part.isdecimal() else (part,)))
    others = [one for name, one in given.named.items() if name == "default"]
    return Value((Sequence((union([value, *others]),), exact=False),))
