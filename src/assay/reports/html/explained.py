"""A finding explained: the call that would run, the bytes that lead to it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from assay.core.explanation import Explanation, Step
from assay.reports.html.element import Markup, lines, tag


def explained(explanation: Explanation) -> Markup:
    """An explanation, open where it shows a call."""
    rows = list(_rows(explanation))
    what = "What would have run, and what to do" if explanation.source else "What it means, and what to do"
    opened = "" if explanation.source else None
    return tag("details", tag("summary", what), tag("dl", rows), class_="explained", open=opened)


def _rows(explanation: Explanation) -> Iterator[Markup]:
    if explanation.source:
        yield from _row("would run", _code(explanation.source))
    if explanation.steps:
        yield from _row("because", tag("ul", (_step(step) for step in explanation.steps)))
    if explanation.loaders:
        yield from _row("run by", tag("ul", (tag("li", loader) for loader in explanation.loaders)))
    if explanation.effect:
        yield from _row("effect", explanation.effect)
    if explanation.advice:
        yield from _row("do", tag("ol", (_advice(line) for line in explanation.advice)))


def _row(label: str, value: str | Markup) -> tuple[Markup, Markup]:
    return tag("dt", label), tag("dd", value)


def _step(step: Step) -> Markup:
    place = f"byte {step.offset:,}: " if step.offset is not None else ""
    return tag("li", place, tag("code", step.what))


def _advice(line: str) -> Markup:
    told, _, command = line.partition("\n")
    return tag("li", told, _code(command) if command else None)


def _code(source: str) -> Markup:
    return tag("pre", tag("code", lines(source)))
