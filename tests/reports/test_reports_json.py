from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from assay.core.errors import UsageError
from assay.reports import Document, render
from assay.reports.json_report import schema

PUBLISHED = Path(__file__).parents[2] / "docs/schemas/report.v1.json"


def test_the_published_schema_is_in_step() -> None:
    # To renew: write json.dumps(schema(), indent=2) there.
    assert json.loads(PUBLISHED.read_text()) == schema()


@pytest.mark.parametrize("name", ["document", "hostile", "empty"])
def test_every_document_validates(name: str, request: pytest.FixtureRequest) -> None:
    text = render(request.getfixturevalue(name), "json")
    jsonschema.Draft202012Validator(
        schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(json.loads(text))
    assert text.isascii()


def test_what_programs_read(document: Document) -> None:
    told = json.loads(render(document, "json"))
    assert told["schema_version"] == 1
    assert told["summary"] == {"critical": 1, "high": 0, "medium": 0, "low": 1, "info": 0}
    assert [r["check"] for r in told["reports"]] == [
        "model.weights-diff",
        "artifact.scan",
        "data.hygiene",
        "supply.sbom",
    ]
    scan = told["reports"][1]
    assert scan["stage"] == "packaging"
    assert scan["ledger_entry"] == 3
    assert scan["findings"][0]["fingerprint"] == document.reports[1].findings[0].fingerprint
    assert told["verdict"]["digest"] == document.verdict.digest if document.verdict else False


def test_numbers_that_json_cannot_carry_become_text(hostile: Document) -> None:
    report = json.loads(render(hostile, "json"))["reports"][0]
    assert report["metrics"]["nan"] == "nan"
    assert report["details"]["triggers"][0]["lift"] in {None, "inf"}


def test_an_unknown_format_is_refused(document: Document) -> None:
    with pytest.raises(UsageError, match="there is no format 'pdf'"):
        render(document, "pdf")
