"""Walks a template: what stands in its blocks and loops, and the words it brings along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from assay.subjects.jinja import Block, Item, Node, Output, Text


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
