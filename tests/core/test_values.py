"""Findings, reports, candidates, verdicts, statements: what their values promise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.core.canonical import canonical_bytes
from assay.core.codec import from_json, to_json
from assay.core.errors import SubjectError
from assay.core.evidence import Evidence, Execution, report_statement, verdict_statement
from assay.core.finding import Finding, Location, Rule, Severity
from assay.core.release import Candidate, Decision, Reason, Verdict
from assay.core.report import Coverage, Report, Skipped, Status, conclude, incomplete
from assay.core.subject import Subject, SubjectKind

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SUBJECT = Subject(SubjectKind.FOLDER, "model", {"sha256": "a" * 64}, "/models/model")
RULE = Rule("test/rule", "A rule", Severity.HIGH, "Why.", "Do this.", ("cwe:CWE-502",))
FULL = Coverage("files", 3)
PARTIAL = Coverage("files", 2, (Skipped("x.bin", "unknown format"),))


@pytest.mark.parametrize(
    ("findings", "coverage", "status"),
    [
        ([], FULL, Status.PASS),
        ([], PARTIAL, Status.INCOMPLETE),
        ([], Coverage("files", 0), Status.INCOMPLETE),
        ([RULE.finding("bad")], FULL, Status.FAIL),
        ([RULE.finding("bad")], PARTIAL, Status.FAIL),
        ([RULE.finding("meh", severity=Severity.LOW)], FULL, Status.PASS),
        ([RULE.finding("meh", severity=Severity.LOW)], PARTIAL, Status.INCOMPLETE),
    ],
)
def test_the_status_follows_from_findings_and_coverage(
    findings: list[Finding], coverage: Coverage, status: Status
) -> None:
    assert conclude("test.check", SUBJECT, findings=findings, coverage=coverage).status is status


def test_an_incomplete_report_says_why() -> None:
    coverage = Coverage("files", 2, (Skipped("x.bin", "unknown format"),), 4)
    report = conclude("test.check", SUBJECT, findings=[], coverage=coverage)
    assert report.message == "x.bin: unknown format (and 3 more not examined)"
    told = incomplete("test.check", SUBJECT, "no baseline", "Name one.")
    assert (told.message, told.coverage.skipped[0].remedy) == ("no baseline; Name one.", "Name one.")


def test_findings_come_worst_first() -> None:
    findings = [RULE.finding("b", severity=s) for s in (Severity.LOW, Severity.CRITICAL, Severity.INFO)]
    report = conclude("test.check", SUBJECT, findings=findings, coverage=FULL)
    assert [f.severity.value for f in report.findings] == ["critical", "low", "info"]
    assert report.counts() == {"info": 1, "low": 1, "medium": 0, "high": 0, "critical": 1}


def test_a_fingerprint_survives_a_shifted_offset_but_no_other_change() -> None:
    one = RULE.finding("calls os.system", Location("m.pkl", offset=10))
    assert one.fingerprint == replace(one, location=Location("m.pkl", offset=99)).fingerprint
    assert one.fingerprint != replace(one, location=Location("n.pkl", offset=10)).fingerprint
    assert one.fingerprint != replace(one, message="calls os.popen").fingerprint


def test_a_report_survives_the_way_to_json_and_back() -> None:
    report = conclude(
        "test.check",
        SUBJECT,
        findings=[RULE.finding("bad", Location("a", "b", row=3), data={"n": [1, None, "x"]})],
        coverage=PARTIAL,
        metrics={"n": 3, "share": 0.25, "compared": True},
        details={"deep": {"list": [1.5, {"a": None}]}},
        baseline=SUBJECT,
    )
    assert from_json(Report, json.loads(json.dumps(to_json(report)))) == report


def test_a_report_of_another_shape_is_refused_and_says_where() -> None:
    document = to_json(conclude("test.check", SUBJECT, findings=[], coverage=FULL))
    document["status"] = "splendid"
    with pytest.raises(SubjectError, match="entry 7: status"):
        from_json(Report, document, source="entry 7")


def test_the_candidates_digest_changes_with_every_part() -> None:
    candidate = Candidate("bot", {"model": SUBJECT})
    other = Subject(SubjectKind.DATASET, "d", {"sha256": "b" * 64}, "/d")
    assert candidate.digest != Candidate("bot2", {"model": SUBJECT}).digest
    assert candidate.digest != Candidate("bot", {"model": SUBJECT, "data": other}).digest
    moved = replace(SUBJECT, name="elsewhere", location="/elsewhere")
    assert candidate.digest == Candidate("bot", {"model": moved}).digest


def verdict(decision: Decision = Decision.HOLD, at: datetime = NOW) -> Verdict:
    reason = Reason("check-failed", decision, "it failed", "test.check")
    return Verdict(
        decision,
        (reason,),
        "bot",
        "c" * 64,
        {"packs": "baseline", "sha256": "d" * 64},
        "e" * 64,
        "regopy",
        at,
    )


def test_a_verdicts_digest_leaves_out_the_time_only() -> None:
    assert verdict().digest == verdict(at=datetime(2027, 1, 1, tzinfo=UTC)).digest
    assert verdict().digest != verdict(Decision.FAIL).digest
    assert verdict().digest != replace(verdict(), candidate="f" * 64).digest
    assert verdict().digest != replace(verdict(), policy={"packs": "strict", "sha256": "d" * 64}).digest


def test_statements_are_in_toto_v1_bound_to_the_subject() -> None:
    report = conclude("test.check", SUBJECT, findings=[], coverage=FULL)
    evidence = Evidence(report, Execution("0.1.0", "1", "0" * 64, NOW, NOW, "c" * 64))
    statement = json.loads(report_statement(evidence))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "model", "digest": {"sha256": "a" * 64}}]
    assert from_json(Evidence, statement["predicate"]) == evidence


def test_a_verdict_is_a_slsa_verification_summary() -> None:
    candidate = Candidate("bot", {"model": SUBJECT})
    statement = json.loads(verdict_statement(verdict(Decision.PASS), candidate))
    assert statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert statement["predicate"]["verificationResult"] == "PASSED"
    assert statement["predicate"]["timeVerified"] == "2026-01-02T03:04:05Z"
    assert from_json(Candidate, statement["predicate"]["candidate"]) == candidate
    held = json.loads(verdict_statement(verdict(Decision.HOLD), candidate))
    assert held["predicate"]["verificationResult"] == "FAILED"


def test_canonical_json_refuses_what_it_cannot_carry() -> None:
    assert canonical_bytes({"b": 1, "a": [True, None, "é"]}) == '{"a":[true,null,"é"],"b":1}'.encode()
    for value in (float("nan"), float("inf"), 2**60):
        with pytest.raises(ValueError, match=r".+"):
            canonical_bytes({"x": value})


def test_what_json_cannot_carry_is_escaped_in_a_statement_not_fatal() -> None:
    finding = RULE.finding("quotes \ud800 of a hostile file", data={"header": 2**63, "share": float("nan")})
    report = conclude("test.check", SUBJECT, findings=[finding], coverage=FULL)
    evidence = Evidence(report, Execution("0.1.0", "1", "0" * 64, NOW, NOW))
    (written,) = json.loads(report_statement(evidence))["predicate"]["report"]["findings"]
    assert written["message"] == "quotes \\ud800 of a hostile file"
    assert written["data"]["header"] == str(2**63)


def test_a_subject_that_is_hashed_beside_settles_as_the_same(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"x" * 100_000)
    for path in (tmp_path, tmp_path / "weights.bin"):
        begun = Subject.beginning(path)
        assert begun.settled() == Subject.from_path(path)
        assert begun.sha256 == Subject.from_path(path).sha256
    gone = Subject.beginning(tmp_path / "gone")
    for _ in range(2):
        with pytest.raises(SubjectError, match="cannot be read"):
            gone.settled()
