"""Checks that were declared away are seen in every format; and what the table says of weights."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from assay.core.canonical import JSON
from assay.core.release import Decision, NotApplicable
from assay.core.report import Coverage, Metric, Report, Status
from assay.reports import Document, render
from assay.reports.stages import counted

REASON = "this project serves no endpoint"


@pytest.fixture
def waived(document: Document) -> Document:
    day = timedelta(days=1)
    declared = (
        NotApplicable("model.behavior-diff", REASON, document.created_at + day),
        NotApplicable("acme.thing", "it is not ours", document.created_at - day),
    )
    return replace(document, declared=declared)


@pytest.mark.parametrize("form", ["table", "markdown", "html", "json", "junit"])
def test_a_declaration_is_seen_with_reason_and_end(waived: Document, form: str) -> None:
    text = render(waived, form, width=200)
    for told in ("model.behavior-diff", REASON, "2026-11-24", "acme.thing", "it is not ours"):
        assert told in text
    if form != "json":
        assert "not applicable" in text
        assert "(until 2026-11-24)" in text
        assert "(expired 2026-11-22)" in text


def test_programs_read_it(waived: Document) -> None:
    told = json.loads(render(waived, "json"))["declared"]
    assert told[0] == {
        "check": "model.behavior-diff",
        "reason": REASON,
        "expires_at": "2026-11-24T14:00:00Z",
    }
    root = ET.fromstring(render(waived, "junit"))
    assert root.get("skipped") == "2"
    assert root.get("errors") == "2"
    assert root.find("testsuite[@name='acme.thing']/testcase/skipped") is not None


def test_a_waiver_alone_does_not_read_as_examined(empty: Document) -> None:
    waived = replace(empty, declared=(NotApplicable("model.behavior-diff", REASON),))
    for form in ("table", "markdown", "html"):
        text = render(waived, form, width=200)
        assert REASON in text
        assert "nothing was examined" in text or "No check ran" in text


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_a_verdict_that_passed_prints_no_remedy(document: Document, form: str) -> None:
    assert document.verdict is not None
    reasons = tuple(replace(r, remedy="Run assay approve.") for r in document.verdict.reasons)
    held = replace(document.verdict, decision=Decision.HOLD, reasons=reasons)
    passed = replace(held, decision=Decision.PASS)
    assert "Run assay approve." in render(replace(document, verdict=held), form)
    assert "Run assay approve." not in render(replace(document, verdict=passed), form)


def weights(document: Document, **metrics: Metric) -> str:
    report = next(r for r in document.reports if r.check == "model.weights-diff")
    tensors: list[JSON] = [
        {"name": f"layer.{n}", "relative_l2": n / 100, "cosine": 1 - n / 1000, "compared": True}
        for n in range(8)
    ]
    known: dict[str, Metric] = {
        "compared": True,
        "tensors": 8,
        "changed_tensors": 7,
        "relative_l2": 0.0421,
        "added": 2,
    }
    report = replace(report, metrics=known | metrics, details={"tensors": tensors})
    return render(replace(document, reports=(report,)), "table")


def test_the_table_shows_what_changed_in_weights(document: Document) -> None:
    text = weights(document)
    assert "changed: 7 of 8 tensors, total relative L2 0.0421, 2 added" in text
    assert "layer.7: relative L2 0.07, cosine 0.993" in text
    assert [n for n in range(8) if f"layer.{n}:" in text] == [3, 4, 5, 6, 7]


def test_weights_without_a_baseline_or_of_nonsense_say_nothing(document: Document) -> None:
    assert "changed:" not in weights(document, compared=False)
    assert "changed:" not in weights(document, tensors="many")


def test_one_is_singular() -> None:
    assert counted(1, "files") == "1 file"
    assert counted(1, "entries") == "1 entry"
    assert counted(0, "files") == "0 files"
    assert counted(2000, "rows") == "2,000 rows"


def test_one_file_examined(document: Document) -> None:
    one = Report("artifact.scan", document.reports[0].subject, Status.PASS, coverage=Coverage("files", 1))
    assert "1 file examined" in render(replace(document, reports=(one,)), "table")
