"""What constant expressions of a template come to: names are put together to get past a search."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from assay.subjects.jinja import Node

MAX_VALUES = 24  # that one expression may take, over all branches
MAX_LENGTH = 4096  # characters of a string, items of a list
MAX_DEPTH = 60
_FIELD = re.compile(r"\{\d{0,2}\}")
_METHODS = frozenset({
    "lower", "upper", "title", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "replace", "join",
    "removeprefix", "removesuffix", "split", "format",
})  # fmt: skip


class Folder:
    """Remembers what a template assigns, and folds expressions over it.

    Attributes:
        known: for each name (`a`, or `a.b` of a namespace) the constants it was ever set to.
        gave_up: whether an expression was too deep to be followed.
    """

    def __init__(self) -> None:
        self.known: dict[str, list[Any]] = {}
        self.gave_up = False

    def assign(self, target: Node | None, values: Iterable[Any]) -> None:
        """Add values that `target` may have from here on."""
        if target is None:
            return
        kept = self.known.setdefault(_path(target), [])
        kept += [value for value in values if value not in kept][: MAX_VALUES - len(kept)]

    def fold(self, node: Node, depth: int = 0) -> list[Any]:
        """The constants that an expression may come to; none where it depends on anything else."""
        if depth > MAX_DEPTH:
            self.gave_up = True
            return []
        if node.kind == "const":
            return [node.value]
        found = self._known(node)
        handler = _HANDLERS.get(node.kind)
        if handler is not None:
            found = [*found, *handler(self, node, depth + 1)]
        return found[:MAX_VALUES]

    def strings(self, node: Node) -> list[str]:
        """The strings among them."""
        return [value for value in self.fold(node) if isinstance(value, str)]

    def _known(self, node: Node) -> list[Any]:
        if node.kind not in {"name", "attr", "item"} or not self.known:
            return []
        return self.known.get(_path(node), [])

    def combined(self, nodes: Iterable[Node], depth: int) -> list[tuple[Any, ...]]:
        """Every way in which several expressions may come out together."""
        folded = [self.fold(node, depth) for node in nodes]
        return list(itertools.islice(itertools.product(*folded), MAX_VALUES))


def _path(node: Node) -> str:
    if node.kind == "name":
        return node.name
    if node.kind == "attr" and node.children[0].kind == "name":
        return f"{node.children[0].name}.{node.name}"
    if node.kind == "item" and node.children[0].kind == "name" and node.children[1].kind == "const":
        return f"{node.children[0].name}.{node.children[1].value}"
    return ""


def _sequence(folder: Folder, node: Node, depth: int) -> list[Any]:
    if len(node.children) > MAX_LENGTH:
        return []
    return [list(items) for items in folder.combined(node.children, depth)]


def _mapping(folder: Folder, node: Node, depth: int) -> list[Any]:
    keys, values = node.children[::2], node.children[1::2]
    pairs = [
        (folder.fold(key, depth), folder.fold(value, depth)) for key, value in zip(keys, values, strict=True)
    ]
    known = {key[0]: value[0] if value else None for key, value in pairs if key and isinstance(key[0], str)}
    return [known] if known else []


def _spine(node: Node) -> list[Node]:
    """The operands of a chain of the same operator, which is as deep as it is long."""
    operands: list[Node] = []
    while node.kind == "binary" and node.name in {"~", "+"}:
        operands.append(node.children[1])
        node = node.children[0]
    return [node, *reversed(operands)]


def _binary(folder: Folder, node: Node, depth: int) -> list[Any]:
    if node.name in {"~", "+"}:
        return _joined(folder, node, depth)
    found: list[Any] = []
    for left, right in folder.combined(node.children, depth):
        found += _operation(node.name, left, right)
    return found


def _joined(folder: Folder, node: Node, depth: int) -> list[Any]:
    """Strings put together; what is not known between them counts as nothing, for it may be nothing."""
    parts: list[list[Any]] = []
    for operand in _spine(node):
        values = [value for value in folder.fold(operand, depth) if isinstance(value, str | int)]
        parts.append(values[:4] or [""])
    if not any(isinstance(value, str) and value for part in parts for value in part):
        return []
    combined = itertools.islice(itertools.product(*parts), MAX_VALUES)
    return ["".join(map(str, pieces))[:MAX_LENGTH] for pieces in combined]


def _operation(operator: str, left: Any, right: Any) -> list[Any]:
    if operator == "*" and isinstance(left, int) and isinstance(right, str):
        left, right = right, left
    if operator == "*" and isinstance(left, str) and isinstance(right, int):
        return [(left * min(right, MAX_LENGTH))[:MAX_LENGTH]]
    if operator == "%" and isinstance(left, str):
        return _formatted(left, right if isinstance(right, list) else [right])
    return []


def _unary(folder: Folder, node: Node, depth: int) -> list[Any]:
    numbers = [value for value in folder.fold(node.children[0], depth) if isinstance(value, int | float)]
    return [-value for value in numbers] if node.name == "-" else numbers if node.name == "+" else []


def _formatted(text: str, values: list[Any]) -> list[Any]:
    if len(text) > MAX_LENGTH or any(character.isdigit() or character == "*" for character in text):
        return []  # a width in it could be a bomb
    try:
        return [text % tuple(values)]
    except (TypeError, ValueError, OverflowError):
        return []


def _item(folder: Folder, node: Node, depth: int) -> list[Any]:
    holder, key = node.children
    if key.kind == "slice":
        return [value for held in folder.fold(holder, depth) for value in _sliced(folder, held, key, depth)]
    return [
        value
        for held, index in folder.combined((holder, key), depth)
        for value in _picked(held, index)
    ]  # fmt: skip


def _picked(held: Any, index: Any) -> list[Any]:
    try:
        if isinstance(held, str | list) and isinstance(index, int):
            return [held[index]]
        if isinstance(held, dict) and isinstance(index, str | int):
            return [held[index]]
    except (IndexError, KeyError):
        return []
    return []


def _sliced(folder: Folder, held: Any, key: Node, depth: int) -> list[Any]:
    bounds = [folder.fold(part, depth) for part in key.children]
    numbers = [part[0] if part and isinstance(part[0], int) else None for part in bounds]
    if not isinstance(held, str | list) or not numbers or 0 in numbers[2:]:
        return []
    step = numbers[-1] if len(numbers) > 1 and isinstance(numbers[-1], int) and numbers[-1] < 0 else None
    if step is not None:
        return [held[::step]]
    return [held[numbers[0] :]] if len(numbers) == 1 else [held[numbers[0] : numbers[1]]]


def _attr(folder: Folder, node: Node, depth: int) -> list[Any]:
    return [
        held[node.name]
        for held in folder.fold(node.children[0], depth)
        if isinstance(held, dict) and node.name in held
    ]


def _cond(folder: Folder, node: Node, depth: int) -> list[Any]:
    return [value for child in node.children[1:] for value in folder.fold(child, depth)]


def _call(folder: Folder, node: Node, depth: int) -> list[Any]:
    function, arguments = node.children[0], node.children[1:]
    if function.kind == "name" and function.name in {"dict", "namespace"}:
        pairs = {one.name: folder.fold(one.children[0], depth) for one in arguments if one.kind == "keyword"}
        return [{name: values[0] if values else None for name, values in pairs.items()}]
    if function.kind == "attr" and function.name in _METHODS:
        return _method(folder, function, arguments, depth)
    return []


def _method(folder: Folder, function: Node, arguments: tuple[Node, ...], depth: int) -> list[Any]:
    found: list[Any] = []
    for held, *given in folder.combined((function.children[0], *arguments), depth):
        if not isinstance(held, str) or len(held) > MAX_LENGTH or _too_long(held, given):
            continue
        if function.name == "format" and not _fills_only(held):
            continue  # fetching attributes is judged by the text itself
        try:
            found.append(getattr(held, function.name)(*given))
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
            continue
    return found


def _too_long(held: str, given: list[Any]) -> bool:
    """Whether a method of a string could give much more than it was given."""
    return any(len(one) > MAX_LENGTH for one in given if isinstance(one, str | list)) or (
        sum(len(one) for one in given if isinstance(one, str)) * len(held) > MAX_LENGTH * 16
    )


def _fills_only(text: str) -> bool:
    """Whether `format` would only put its arguments between the letters."""
    rest = _FIELD.sub("", text)
    return "{" not in rest and "}" not in rest


def _filter(folder: Folder, node: Node, depth: int) -> list[Any]:
    act = _FILTERS.get(node.name)
    if act is None:
        return []
    found: list[Any] = []
    for held, *given in folder.combined(node.children, depth):
        try:
            found += act(held, given)
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
            continue
    return found


def _text(method: str) -> Callable[[Any, list[Any]], list[Any]]:
    return lambda held, _: [getattr(str(held)[:MAX_LENGTH], method)()]


def _join(held: Any, given: list[Any]) -> list[Any]:
    items = list(held)[:MAX_LENGTH]
    between = str(given[0])[:64] if given else ""
    return [between.join(map(str, items))[:MAX_LENGTH]]


def _replace(held: Any, given: list[Any]) -> list[Any]:
    text, old, new = str(held)[:MAX_LENGTH], str(given[0]), str(given[1])
    return [text.replace(old, new[:64])[:MAX_LENGTH]] if old else []


_FILTERS: Mapping[str, Callable[[Any, list[Any]], list[Any]]] = {
    "lower": _text("lower"), "upper": _text("upper"), "title": _text("title"), "trim": _text("strip"),
    "capitalize": _text("capitalize"),
    "string": lambda held, _: [str(held)[:MAX_LENGTH]], "safe": lambda held, _: [held],
    "list": lambda held, _: [list(held)[:MAX_LENGTH]],
    "join": _join, "replace": _replace,
    "reverse": lambda held, _: [held[::-1]],
    "first": lambda held, _: [next(iter(held))], "last": lambda held, _: [list(held)[-1]],
    "format": lambda held, given: _formatted(str(held), given),
    "default": lambda held, given: [held, *given], "d": lambda held, given: [held, *given],
    "urlencode": lambda held, _: [held], "e": lambda held, _: [held], "escape": lambda held, _: [held],
}  # fmt: skip
_HANDLERS: Mapping[str, Callable[[Folder, Node, int], list[Any]]] = {
    "unary": _unary, "list": _sequence, "dict": _mapping, "binary": _binary, "item": _item, "attr": _attr,
    "cond": _cond, "call": _call, "filter": _filter,
}  # fmt: skip
