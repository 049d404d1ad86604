"""Ways from a template into Python: attributes of its own machinery, however their names are written.

A name that the template puts together in ways that are not followed counts as one that leads there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from assay.checks.packaging.artifact_scan.texts.templates.folding import Folder
from assay.checks.packaging.artifact_scan.texts.templates.names import (
    BUILTINS,
    DUNDER,
    INTERNALS,
    MACHINERY,
    MODULES,
    RUN,
    SPECIAL_TOKEN,
)
from assay.checks.packaging.artifact_scan.texts.templates.values import (
    COMPUTED,
    DATA,
    EDGED,
    MACHINE,
    SPACE,
    Value,
    elements,
)
from assay.core.finding import Severity
from assay.subjects.jinja import Node, walk

_FORMATS = frozenset({"format", "format_map"})
_FLASK = frozenset({"application", "environ", "args", "form", "cookies", "headers", "values", "files"})
_BY_ATTRIBUTE = frozenset({"map", "groupby", "sort", "sum", "min", "max", "unique"})
_PATHS = frozenset({"name", "attr", "item"})
_FETCHES = frozenset({"attr", "item", "filter"})
_MAKES = frozenset({"binary", "filter", "call", "item", "cond"})
_SELECT = frozenset({"selectattr", "rejectattr"})
_LAZY = frozenset({"select", "reject", "map", "batch", "slice", "unique"}) | _SELECT
_FIELD = re.compile(r"\{[^{}]{0,200}[.\[]\s{0,9}_[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Gadget:
    """One way in: how bad, what it does, and where it stands."""

    severity: Severity
    does: str
    at: int


def gadgets(node: Node, folder: Folder) -> Iterator[Gadget]:
    """The ways in that an expression holds."""
    parts: set[int] = set()  # of chains of one operator, which are worked out whole
    for one in walk(node):
        judged = _JUDGES.get(one.kind)
        if judged is not None:
            yield from judged(one, folder)
        if one.kind in _FETCHES:
            yield from _fetched(one, folder)
        if one.kind in _MAKES and id(one) not in parts:
            yield from _made(one, folder)
        if one.kind == "binary" and one.children[0].name == one.name:
            parts.add(id(one.children[0]))


def _name(node: Node, _: Folder) -> Iterator[Gadget]:
    if node.name == "__import__":
        yield Gadget(Severity.CRITICAL, "calls `__import__`", node.at)


def _constant(node: Node, _: Folder) -> Iterator[Gadget]:
    if node.value in INTERNALS and str(node.value).startswith("__"):
        yield Gadget(Severity.HIGH, f"carries the name {node.value!r}", node.at)


def _made(node: Node, folder: Folder) -> Iterator[Gadget]:
    for text in folder.strings(node):
        if text.startswith("__") and text in INTERNALS:
            yield Gadget(Severity.HIGH, f"puts the name {text!r} together", node.at)


def _fetched(node: Node, folder: Folder) -> Iterator[Gadget]:
    """What is taken of an object by a name, whichever way it is written."""
    names = _names(node, folder)
    holder = node.children[0]
    if any(name in RUN for name in names) and any(name in MODULES for name in _names(holder, folder)):
        yield Gadget(Severity.CRITICAL, f"takes {names[0]!r} of a module of Python", node.at)
    if any(name in _FORMATS for name in names):
        yield from _formats(folder, holder, node.at, called=False)


def _names(node: Node, folder: Folder) -> list[str]:
    """The names by which a node fetches something of its first child."""
    if node.kind == "attr":
        return [node.name]
    if node.kind == "item" and node.children[1].kind != "slice":
        return folder.strings(node.children[1])
    if node.kind == "filter" and node.name == "attr" and len(node.children) > 1:
        return folder.strings(node.children[1])
    return []


def _formats(folder: Folder, holder: Node, at: int, *, called: bool) -> Iterator[Gadget]:
    value = folder.evaluate(holder)
    for text in value.strings:
        if _FIELD.search(text):
            yield Gadget(Severity.CRITICAL, f"formats {text[:60]!r}, which fetches attributes", at)
    # A field may be called `format`, too: of a mere name it is a method where it is called, or has braces.
    text_like = called or holder.kind not in _PATHS or any("{" in text for text in value.strings)
    if text_like and value.flags & (COMPUTED | EDGED):
        yield Gadget(Severity.HIGH, "formats a text that it puts together, which may fetch attributes", at)


def _attribute(node: Node, _: Folder) -> Iterator[Gadget]:
    name, holder = node.name, node.children[0]
    if name in INTERNALS:
        yield Gadget(Severity.CRITICAL, f"reaches for {name!r}", node.at)
    elif DUNDER.fullmatch(name):
        yield Gadget(Severity.HIGH, f"reaches for {name!r}", node.at)
    elif name.startswith("_"):
        yield Gadget(Severity.MEDIUM, f"reaches for the private name {name!r}", node.at)
    elif holder.kind == "name" and holder.name == "request" and name in _FLASK:
        yield Gadget(Severity.MEDIUM, f"reads `request.{name}` of the application that renders it", node.at)


def _item(node: Node, folder: Folder) -> Iterator[Gadget]:
    holder, key = node.children
    if _is_representation(holder):
        yield Gadget(Severity.HIGH, "takes letters out of how Python shows an object", node.at)
    if key.kind == "slice":
        return
    names = folder.evaluate(key)
    yield from _named(names.strings, node.at)
    if names.flags & COMPUTED:
        yield Gadget(Severity.HIGH, "computes the name that it fetches by a subscript", node.at)
    if key.kind == "attr" and SPECIAL_TOKEN.fullmatch(key.name):
        yield Gadget(Severity.HIGH, f"fetches by the name that stands in `{key.name}`", node.at)
    if folder.evaluate(holder).flags & (MACHINE | SPACE):
        if names.flags & (DATA | EDGED):
            yield Gadget(Severity.HIGH, "lets the conversation choose what is fetched of a function", node.at)
        for name in names.strings:
            if name in MODULES | RUN or name.startswith("_"):
                yield Gadget(Severity.HIGH, f"fetches {name!r} of a function or an object of Jinja", node.at)


def _named(names: list[str], at: int) -> Iterator[Gadget]:
    for name in names:
        if name in INTERNALS and name != "mro":
            yield Gadget(Severity.CRITICAL, f"reaches for {name!r}", at)
        elif DUNDER.fullmatch(name) and not name.isupper():
            yield Gadget(Severity.HIGH, f"reaches for {name!r}", at)


def _is_representation(node: Node) -> bool:
    """Whether letters are taken from the text of a generator, function or class."""
    seen_string = False
    while node.kind == "filter" or (node.kind == "call" and node.children[0].kind == "filter"):
        if seen_string and node.name in _LAZY:
            return True
        seen_string = seen_string or node.name == "string"
        node = node.children[0]
    return seen_string and node.kind == "name" and node.name in MACHINERY


def _filter(node: Node, folder: Folder) -> Iterator[Gadget]:
    yield from _applied(node, node.name, node.children[1:], folder)


def _applied(node: Node, name: str, arguments: tuple[Node, ...], folder: Folder) -> Iterator[Gadget]:
    """A filter, or one that `map` applies by its name."""
    if name == "attr" and arguments:
        yield from _attr_filter(arguments[0], node.at, folder)
    elif name == "map":
        yield from _map(node, arguments, folder)
    if name in _BY_ATTRIBUTE | _SELECT:
        yield from _by_attribute(node, name, arguments, folder)


def _attr_filter(argument: Node, at: int, folder: Folder) -> Iterator[Gadget]:
    names = folder.strings(argument)
    yield from _named(names, at)
    if not names or argument.kind != "const":
        yield Gadget(Severity.HIGH, "computes the name of an attribute and fetches it with `|attr`", at)


def _map(node: Node, arguments: tuple[Node, ...], folder: Folder) -> Iterator[Gadget]:
    plain = [one for one in arguments if one.kind != "keyword" and one.name != "**"]
    if not plain:
        return
    applied = folder.evaluate(plain[0])
    if applied.flags or not applied.strings:
        yield Gadget(Severity.HIGH, "computes the name of the filter that `|map` applies", node.at)
    for name in applied.strings:
        rest = tuple(one for one in arguments if one is not plain[0])
        if rest or name != "map":
            yield from _applied(node, name, rest, folder)


def _by_attribute(node: Node, name: str, arguments: tuple[Node, ...], folder: Folder) -> Iterator[Gadget]:
    """Filters that fetch an attribute of every item."""
    paths = [one.children[0] for one in arguments if one.kind == "keyword" and one.name == "attribute"]
    spread_out = [one for one in arguments if one.kind == "unary" and one.name in {"*", "**"}]
    plain = [one for one in arguments if one.kind not in {"keyword", "unary"}]
    paths += [] if name == "map" else plain[:1] if name in _SELECT else plain
    values = [folder.evaluate(path) for path in paths]
    for one in spread_out:
        held = folder.evaluate(one.children[0])
        values.append(elements(held) if one.name == "*" else folder.under(held, Value(("attribute",))))
    for value in values:
        for text in value.strings:
            yield from _named(text.split("."), node.at)
        if value.flags & (COMPUTED | EDGED):
            yield Gadget(Severity.HIGH, f"computes the attribute that `|{name}` fetches", node.at)


def _call(node: Node, folder: Folder) -> Iterator[Gadget]:
    function = node.children[0]
    if function.kind == "name" and function.name in BUILTINS:
        yield Gadget(Severity.MEDIUM, f"calls `{function.name}`, where the application offers it", node.at)
    for name in _names(function, folder):
        if name in RUN:
            yield Gadget(Severity.CRITICAL, f"calls `{name}`", node.at)
        if name in _FORMATS:
            yield from _formats(folder, function.children[0], node.at, called=True)


_JUDGES: Mapping[str, Callable[[Node, Folder], Iterator[Gadget]]] = {
    "attr": _attribute, "item": _item, "filter": _filter, "call": _call, "name": _name, "const": _constant,
}  # fmt: skip
