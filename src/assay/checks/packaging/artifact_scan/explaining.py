"""Completes findings for a person: who would run it, what would have happened, and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.loaders import loaders_of, names_of, safer_call
from assay.core.explanation import Explanation
from assay.core.finding import Finding
from assay.core.subject import Subject

MAX_EXPLAINED = 1_000  # the worst of a report
_DESCRIPTIONS = {rule.id: rule.description for rule in rules.RULES}
_CONVERTIBLE = {"pytorch-zip", "pytorch-legacy"}


def explain(findings: Sequence[Finding], outcomes: Sequence[Outcome], subject: Subject) -> list[Finding]:
    """The findings, the worst of them explained in full."""
    formats = {
        str(document["file"]): str(document["format"])
        for outcome in outcomes
        for document in outcome.documents
    }
    ranked = sorted(range(len(findings)), key=lambda index: -findings[index].severity.rank)
    chosen = set(ranked[:MAX_EXPLAINED])
    return [
        _explained(finding, formats, subject) if index in chosen else replace(finding, explanation=None)
        for index, finding in enumerate(findings)
    ]


def _explained(finding: Finding, formats: Mapping[str, str], subject: Subject) -> Finding:
    known = finding.explanation or Explanation()
    around = tuple(formats.get(name, "") for name in names_of(finding.location))
    explanation = replace(
        known,
        loaders=known.loaders or loaders_of(finding.rule, around),
        effect=known.effect or _DESCRIPTIONS.get(finding.rule, ""),
        advice=known.advice or tuple(_advice(finding, around, subject)),
    )
    return replace(finding, explanation=explanation)


def _advice(finding: Finding, around: tuple[str, ...], subject: Subject) -> list[str]:
    advice = [finding.remedy] if finding.remedy else []
    safer = safer_call(finding.rule, around)
    advice += [safer] if safer else []
    if finding.rule.startswith("pickle/") and around[-1] in _CONVERTIBLE and len(around) <= 2:  # noqa: PLR2004  the file, or a member of it
        command = _convert(finding, subject)
        advice.append(f"To keep its numbers and nothing else, without loading it:\n{command}")
    return advice


def _convert(finding: Finding, subject: Subject) -> str:
    path = PurePosixPath(subject.name)
    if subject.is_folder():
        path /= finding.location.path
    target = path.with_suffix(".safetensors")
    return f"assay convert --tensors-only {shlex.quote(str(path))} -o {shlex.quote(str(target))}"
