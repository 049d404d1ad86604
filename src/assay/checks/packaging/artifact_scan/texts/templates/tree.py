"""Walks a template: what it assigns, what stands in its loops, and the words it brings along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from assay.checks.packaging.artifact_scan.texts.templates.folding import MAX_VALUES, Folder
from assay.subjects.jinja import Block, Item, Node, Output, Text, walk

PASSES = 3  # assignments that build on assignments


class Visit(NamedTuple):
    """An item of a template, and the `for` blocks around it."""

    item: Item
    loops: tuple[Block, ...]


def visit(items: Iterable[Item], loops: tuple[Block, ...] = ()) -> Iterator[Visit]:
    """Every item of a template, outer ones first."""
    for item in items:
        yield Visit(item, loops)
        if isinstance(item, Block):
            inner = (*loops, item) if item.keyword == "for" else loops
            for branch in item.branches:
                yield from visit(branch.body, inner)


def expressions(item: Item) -> Iterator[Node]:
    """The expressions that stand in an item itself."""
    if isinstance(item, Output):
        yield item.node
    elif isinstance(item, Block):
        for branch in item.branches:
            yield from branch.expressions


def assignments(items: tuple[Item, ...]) -> Folder:
    """A folder that knows every constant that any name of the template may stand for."""
    folder = Folder()
    visits = list(visit(items))
    macros = {
        one.item.branches[0].expressions[0].children[0].name: one.item.branches[0].expressions[0].children[1:]
        for one in visits
        if isinstance(one.item, Block) and one.item.keyword == "macro" and _has_parameters(one.item)
    }
    for _ in range(PASSES):
        for one in visits:
            if isinstance(one.item, Block):
                _assign(one.item, folder)
            for node in expressions(one.item):
                _call_macros(node, macros, folder)
    return folder


def _has_parameters(block: Block) -> bool:
    heads = block.branches[0].expressions
    return bool(heads) and heads[0].kind == "call" and heads[0].children[0].kind == "name"


def _assign(block: Block, folder: Folder) -> None:
    heads = block.branches[0].expressions
    if block.keyword == "set" and block.target is not None:
        if not heads:
            folder.assign(block.target, ["".join(words(block.branches[0].body))[:4096]])
        elif block.target.kind == "list" and heads[0].kind == "list":
            for target, value in zip(block.target.children, heads[0].children, strict=False):
                folder.assign(target, folder.fold(value))
        else:
            folder.assign(block.target, folder.fold(heads[0]))
            _assign_members(block.target, heads[0], folder)
    elif block.keyword == "for" and block.target is not None and heads:
        for held in folder.fold(heads[0]):
            folder.assign(
                block.target, list(held)[:MAX_VALUES] if isinstance(held, list | str | dict) else []
            )
    elif block.keyword == "with":
        for target, value in zip(heads[::2], heads[1::2], strict=False):
            folder.assign(target, folder.fold(value))


def _assign_members(target: Node, value: Node, folder: Folder) -> None:
    """What `namespace(a=…)` holds, by the name it is reached under."""
    if value.kind == "call" and target.kind == "name":
        for one in value.children[1:]:
            if one.kind == "keyword":
                folder.assign(
                    Node("attr", one.at, one.name, children=(target,)), folder.fold(one.children[0])
                )


def _call_macros(node: Node, macros: dict[str, tuple[Node, ...]], folder: Folder) -> None:
    if not macros:
        return
    for one in walk(node):
        if one.kind != "call" or one.children[0].kind != "name" or one.children[0].name not in macros:
            continue
        parameters = macros[one.children[0].name]
        names = [Node("name", one.at, p.name) for p in parameters if p.kind in {"name", "keyword"}]
        for number, argument in enumerate(one.children[1:]):
            if argument.kind == "keyword":
                folder.assign(Node("name", one.at, argument.name), folder.fold(argument.children[0]))
            elif number < len(names):
                folder.assign(names[number], folder.fold(argument))


def words(items: Iterable[Item]) -> Iterator[str]:
    """The literal texts that items bring along, in order: texts, and strings that they put out or assign."""
    for one in visit(items):
        if isinstance(one.item, Text) and not one.item.comment:
            yield one.item.text
        elif isinstance(one.item, Output):
            yield from literals(one.item.node)
        elif isinstance(one.item, Block) and one.item.keyword == "set":
            for node in expressions(one.item):
                yield from literals(node)


def literals(node: Node) -> Iterator[str]:
    """The strings that stand in an expression, but for the words of an error."""
    pending = [node]
    while pending:
        one = pending.pop()
        if one.kind == "const" and isinstance(one.value, str):
            yield one.value
        if one.kind != "call" or one.children[0].name != "raise_exception":
            pending.extend(reversed(one.children))
