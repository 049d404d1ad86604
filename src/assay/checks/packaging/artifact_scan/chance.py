"""Texts that only chance to start like a pickle: `click` and `numpy`, line by line, are a GLOBAL opcode.

A requirements file or a list of ignored names is no pickle, though some of its letters are opcodes. A file that
has the name of a text, is one, and breaks off as a pickle before it named anything known to be dangerous is
judged as the text it is; what a loader would have made of it stays in the report at a low severity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.checks.packaging.artifact_scan import rules, texts
from assay.checks.packaging.artifact_scan.blob import Blob, Outcome
from assay.core.finding import Severity

_MOST = 1 << 20  # bytes; lists of names are short
_HARMLESS = frozenset({rules.pickles.UNKNOWN.id, rules.pickles.TRAILING.id})


@dataclass(frozen=True, slots=True)
class Mark:
    """How much an outcome held before a region was read as pickles."""

    findings: int
    skipped: int
    documents: int

    @classmethod
    def of(cls, outcome: Outcome) -> Mark:
        """Now."""
        return cls(len(outcome.findings), len(outcome.skipped), len(outcome.documents))


def is_text(blob: Blob, outcome: Outcome, before: Mark) -> bool:
    """Whether what was read as pickles since `before` is such a text; the outcome then says so."""
    found, skipped = outcome.findings[before.findings :], outcome.skipped[before.skipped :]
    whole = not skipped and all(finding.rule != rules.pickles.TRAILING.id for finding in found)
    dangerous = any(finding.rule not in _HARMLESS for finding in found)
    if whole or dangerous or blob.size > _MOST or not texts.is_prose(blob.name):
        return False
    if texts.recognise(blob, _MOST) is None:
        return False
    outcome.findings[before.findings :] = [
        replace(
            finding,
            severity=Severity.LOW,
            message=f"{finding.message} It is a text, which nothing unpickles.",
        )
        for finding in found
        if finding.rule != rules.pickles.TRAILING.id
    ]
    del outcome.skipped[before.skipped :], outcome.documents[before.documents :]
    return True
