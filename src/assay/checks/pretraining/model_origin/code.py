"""Python that comes with the model and that loaders run."""

from __future__ import annotations

from collections.abc import Iterator

from assay.checks.pretraining.model_origin.rules import REMOTE_CODE
from assay.core.finding import Finding, Location, Severity
from assay.subjects.hub import Configuration


def judge_code(configuration: Configuration) -> Iterator[Finding]:
    """A finding for each file that asks for code, and for each other repository that it is fetched from."""
    own: dict[str, list[str]] = {}
    elsewhere: dict[tuple[str, str], str] = {}
    for code in configuration.code:
        if code.elsewhere:
            elsewhere.setdefault((code.file, code.elsewhere.id), code.reference)
        else:
            own.setdefault(code.file, []).append(code.reference)
    for (file, repository), reference in elsewhere.items():
        message = f"Loading it fetches and runs Python from {repository[:100]!r}: {reference[:80]!r}."
        yield REMOTE_CODE.finding(message, Location(file), severity=Severity.HIGH)
    for file, references in own.items():
        shown = ", ".join(dict.fromkeys(references))[:120]
        yield REMOTE_CODE.finding(f"Loading it runs Python of its own: {shown!r}.", Location(file))
    for file in configuration.trusted:
        if file not in own:
            yield REMOTE_CODE.finding("It sets `trust_remote_code`.", Location(file))
