"""What is printed without the library that lays out tables is what that would print."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from assay.core.finding import Finding, Severity
from assay.core.report import Coverage, Report, Skipped, conclude
from assay.core.subject import Subject, SubjectKind
from assay.reports import Document, brief, table

_STYLE = re.compile("\x1b\\[[0-9;]*m")
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def clean(name: str, *notes: str) -> Report:
    subject = Subject.from_document(SubjectKind.FOLDER, name, {"name": "a"}, "/nowhere")
    coverage = Coverage(unit="files", examined=3, notes=notes)
    return conclude("artifact.scan", subject, findings=[], coverage=coverage)


def of(*reports: Report, **more: Any) -> Document:
    return Document("Artifact scan", reports, NOW, "0.1", **more)


BRIEF = {
    "nothing": of(),
    "one report": of(clean("model.pt")),
    "several, with notes": of(clean("a", "told apart", "by rule"), clean("b"), notes=("not scanned: c",)),
    "a hostile name": of(clean("a\x1b[2J\n")),
}
LAID_OUT = {
    "a finding": of(replace(clean("a"), findings=(Finding("x/y", Severity.LOW, "it says"),))),
    "something skipped": of(
        conclude(
            "artifact.scan",
            clean("a").subject,
            findings=[],
            coverage=Coverage("files", 1, (Skipped("b", "cannot be read"),), 1),
        )
    ),
    "letters of two columns": of(clean("模型")),
    "a line that is too long": of(clean("a" * 150)),
}


@pytest.mark.parametrize("width", [None, 40, 100, 200])
@pytest.mark.parametrize("name", BRIEF)
def test_lines_are_those_of_the_table(name: str, width: int | None) -> None:
    document = BRIEF[name]
    shown = brief.render(document, width=width)
    assert shown is None or shown == table.render(document, width=width)
    assert (shown is None) == (width == 40)


@pytest.mark.parametrize("name", BRIEF)
def test_colours_are_where_the_table_has_them(name: str) -> None:
    drawn = [brief.render(BRIEF[name], color=True), table.render(BRIEF[name], color=True)]
    assert [_STYLE.sub("", text or "") for text in drawn] == [table.render(BRIEF[name])] * 2
    assert all("\x1b[1m" in (text or "") for text in drawn)


@pytest.mark.parametrize("name", LAID_OUT)
def test_what_wants_a_layout_gets_one(name: str) -> None:
    assert brief.render(LAID_OUT[name]) is None
