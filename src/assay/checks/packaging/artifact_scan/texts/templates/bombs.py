"""Templates that take all time or memory there is: huge ranges, loops within loops, strings multiplied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assay.checks.packaging.artifact_scan.texts.templates.folding import MAX_DEPTH, Folder
from assay.subjects.jinja import Block, Node, walk

ROUNDS = 1_000_000  # of one loop, or of loops within one another; jinja2's sandbox allows 100,000
LETTERS = 10_000_000
HUGE = 1 << 62
_WIDTHS = frozenset({"center", "indent", "wordwrap"})


def bombs(node: Node, folder: Folder) -> Iterator[tuple[str, int]]:
    """What an expression would cost, and where, if that is too much."""
    for one in walk(node):
        if (
            one.kind == "call"
            and one.children[0].kind == "name"
            and one.children[0].name in {"range", "lipsum"}
        ):
            count = rounds(one, folder)
            if count > ROUNDS:
                yield f"`{one.children[0].name}` of {_shown(count)}", one.at
        elif one.kind == "filter" and one.name in _WIDTHS and len(one.children) > 1:
            width = _number(one.children[1], folder)
            if width > LETTERS:
                yield f"`|{one.name}` of {_shown(width)} characters", one.at
        elif one.kind == "binary" and one.name == "**" and _number(one, folder) >= HUGE:
            yield "a power that does not fit 62 bits", one.at
        elif one.kind == "binary" and one.name == "*":
            yield from _multiplied(one, folder)


def rounds(node: Node, folder: Folder) -> int:
    """How often a loop over an expression runs, where that is constant; 1 where it depends on the input."""
    if (
        node.kind != "call"
        or node.children[0].kind != "name"
        or node.children[0].name not in {"range", "lipsum"}
    ):
        return 1
    numbers = [
        _number(one.children[0] if one.kind == "keyword" else one, folder) for one in node.children[1:]
    ]
    if not numbers:
        return 1
    if len(numbers) == 1:
        return max(1, numbers[0])
    step = numbers[2] if len(numbers) > 2 else 1  # noqa: PLR2004  range(start, stop, step)
    return max(1, abs(numbers[1] - numbers[0]) // max(1, abs(step)))


def doubled(block: Block) -> bool:
    """Whether an assignment in a loop makes a string twice as long as it was: `{% set x = x ~ x %}`."""
    if block.keyword != "set" or block.target is None or not block.branches[0].expressions:
        return False
    target = block.target
    joined = [
        one for one in walk(block.branches[0].expressions[0]) if one.kind == "binary" and one.name in "~+"
    ]
    return any(sum(_same(part, target) for part in one.children) > 1 for one in joined)


def _same(one: Node, other: Node) -> bool:
    return (one.kind, one.name) == (other.kind, other.name) and all(
        _same(*pair) for pair in zip(one.children, other.children, strict=False)
    )


def _multiplied(node: Node, folder: Folder) -> Iterator[tuple[str, int]]:
    for text, count in (node.children, node.children[::-1]):
        values: list[Any] = folder.fold(text)
        length = max((len(value) for value in values if isinstance(value, str | list)), default=0)
        times = _number(count, folder) if length else 0
        if length * times > LETTERS:
            yield f"a string of {_shown(length * times)} characters", node.at


def _number(node: Node, folder: Folder, depth: int = 0) -> int:
    """The largest integer an expression may come to, up to `HUGE`; 0 where it is not constant."""
    if depth > MAX_DEPTH:
        return HUGE  # nobody adds up so many numbers
    if node.kind == "binary" and node.name in {"**", "*", "+", "-"}:
        left, right = (_number(child, folder, depth + 1) for child in node.children)
        return _arithmetic(node.name, left, right)
    if node.kind == "unary" and node.name == "-":
        return -_number(node.children[0], folder, depth + 1)
    if node.kind == "filter" and node.name in {"int", "abs", "float"}:
        return _number(node.children[0], folder, depth + 1)
    numbers = [
        int(value) for value in folder.fold(node) if isinstance(value, int | float) and abs(value) < HUGE
    ]
    digits = [int(value) for value in folder.strings(node) if value.isdecimal() and len(value) < 18]  # noqa: PLR2004
    beyond = [HUGE for value in folder.fold(node) if isinstance(value, int | float) and not abs(value) < HUGE]
    return max([*numbers, *digits, *beyond], default=0)


def _arithmetic(operator: str, left: int, right: int) -> int:
    if operator == "**":
        if abs(left) > 1 and abs(right) * abs(left).bit_length() > 128:  # noqa: PLR2004  beyond HUGE either way
            return HUGE
        result = left ** max(0, right) if abs(left) > 1 else left
    else:
        result = {"*": left * right, "+": left + right, "-": left - right}[operator]
    return max(-HUGE, min(HUGE, result))


def _shown(count: int) -> str:
    return f"{count:,}" if count < HUGE else "more than 2^62"
