from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.core.evidence import Execution
from assay.core.finding import Finding, Location, Severity
from assay.core.release import Candidate, NotApplicable, Verdict
from assay.core.report import Coverage, Metric, conclude
from assay.core.subject import Subject, SubjectKind
from assay.gate import (
    Champion,
    CheckedEvidence,
    RegistryState,
    Settings,
    build_document,
    decide,
    load_packs,
    open_engine,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def subject(kind: SubjectKind, letter: str, serves: Subject | None = None) -> Subject:
    return Subject(kind, f"{kind}-{letter}", {"sha256": letter * 64}, "/nowhere", serves)


MODEL = subject(SubjectKind.FOLDER, "a")
CHAMPION = subject(SubjectKind.FOLDER, "9")
PARTS = {
    "artifact.scan": MODEL,
    "artifact.signature": MODEL,
    "model.origin": MODEL,
    "model.weights-diff": MODEL,
    "model.behavior-diff": subject(SubjectKind.ENDPOINT, "d", MODEL),
    "data.hygiene": subject(SubjectKind.DATASET, "b"),
    "data.poisoning": subject(SubjectKind.DATASET, "b"),
    "supply.sbom": subject(SubjectKind.ENVIRONMENT, "c"),
}
COMPARING = {"model.weights-diff", "model.behavior-diff"}


def evidence(
    check: str,
    *,
    severities: Mapping[Severity, int] | None = None,
    fail_on: Severity = Severity.MEDIUM,
    metrics: Mapping[str, Metric] | None = None,
) -> CheckedEvidence:
    findings = [
        Finding(f"rule/{severity}", severity, f"saw thing {number}", Location(path=f"file{number}"))
        for severity, count in (severities or {}).items()
        for number in range(count)
    ]
    report = conclude(
        check,
        PARTS[check],
        findings=findings,
        coverage=Coverage("files", 3),
        fail_on=fail_on,
        metrics=metrics if metrics is not None else {"compared": check in COMPARING, "relative_l2": 0.1},
        baseline=CHAMPION if check in COMPARING else None,
    )
    return CheckedEvidence(report, Execution("0.1", "1", "0" * 64, NOW, NOW), signed=True, signer="key-ci")


@dataclass
class Bench:
    """A release that passes, to be spoilt in one place."""

    folder: Path
    checks: dict[str, CheckedEvidence] = field(default_factory=lambda: {n: evidence(n) for n in PARTS})
    declared: list[NotApplicable] = field(default_factory=list)
    packs: tuple[str, ...] = ("baseline",)
    roles: dict[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    registry: RegistryState = field(
        default_factory=lambda: RegistryState("champion", Champion("3", "e" * 64, {"model": CHAMPION.sha256}))
    )
    candidate: Candidate = field(
        default_factory=lambda: Candidate(
            "bot",
            {"model": MODEL, "data": PARTS["data.hygiene"], "environment": PARTS["supply.sbom"]},
        )
    )
    now: datetime = NOW
    deadline: float = 20.0  # generous: other tests share the machine

    def change(self, name: str, /, **fields: Any) -> None:
        """Replace fields of a report, or of what was checked about it."""
        known = self.checks[name]
        of_report = {key: value for key, value in fields.items() if hasattr(known.report, key)}
        rest = {key: value for key, value in fields.items() if key not in of_report}
        self.checks[name] = replace(known, report=replace(known.report, **of_report), **rest)

    def finished(self, check: str, ago: timedelta) -> None:
        known = self.checks[check]
        execution = replace(known.execution, finished_at=self.now - ago)
        self.checks[check] = replace(known, execution=execution)

    def document(self) -> dict[str, Any]:
        return build_document(
            self.candidate, self.checks, self.declared, self.registry, self.settings, self.now, self.roles
        )

    def decide(self, document: Mapping[str, Any] | None = None) -> Verdict:
        packs = load_packs(self.packs, root=self.folder)
        return decide(document or self.document(), packs, open_engine(deadline=self.deadline))

    def reasons(self) -> list[tuple[str, str, str]]:
        return [(reason.decision.value, reason.id, reason.check) for reason in self.decide().reasons]

    def write_pack(self, body: str, *, name: str = "ours", **files: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        head = f"package assay.{name}\n\nimport rego.v1\n\n"
        (folder / f"{name}.rego").write_text(head + body, encoding="utf-8")
        for stem, text in files.items():
            (folder / stem.replace("__", ".")).write_text(text, encoding="utf-8")
        return folder


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def findings_of() -> Callable[..., CheckedEvidence]:
    return evidence
