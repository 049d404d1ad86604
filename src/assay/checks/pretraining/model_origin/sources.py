"""Whether the origin is known, the one that is declared, pinned, and on the user's list."""

from __future__ import annotations

from collections.abc import Iterator

from assay.checks.pretraining.model_origin.names import allowed, judge_name
from assay.checks.pretraining.model_origin.options import OriginOptions
from assay.checks.pretraining.model_origin.provenance import Provenance
from assay.checks.pretraining.model_origin.rules import (
    MISMATCH,
    NOT_ALLOWED,
    UNKNOWN,
    UNPINNED,
    UNSIGNED,
)
from assay.core.finding import Finding, Location, Severity
from assay.subjects.hub import Repository, repository_in
from assay.subjects.hub.card import FILE as CARD


def judge_sources(known: Provenance, options: OriginOptions, *, signed: bool) -> Iterator[Finding]:
    """Findings about where the model and its bases come from.

    Args:
        known: what is known.
        options: what the user declares and allows.
        signed: whether there is a signature with the model.
    """
    yield from _known(known, options)
    yield from _agreeing(known)
    yield from _pinned(known, options)
    for repository, what, place in _named(known):
        yield from judge_name(repository, what, options.accept, place)
        if options.allowed_sources and not allowed(repository, options.allowed_sources):
            message = f"The {what} {repository.id[:100]!r} is not from an allowed source."
            yield NOT_ALLOWED.finding(message, place)
    yield from _mentioned(known, options)
    if (known.source or known.download.known) and not signed:
        yield UNSIGNED.finding("The model was taken from a hub and carries no signature.")


def _named(known: Provenance) -> Iterator[tuple[Repository, str, Location]]:
    """Every repository whose files are used, what for, and where it is named."""
    if known.source:
        yield known.source, "source", Location(name=known.source.id)
    for base in known.bases:
        yield base, "base model", Location(CARD, name=base.id)
    seen = set()
    for code in known.configuration.code:
        if code.elsewhere and code.elsewhere.id not in seen:
            seen.add(code.elsewhere.id)
            yield code.elsewhere, "code repository", Location(code.file, name=code.elsewhere.id)


def _mentioned(known: Provenance, options: OriginOptions) -> Iterator[Finding]:
    """`_name_or_path` tells where weights were loaded from; often it is a path on the trainer's machine."""
    found = repository_in(known.configuration.name)
    others = {base.id.lower() for base in known.bases}
    if known.source:
        others.add(known.source.id.lower())
    if found and found.org and found.id.lower() not in others:
        place = Location("config.json", name=found.id)
        for finding in judge_name(found, "model that it was loaded from,", options.accept, place):
            if finding.severity.at_least(Severity.MEDIUM):
                yield finding


def _known(known: Provenance, options: OriginOptions) -> Iterator[Finding]:
    severity = Severity.HIGH if options.allowed_sources else None
    for text in known.unnamed:
        message = f"The card names a base model that is no repository: {text[:100]!r}."
        yield UNKNOWN.finding(message, Location(CARD), severity=severity)
    if known.source or known.bases or known.unnamed:
        return
    message = "Nobody says where this model comes from: no base model is named, and no source is declared."
    if known.download.known:
        message = "It was downloaded, and what the download left behind does not say from which repository."
    yield UNKNOWN.finding(message, severity=severity)


def _agreeing(known: Provenance) -> Iterator[Finding]:
    declared, download = known.declared, known.download
    if declared is None:
        return
    found = download.repository
    if found and found.id.lower() != declared.id.lower():
        message = f"It was downloaded from {found.id[:100]!r}, and {declared.id[:100]!r} is declared."
        yield MISMATCH.finding(message)
    others = [revision for revision in download.revisions if revision != declared.revision]
    if declared.pinned and others:
        message = f"Files were fetched at {others[0][:12]}, and {declared.revision[:12]} is declared."
        yield MISMATCH.finding(message)


def _pinned(known: Provenance, options: OriginOptions) -> Iterator[Finding]:
    demanded = Severity.HIGH if options.require_revision else None
    source = known.source
    if len(known.download.revisions) > 1:
        message = f"Its files are of {len(known.download.revisions)} different revisions."
        yield UNPINNED.finding(message, severity=demanded)
    elif source and not source.pinned:
        yield UNPINNED.finding(f"The source {_written(source)}.", Location(name=source.id), severity=demanded)
    elif options.require_revision and source is None and not known.download.revisions:
        yield UNPINNED.finding("No source with a revision is declared.", severity=demanded)
    for base in known.bases:
        if not base.pinned:
            message = f"The base model {_written(base)}."
            place = Location(CARD, name=base.id)
            yield UNPINNED.finding(message, place, severity=demanded or Severity.LOW)


def _written(repository: Repository) -> str:
    name = repr(repository.id[:100])
    if repository.revision:
        return f"{name} is named at {repository.revision[:60]!r}, which can be moved"
    return f"{name} is named without a revision"
