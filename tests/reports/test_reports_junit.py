from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from assay.core.finding import Finding, Severity
from assay.reports import Document, render


def test_counts_failures_and_errors(document: Document) -> None:
    root = ET.fromstring(render(document, "junit"))
    assert root.attrib == {"name": "bot 1.2", "tests": "6", "failures": "1", "errors": "2"}
    counts = {s.get("name"): (s.get("tests"), s.get("failures"), s.get("errors")) for s in root}
    assert counts == {
        "supply.sbom": ("1", "0", "1"),
        "artifact.scan": ("3", "1", "0"),
        "data.hygiene": ("1", "0", "1"),
        "model.weights-diff": ("1", "0", "0"),
    }


def test_incomplete_is_an_error_that_says_what_is_missing(document: Document) -> None:
    error = ET.fromstring(render(document, "junit")).find("testsuite[@name='data.hygiene']/testcase/error")
    assert error is not None
    assert error.get("type") == "incomplete"
    assert "rows 10-20: not valid UTF-8. Convert the file." in (error.text or "")


@pytest.mark.parametrize("name", ["hostile", "empty"])
def test_it_is_always_xml(name: str, request: pytest.FixtureRequest) -> None:
    root = ET.fromstring(render(request.getfixturevalue(name), "junit"))
    assert root.get("errors") == "1"


def test_findings_of_a_passed_check_are_told_not_failed(document: Document) -> None:
    finding = Finding("sbom/missing-licence", Severity.INFO, "no licence")
    passed = replace(document.reports[0], findings=(finding,))
    root = ET.fromstring(render(replace(document, reports=(passed,)), "junit"))
    assert root.get("failures") == "0"
    assert "no licence" in (root.findtext("testsuite/testcase/system-out") or "")
