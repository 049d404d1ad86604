from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.core.canonical import canonical_bytes, canonical_digest
from assay.core.errors import GateError
from assay.core.finding import Finding, Location, Severity
from assay.core.release import NotApplicable
from assay.core.report import Coverage, Status
from assay.gate import CheckedEvidence, RegistryState, input_schema
from assay.gate.builder import METRICS_CAP
from assay.gate.values import OPTIONS_CAP

Bench = Any  # conftest's; importlib mode has no name for it
PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas" / "gate-input.v1.json"


def test_published_schema_is_that_of_the_code() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == input_schema()


def test_document_fits_the_published_schema(bench: Bench) -> None:
    bench.declared = [NotApplicable("model.backdoor", "no trigger was found")]
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(bench.document())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**bench.document(), "approvals": []})


def test_document_in_full(bench: Bench, findings_of: Callable[..., CheckedEvidence]) -> None:
    bench.checks = {"artifact.scan": findings_of("artifact.scan", severities={Severity.LOW: 1})}
    bench.finished("artifact.scan", timedelta(minutes=2))
    document = bench.document()
    assert document == {
        "version": 1,
        "now": {"rfc3339": "2026-01-31T12:00:00Z", "unix": 1769860800},
        "model": "bot",
        "candidate": {
            "digest": bench.candidate.digest,
            "subjects": {"data": "b" * 64, "environment": "c" * 64, "model": "a" * 64},
        },
        "checks": {
            "artifact.scan": {
                "present": True,
                "status": "pass",
                "message": "",
                "applicable": True,
                "not_applicable_reason": "",
                "not_applicable_expired": False,
                "counts": {"info": 0, "low": 1, "medium": 0, "high": 0, "critical": 0},
                "summary": "1 low; worst: saw thing 0 (file0)",
                "findings": [
                    {"rule": "rule/low", "severity": "low", "message": "saw thing 0", "location": "file0"}
                ],
                "findings_total": 1,
                "metrics": {"compared": False, "relative_l2": 0.1},
                "coverage": {
                    "unit": "files",
                    "examined": 3,
                    "skipped_total": 0,
                    "complete": True,
                    "notes": [],
                },
                "age_seconds": 120,
                "signed": True,
                "signer": "key-ci",
                "signature_problem": "",
                "subject": "a" * 64,
                "subject_matches": True,
                "baseline": "",
                "baseline_matches": False,
                "check_version": "1",
                "options": {},
                "options_match": True,
                "ignored": {"info": 0, "low": 0, "medium": 0, "high": 0, "critical": 0},
                "ignored_expired": 0,
                "role": "model",
            }
        },
        "registry": {
            "alias": "champion",
            "champion": {"version": "3", "digest": "e" * 64, "subjects": {"model": "9" * 64}},
            "rolled_back": None,
        },
        "settings": {"max_age_seconds": 2592000, "user": {}},
    }


def test_worst_findings_are_kept_whatever_their_order(bench: Bench) -> None:
    findings = [Finding("r", Severity.LOW, f"low {n}", Location(row=n)) for n in range(200)]
    findings.insert(100, Finding("r", Severity.CRITICAL, "the one that matters"))
    bench.change("artifact.scan", findings=tuple(findings), status=Status.FAIL)
    check = bench.document()["checks"]["artifact.scan"]
    assert check["findings"][0]["message"] == "the one that matters"
    assert (len(check["findings"]), check["findings_total"]) == (50, 201)
    assert check["counts"] == {"info": 0, "low": 200, "medium": 0, "high": 0, "critical": 1}
    assert check["summary"] == "1 critical, 200 low; worst: the one that matters"


def test_numbers_that_json_cannot_carry_become_text(bench: Bench) -> None:
    metrics = {"nan": float("nan"), "inf": float("-inf"), "huge": 2**60, "exact": 2**53, "yes": True}
    bench.change("artifact.scan", metrics=metrics)
    assert bench.document()["checks"]["artifact.scan"]["metrics"] == {
        "nan": "nan",
        "inf": "-inf",
        "huge": str(2**60),
        "exact": 2**53,
        "yes": True,
    }


def test_flood_of_metrics_is_refused_and_not_cut(bench: Bench) -> None:
    bench.change("artifact.scan", metrics={f"m{n}": n for n in range(METRICS_CAP)})
    assert len(bench.document()["checks"]["artifact.scan"]["metrics"]) == METRICS_CAP
    bench.change("artifact.scan", metrics={f"m{n}": n for n in range(METRICS_CAP + 1)})
    with pytest.raises(GateError, match="501 metrics"):
        bench.document()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(st.characters(), max_size=700))
def test_no_text_of_others_can_leave_its_string(bench: Bench, text: str) -> None:
    finding = Finding(text, Severity.HIGH, text, Location(path=text, name=text))
    bench.change(
        "artifact.scan",
        findings=(finding,),
        message=text,
        metrics={text: text},
        coverage=Coverage(text, 1, notes=(text,)),
        problem=text,
        options={text: text, "allow": {text: [text]}, "list": [text, {text: text}]},
    )
    document = bench.document()
    assert canonical_digest(document)
    for written in strings(document["checks"]):
        assert not set(written) & set('"\\\x00\x1b\n\r\x7f\u2028')
        written.encode("utf-8")


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in strings(item)]
    return [text for item in value for text in strings(item)] if isinstance(value, list) else []


def options(bench: Bench, given: dict[str, Any]) -> Any:
    bench.change("artifact.scan", options=given)
    return bench.document()["checks"]["artifact.scan"]["options"]


def test_options_are_carried(bench: Bench) -> None:
    given = {"fail_on": "high", "allow": {"a.b": "ours"}, "list": [1, True, None], "share": 0.5, "none": {}}
    assert options(bench, given) == given


def test_long_options_are_cut_and_told_apart(bench: Bench) -> None:
    def cut(last: str) -> Any:
        many = [*map(str, range(60)), last]
        return options(
            bench,
            {"t": "x" * 9_999 + last, "d": {n: n for n in many}, "l": many, "deep": [[last]], "big": 2**60},
        )

    one, two = cut("a"), cut("b")
    assert len(canonical_bytes(one)) < 3_000
    assert (len(one["t"]), len(one["d"]), len(one["l"]), one["big"]) == (477, 51, 51, str(2**60))
    assert [name for name in one if one[name] != two[name]] == ["t", "d", "l", "deep"]


def test_flood_of_options_is_refused_and_not_cut(bench: Bench) -> None:
    assert len(options(bench, {f"o{n}": n for n in range(OPTIONS_CAP)})) == OPTIONS_CAP
    with pytest.raises(GateError, match="101 options"):
        options(bench, {f"o{n}": n for n in range(OPTIONS_CAP + 1)})


def test_role_of_a_check_without_evidence_is_told(bench: Bench) -> None:
    bench.declared = [NotApplicable("model.backdoor", "no trigger was found"), NotApplicable("other", "none")]
    bench.roles = {"model.backdoor": "endpoint"}
    checks = bench.document()["checks"]
    assert (checks["model.backdoor"]["role"], checks["other"]["role"]) == ("endpoint", "")
    assert checks["model.behavior-diff"]["role"] == "endpoint"


def test_baseline_matches_only_the_champion(bench: Bench) -> None:
    def seen() -> tuple[str, bool]:
        check = bench.document()["checks"]["model.weights-diff"]
        return check["baseline"], check["baseline_matches"]

    assert seen() == ("9" * 64, True)
    bench.registry = RegistryState("champion", None)
    assert seen() == ("9" * 64, False)


def matches(bench: Bench) -> bool:
    return bool(bench.document()["checks"]["artifact.scan"]["subject_matches"])


def test_evidence_on_another_part_does_not_count(bench: Bench) -> None:
    data = bench.candidate.subjects["data"]
    bench.change("artifact.scan", subject=replace(bench.candidate.subjects["model"], digests=data.digests))
    assert not matches(bench)
    bench.change("artifact.scan", subject=data, role="model")
    assert not matches(bench)
    bench.change("artifact.scan", subject=bench.candidate.subjects["model"])
    assert matches(bench)


def test_role_counts_more_than_kind(bench: Bench) -> None:
    bench.change("artifact.scan", role="environment")
    assert not matches(bench)
    bench.change("artifact.scan", role="endpoint")
    assert not matches(bench)
