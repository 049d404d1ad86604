"""The LLMSecOps checklist: seven controls, and the checks that fulfil each (DESIGN section 3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    """A line of the checklist."""

    id: str
    title: str
    checks: tuple[str, ...]


CONTROLS = (
    Control(
        "model-drift-detection",
        "Model Drift Detection",
        ("model.weights-diff", "model.behavior-diff", "model.backdoor", "data.drift",
         "monitor.canary", "monitor.drift"),
    ),
    Control(
        "data-intake-sanitization",
        "Data Intake Sanitization",
        ("data.hygiene", "data.poisoning", "data.contamination", "vector.poisoning"),
    ),
    Control(
        "sbom-continuous-monitoring",
        "SBOM Continuous Monitoring",
        ("supply.sbom", "supply.vulnerabilities", "supply.freshness"),
    ),
    Control("pipeline-permission-audits", "Pipeline Permission Audits", ("infra.iam",)),
    Control(
        "retraining-rollback-logic",
        "Retraining & Rollback Logic",
        ("model.behavior-diff", "monitor.canary", "monitor.blindspots"),
    ),
    Control(
        "automated-security-checks",
        "Automated Security Checks",
        ("artifact.scan", "infra.iac", "endpoint.pentest", "model.prompt-leak", "monitor.evasion"),
    ),
    Control(
        "model-provenance-auditing",
        "Model Provenance Auditing",
        ("artifact.signature", "model.origin", "supply.sbom"),
    ),
)  # fmt: skip
