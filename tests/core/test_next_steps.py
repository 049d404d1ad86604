"""Whatever is not examined says what to do about it, wherever in the package it is skipped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import assay

PACKAGE = Path(assay.__file__).parent


def skips() -> Iterator[tuple[str, ast.Call]]:
    """Every place that says of something that it was not examined."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Skipped", "Unreadable"}:
                yield f"{file.relative_to(PACKAGE)}:{node.lineno}", node


def test_every_skip_has_a_next_step() -> None:
    found = list(skips())
    assert len(found) > 20
    without = [
        place
        for place, call in found
        if len(call.args) + len(call.keywords) < 3 and not any(isinstance(a, ast.Starred) for a in call.args)
    ]
    assert without == []
    empty = [place for place, call in found if ast.unparse(call.args[-1]) in {"''", "None"}]
    assert empty == []
