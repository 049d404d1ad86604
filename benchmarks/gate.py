"""The gate's decision on a candidate with 10,000 findings: document, policy, verdict.

Run: python benchmarks/gate.py [FINDINGS]
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from assay.core.evidence import Execution
from assay.core.finding import Finding, Location, Severity
from assay.core.release import Candidate
from assay.core.report import Coverage, conclude
from assay.core.subject import Subject, SubjectKind
from assay.gate import (
    CheckedEvidence,
    RegistryState,
    Settings,
    build_document,
    decide,
    load_packs,
    open_engine,
)

NOW = datetime(2026, 1, 31, tzinfo=UTC)
REPEATS = 7


def subject(kind: SubjectKind, letter: str, serves: Subject | None = None) -> Subject:
    return Subject(kind, kind.value, {"sha256": letter * 64}, "/nowhere", serves)


def candidate_and_evidence(findings: int) -> tuple[Candidate, dict[str, CheckedEvidence]]:
    model = subject(SubjectKind.FOLDER, "a")
    data, environment = subject(SubjectKind.DATASET, "b"), subject(SubjectKind.ENVIRONMENT, "c")
    parts = {
        "artifact.scan": model,
        "model.weights-diff": model,
        "model.behavior-diff": subject(SubjectKind.ENDPOINT, "d", model),
        "data.hygiene": data,
        "data.poisoning": data,
        "supply.sbom": environment,
    }
    found = [
        Finding(
            f"rule/{n % 40}",
            list(Severity)[n % 5],
            f"finding number {n}",
            Location(f"file{n}.bin", offset=n),
        )
        for n in range(findings)
    ]
    execution = Execution("0", "1", "0" * 64, NOW, NOW)
    evidence = {}
    for check, part in parts.items():
        share = found if check == "artifact.scan" else []
        report = conclude(check, part, findings=share, coverage=Coverage("files", 1))
        evidence[check] = CheckedEvidence(report, execution, signed=True, signer="key")
    return Candidate("m", {"model": model, "data": data, "environment": environment}), evidence


def timed(label: str, work: Callable[[], Any]) -> Any:
    """Wall time, and CPU time of this process and the engine's: a busy machine changes only the first."""
    walls, cpus, result = [], [], None
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), sum(os.times()[:4])
        result = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(sum(os.times()[:4]) - cpu)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    print(f"{label:<34} wall {wall:6.3f} s (first {walls[0]:6.3f} s)   cpu {cpu:6.3f} s")
    return result


def main() -> None:
    findings = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    candidate, evidence = candidate_and_evidence(findings)
    engine = open_engine()

    def build() -> dict[str, Any]:
        return build_document(candidate, evidence, [], RegistryState(), Settings(), NOW)

    def whole(pack: str) -> Any:
        return decide(build(), load_packs([pack]), engine)

    print(f"{findings:,} findings, {engine.label}")
    timed("document", build)
    for pack in ("baseline", "strict"):
        verdict = timed(f"{pack}: document, pack, verdict", lambda pack=pack: whole(pack))  # type: ignore[misc]
        print(f"    {verdict.decision.value}: {', '.join(reason.id for reason in verdict.reasons)}")


if __name__ == "__main__":
    main()
