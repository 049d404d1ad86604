"""What the names of a template may stand for: assignments, loops, macros and what these are called with."""

from __future__ import annotations

from collections.abc import Iterator

from assay.checks.packaging.artifact_scan.texts.templates.calls import APPENDING, UPDATING, added
from assay.checks.packaging.artifact_scan.texts.templates.folding import APPENDED, UPDATED, Folder
from assay.checks.packaging.artifact_scan.texts.templates.names import is_edged
from assay.checks.packaging.artifact_scan.texts.templates.operations import concatenated
from assay.checks.packaging.artifact_scan.texts.templates.tree import expressions, visit, words
from assay.checks.packaging.artifact_scan.texts.templates.values import (
    COMPUTED,
    COMPUTED_VALUE,
    DATA_VALUE,
    EDGED,
    MAX_LENGTH,
    NOTHING,
    Table,
    Value,
    elements,
    unfolded,
    union,
)
from assay.subjects.jinja import Block, Item, Node, Output, Text, walk

CHANGING = frozenset({"append", "extend", "insert", "update", "setdefault"})  # which no field is called
PASSES = 16  # over assignments that build on assignments


def assignments(items: tuple[Item, ...]) -> Folder:
    """A folder that knows every value that any name of the template may stand for."""
    folder = Folder()
    visits = [one.item for one in visit(items)]
    blocks = [item for item in visits if isinstance(item, Block)]
    macros = {_head(block).children[0].name: block for block in blocks if _is_macro(block)}
    calls = [node for item in visits for node in _calls(item)]
    folder.callables = {node.children[0].name for node in calls if node.children[0].kind == "name"}
    folder.callables |= set(macros)
    _leave_open(visits, macros, folder)
    folder.changed = True
    while folder.changed and not folder.exhausted:
        folder.changed = False
        folder.passed += 1
        if folder.passed > PASSES:
            folder.cut = True
            break
        _pass_over(blocks, calls, macros, folder)
    folder.settle()
    return folder


def _pass_over(blocks: list[Block], calls: list[Node], macros: dict[str, Block], folder: Folder) -> None:
    """Work out every assignment once; without those that are left, once there was too much work."""
    for block in blocks:
        _assign(block, folder)
        if folder.exhausted:
            return
    for name, block in macros.items():
        folder.remember(f"{name}()", _body(block, folder))
    for node in calls:
        _called(node, macros, folder)
        if folder.exhausted:
            return


def _leave_open(visits: list[Item], macros: dict[str, Block], folder: Folder) -> None:
    """Take anything for what is passed to macros, or added to lists, in ways that are not followed."""
    for name in _passed_on(visits, macros):
        for parameter in _head(macros[name]).children[1:]:
            folder.remember(parameter.name, COMPUTED_VALUE)
    if _changes_unseen(visits):
        folder.remember(APPENDED, COMPUTED_VALUE)
        folder.remember(UPDATED, COMPUTED_VALUE)


def _head(block: Block) -> Node:
    return block.branches[0].expressions[0]


def _is_macro(block: Block) -> bool:
    if block.keyword != "macro" or not block.branches[0].expressions:
        return False
    return _head(block).kind == "call" and _head(block).children[0].kind == "name"


def _calls(item: Item) -> Iterator[Node]:
    """The calls in the expressions of an item, but for what a macro is declared with."""
    if isinstance(item, Block) and _is_macro(item):
        return
    for node in expressions(item):
        for one in walk(node):
            if one.kind == "call":
                yield one


def _passed_on(visits: list[Item], macros: dict[str, Block]) -> Iterator[str]:
    """The macros that stand anywhere but where they are called, so that their arguments are not seen."""
    if not macros:
        return
    for item in visits:
        for node in expressions(item):
            for one in walk(node):
                children = one.children[1:] if one.kind == "call" else one.children
                yield from (child.name for child in children if child.kind == "name" and child.name in macros)
            if node.kind == "name" and node.name in macros:
                yield node.name


def _changes_unseen(visits: list[Item]) -> bool:
    """Whether a method that changes lists or dicts is fetched without being called there."""
    for item in visits:
        for node in expressions(item):
            if node.kind == "attr" and node.name in CHANGING:
                return True
            for one in walk(node):
                children = one.children[1:] if one.kind == "call" else one.children
                fetched = [child.name for child in children if child.kind == "attr"]
                if one.kind in {"item", "filter"}:
                    fetched += [str(child.value) for child in one.children[1:] if child.kind == "const"]
                if any(name in CHANGING for name in fetched):
                    return True
    return False


def _assign(block: Block, folder: Folder) -> None:
    heads = block.branches[0].expressions
    if block.keyword == "set" and block.target is not None:
        value = folder.evaluate(heads[0]) if heads else _body(block, folder)
        folder.assign(block.target, value, literal=bool(heads) and heads[0].kind in {"const", "list"})
    elif block.keyword == "for" and block.target is not None and heads:
        gone_over = elements(folder.evaluate(heads[0]))
        folder.remember("loop.previtem", gone_over)
        gone_over = union([gone_over, folder.known.get("loop()", NOTHING)])
        folder.assign(block.target, gone_over, literal=heads[0].kind in {"list", "dict"})
    elif block.keyword == "with":
        for target, node in zip(heads[::2], heads[1::2], strict=False):
            folder.assign(target, folder.evaluate(node), literal=node.kind == "const")
    elif block.keyword == "macro" and _is_macro(block):
        _default(heads[0].children[1:], folder)
    elif block.keyword == "call" and block.target is not None:
        for parameter in block.target.children:
            folder.remember(parameter.name, folder.known.get("caller()", DATA_VALUE))
        _default(block.target.children, folder)


def _default(parameters: tuple[Node, ...], folder: Folder) -> None:
    for parameter in parameters:
        if parameter.kind == "keyword":
            folder.remember(parameter.name, folder.evaluate(parameter.children[0]))


def _body(block: Block, folder: Folder) -> Value:
    """What the body of a block puts out; anything but texts and expressions in it is not followed."""
    parts: list[Value] = []
    for item in block.branches[0].body:
        if isinstance(item, Text):
            parts += [] if item.comment else [_trimmed(item.text)]
        elif isinstance(item, Output):
            parts.append(folder.evaluate(item.node))
        elif not (isinstance(item, Block) and item.keyword == "set"):
            said = "".join(words(block.branches[0].body))[:MAX_LENGTH]
            return union([COMPUTED_VALUE, Value((said,)) if said else NOTHING])
    return concatenated(parts, is_edged, EDGED)


def _trimmed(text: str) -> Value:
    """A text, with and without the spaces at its ends, which marks and options of Jinja take away."""
    ways = dict.fromkeys([text, text.strip(), text.lstrip(), text.rstrip()])
    return Value(tuple(way[:MAX_LENGTH] for way in ways), 0 if len(text) <= MAX_LENGTH else COMPUTED)


def _called(node: Node, macros: dict[str, Block], folder: Folder) -> None:
    function = node.children[0]
    if function.kind == "attr":
        if function.name in APPENDING:
            folder.remember(APPENDED, added(folder, node))
        if function.name in UPDATING:
            folder.remember(UPDATED, added(folder, node))
    if function.kind != "name":
        return
    if function.name == "namespace":
        _name_space(node, folder)
    elif function.name in {"loop", "caller"}:
        for argument in node.children[1:]:
            value = folder.evaluate(argument.children[0] if argument.kind == "keyword" else argument)
            folder.remember(f"{function.name}()", elements(value) if function.name == "loop" else value)
    elif function.name in macros:
        _pass(node, _head(macros[function.name]).children[1:], folder)


def _name_space(node: Node, folder: Folder) -> None:
    for argument in node.children[1:]:
        if argument.kind == "keyword":
            folder.assign(Node("attr", node.at, argument.name), folder.evaluate(argument.children[0]))
        else:
            inner = argument.children[0] if argument.kind == "unary" else argument
            folder.assign(Node("item", node.at), _deep(folder.evaluate(inner)))


def _deep(value: Value) -> Value:
    """The values of a dict, and what is not known about it."""
    tables = [one for one in value.constants if isinstance(one, Table)]
    return union([*(held for one in tables for _, held in one.pairs), Value(flags=value.flags)])


def _pass(node: Node, parameters: tuple[Node, ...], folder: Folder) -> None:
    """What a macro's parameters are called with."""
    for number, argument in enumerate(node.children[1:]):
        if argument.kind == "keyword":
            folder.remember(argument.name, folder.evaluate(argument.children[0]))
        elif argument.kind == "unary" and argument.name in {"*", "**"}:
            for one in parameters:
                folder.remember(one.name, unfolded(folder.evaluate(argument.children[0])))
        elif number < len(parameters):
            folder.remember(parameters[number].name, folder.evaluate(argument))
