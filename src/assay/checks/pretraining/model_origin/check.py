"""The check `model.origin`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from assay.checks.pretraining.model_origin.bom import bill_of_materials
from assay.checks.pretraining.model_origin.code import judge_code
from assay.checks.pretraining.model_origin.licences import judge_licences, terms_of
from assay.checks.pretraining.model_origin.options import OriginOptions
from assay.checks.pretraining.model_origin.provenance import Provenance, provenance_of
from assay.checks.pretraining.model_origin.rules import ALTERED, NO_CARD, RULES
from assay.checks.pretraining.model_origin.sources import judge_sources
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.digest import FileDigest, hash_folder, sha256_file
from assay.core.errors import SubjectError
from assay.core.finding import Finding, Location, Severity
from assay.core.report import Coverage, Metric, Report, Skipped, conclude
from assay.core.subject import Subject, SubjectKind
from assay.subjects.hub.cache import altered
from assay.subjects.hub.card import FILE as CARD
from assay.subjects.model_signature import signature_path

NAME = "model.origin"
MAX_NAMED = 50


class ModelOrigin:
    """Says where a model comes from and on which terms, and writes its bill of materials."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name=NAME,
        title="Where the model comes from, on which terms, and whether its names are what they seem",
        stage=Stage.PRETRAINING,
        role=Role.MODEL,
        kinds=(SubjectKind.FILE, SubjectKind.FOLDER),
        version="1",
        rules=RULES,
        options=OriginOptions,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Look at the model's card, configuration, licences and download records.

        Raises:
            ConfigError: a declared source is not the name of a repository.
            SubjectError: a file cannot be read.
        """
        options = context.parsed(OriginOptions)
        folder = subject.path if subject.is_folder() else None
        context.progress.update(0, None, "hashing")
        files = hash_folder(folder).files if folder else (sha256_file(subject.path),)
        context.checkpoint()
        known, problems = provenance_of(folder, [file.name for file in files], options)
        terms = terms_of(known)
        signed = signature_path(subject.path).exists()
        findings = [
            *judge_sources(known, options, signed=signed),
            *judge_licences(terms, options),
            *judge_code(known.configuration),
            *_described(known),
            *(_altered(folder, known, files) if folder else ()),
        ]
        return conclude(
            NAME,
            subject,
            findings=findings,
            coverage=_coverage(files, problems),
            fail_on=options.fail_on,
            metrics=_metrics(known, signed=signed),
            details={"bom": bill_of_materials(subject, known, terms, files, options.spec_version)},
        )


def _coverage(files: Sequence[FileDigest], problems: Sequence[SubjectError]) -> Coverage:
    skipped = tuple(
        Skipped(e.subject, e.cause, e.remedy or "Correct the file.") for e in problems[:MAX_NAMED]
    )
    return Coverage("files", len(files) - len(skipped), skipped, len(problems))


def _described(known: Provenance) -> Iterator[Finding]:
    if not known.card.front_matter:
        state = "has no front matter" if known.card.present else "is not there"
        yield NO_CARD.finding(f"The model card, {CARD}, {state}.")


def _altered(folder: Path, known: Provenance, files: Sequence[FileDigest]) -> Iterator[Finding]:
    digests = {file.name: file.sha256 for file in files}
    changed = list(altered(folder, known.download, digests))
    # In a cache nobody edits; in a folder of one's own people do.
    severity = None if known.download.repository else Severity.MEDIUM
    for name in changed[:MAX_NAMED]:
        message = f"{name[:150]!r} is not the file that the hub gave."
        yield ALTERED.finding(message, Location(name), severity=severity)
    if len(changed) > MAX_NAMED:
        message = f"The same holds for {len(changed) - MAX_NAMED:,} files more."
        yield ALTERED.finding(message, severity=severity)


def _metrics(known: Provenance, *, signed: bool) -> dict[str, Metric]:
    source = known.source
    revisions = known.download.revisions
    return {
        "source": source.id if source else "",
        "revision": source.revision if source else (revisions[0] if len(revisions) == 1 else ""),
        "pinned": bool(source and source.pinned) or len(revisions) == 1,
        "base_models": len(known.bases),
        "card": known.card.front_matter,
        "licence": ", ".join(known.card.licences)[:200],
        "remote_code": bool(known.configuration.code or known.configuration.trusted),
        "signed": signed,
    }
