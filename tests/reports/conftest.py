"""Documents that the report tests render."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assay.core.canonical import JSON
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Location, Severity
from assay.core.release import Approval, Candidate, Decision, Reason, Verdict
from assay.core.report import Coverage, Report, Skipped, Status, conclude
from assay.core.subject import Subject, SubjectKind
from assay.reports import Document, LedgerFacts

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
HOSTILE = (
    '\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>| `x` @admin\n# "h" \u202egpj.exe [a](http://e.x) \ud800'
)


def subject(name: str, kind: SubjectKind = SubjectKind.FOLDER) -> Subject:
    return Subject.from_document(kind, name, {"name": name.encode("utf-8", "replace").decode()}, "/nowhere")


def scan_report() -> Report:
    findings = [
        Finding(
            "pickle/dangerous-global",
            Severity.CRITICAL,
            "loads os.system",
            Location("model.pt", "archive/data.pkl", offset=12),
            "Do not load this file.",
            ("owasp:LLM03", "cwe:CWE-502"),
            explanation=Explanation(
                "os.system('id')\nos.system('ls')",
                (Step("GLOBAL imports os.system", 2), Step("REDUCE calls os.system", 12), Step("and on")),
                ("torch.load(file, weights_only=False)",),
                "The command runs.",
                ("Do not load it.", "Keep its numbers:\nassay convert model.pt -o model.safetensors"),
            ),
        ),
        Finding("pickle/unknown-global", Severity.LOW, "loads mylib.Thing", Location("extra.pkl")),
    ]
    return conclude("artifact.scan", subject("models/bot"), findings=findings, coverage=Coverage("files", 4))


def incomplete_report() -> Report:
    skipped = (Skipped("rows 10-20", "not valid UTF-8", "Convert the file."),)
    coverage = Coverage("rows", 990, skipped, 11, notes=("first release: no baseline",))
    return conclude(
        "data.hygiene", subject("train.jsonl", SubjectKind.DATASET), findings=(), coverage=coverage
    )


def hostile_report() -> Report:
    location = Location(HOSTILE, HOSTILE, name=HOSTILE)
    told = Explanation(HOSTILE, (Step(HOSTILE, 1),), (HOSTILE,), HOSTILE, (HOSTILE,))
    finding = Finding(
        "data/x", Severity.HIGH, HOSTILE, location, HOSTILE, (HOSTILE,), {"quote": HOSTILE}, told
    )
    skipped = (Skipped(HOSTILE, HOSTILE, HOSTILE),)
    return conclude(
        "data.poisoning",
        subject(HOSTILE, SubjectKind.DATASET),
        findings=[finding],
        coverage=Coverage("rows", 5, skipped, notes=(HOSTILE,)),
        message=HOSTILE,
        metrics={"nan": float("nan"), "text": HOSTILE},
        details=hostile_details(),
    )


def hostile_details() -> dict[str, JSON]:
    return {
        "triggers": [{"phrase": HOSTILE, "effect": HOSTILE, "rows": 3, "lift": float("inf")}, HOSTILE, None]
    }


def passing_report() -> Report:
    return conclude(
        "model.weights-diff", subject("models/bot"), findings=(), coverage=Coverage("tensors", 12)
    )


def error_report() -> Report:
    return Report(
        "supply.sbom", subject("env", SubjectKind.ENVIRONMENT), Status.ERROR, message="the disk is full"
    )


def verdict(decision: Decision = Decision.FAIL) -> Verdict:
    reason = Reason(
        "check-failed", decision, "artifact.scan found a critical", "artifact.scan", "Remove it.", "baseline"
    )
    return Verdict(decision, (reason,), "bot", "ab" * 32, {"sha256": "cd" * 32}, "ef" * 32, "regopy", NOW)


@pytest.fixture
def document() -> Document:
    model = subject("models/bot")
    return Document(
        title="bot 1.2",
        reports=(passing_report(), scan_report(), incomplete_report(), error_report()),
        created_at=NOW,
        tool_version="0.1.0",
        verdict=verdict(),
        candidate=Candidate("bot", {"model": model}),
        ledger=LedgerFacts(7, "12" * 32, {"artifact.scan": 3}, 6),
        approvals=(Approval("ab" * 32, "cd" * 32, "kim@example.org", "seen it", NOW),),
        notes=("run 4 of 4",),
    )


@pytest.fixture
def hostile() -> Document:
    base = verdict()
    signable = HOSTILE.replace("\ud800", "")  # what was signed holds no lone surrogates
    reason = Reason("x", Decision.FAIL, signable, signable, signable, signable)
    told = Verdict(base.decision, (reason,), signable, "ab" * 32, {}, "", signable, NOW)
    who = Approval("ab" * 32, "cd" * 32, HOSTILE, HOSTILE, NOW)
    return Document(HOSTILE, (hostile_report(),), NOW, "0.1.0", told, approvals=(who,), notes=(HOSTILE,))


@pytest.fixture
def empty() -> Document:
    return Document("nothing", (), NOW, "0.1.0")
