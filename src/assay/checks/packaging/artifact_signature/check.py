"""The check `artifact.signature`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from assay.checks.packaging.artifact_signature.files import differences, left_out, linked
from assay.checks.packaging.artifact_signature.options import SignatureOptions
from assay.checks.packaging.artifact_signature.rules import MALFORMED, MISSING, RULES
from assay.checks.packaging.artifact_signature.signer import Authenticity, Examiner
from assay.checks.packaging.artifact_signature.trust import Trust, located, trust_of
from assay.core.canonical import JSON
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.errors import SubjectError
from assay.core.finding import Finding, Location, Severity
from assay.core.report import Coverage, Metric, Report, Skipped, conclude
from assay.core.subject import Subject, SubjectKind
from assay.subjects.model_signature import (
    Comparison,
    NotABundleError,
    SignedManifest,
    compare,
    parse_bundle,
    parse_manifest,
    read_bundle,
    signature_path,
)

NAME = "artifact.signature"
MAX_LISTED = 50
REMEDY = "Sign what you built with `assay sign`, or get the signed release from its publisher."


@dataclass(slots=True)
class _Seen:
    """What accumulates."""

    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    signed: bool = False
    authenticity: Authenticity | None = None
    manifest: SignedManifest | None = None
    comparison: Comparison = field(default_factory=Comparison)

    @property
    def verified(self) -> bool:
        """Whether somebody who is believed vouches for every byte."""
        signer = self.authenticity.signer if self.authenticity else ""
        return bool(signer) and self.comparison.equal and not self.skipped


@dataclass(frozen=True, slots=True)
class _Task:
    """A model, the bundle that lies with it, and how to look at them."""

    model: Path
    path: Path
    options: SignatureOptions
    trust: Trust
    context: Context


class ArtifactSignature:
    """Verifies an OpenSSF Model Signing bundle over a model, and compares every file with what was signed."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name=NAME,
        title="Whether these are the bytes that somebody you trust has signed",
        stage=Stage.PACKAGING,
        role=Role.MODEL,
        kinds=(SubjectKind.FILE, SubjectKind.FOLDER),
        version="1",
        rules=RULES,
        options=SignatureOptions,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Verify the model's signature.

        Raises:
            SigningKeyError: a key, certificate or revocation list that the options name cannot be read.
            SubjectError: a file of the model cannot be read.
        """
        options = context.parsed(SignatureOptions)
        trust = trust_of(options)
        seen = _Seen()
        path = _bundle_path(subject.path, options)
        if path.exists():
            seen.signed = True
            _examine(_Task(subject.path, path, options, trust, context), seen)
        elif options.signature:
            raise SubjectError("there is no such file", subject=str(path), remedy="Correct `signature`.")
        else:
            _unsigned(options, seen)
        return _conclude(subject, options, seen)


def _bundle_path(model: Path, options: SignatureOptions) -> Path:
    return located(options.signature, options.root) if options.signature else signature_path(model)


def _unsigned(options: SignatureOptions, seen: _Seen) -> None:
    severity = None if options.demanded else Severity.LOW
    seen.findings.append(MISSING.finding("There is no signature for this model.", severity=severity))
    if not options.demanded:
        seen.skipped.append(Skipped("the model", "it is not signed", REMEDY))


def _examine(task: _Task, seen: _Seen) -> None:
    path, options = task.path, task.options
    place = Location(path.name)
    raw = read_bundle(path)
    try:
        bundle = parse_bundle(raw, source=path.name)
        manifest = parse_manifest(bundle.payload_type, bundle.payload, source=path.name)
        examiner = Examiner(bundle, manifest.legacy, place, task.trust, options, task.context.clock())
        seen.authenticity = examiner.examine()
    except NotABundleError as error:
        remedy = "Name the bundle under `signature`; other kinds of signatures are not read."
        seen.skipped.append(Skipped(path.name, error.cause, remedy))
        return
    except SubjectError as error:
        seen.findings.append(MALFORMED.finding(f"The signature cannot be believed: {error.cause}.", place))
        return
    seen.manifest = manifest
    seen.findings += seen.authenticity.findings
    seen.skipped += seen.authenticity.skipped
    _compare(task, manifest, seen)
    _files(manifest, options, seen)
    seen.notes += _notes(manifest, seen.comparison)


def _compare(task: _Task, manifest: SignedManifest, seen: _Seen) -> None:
    if task.model.is_dir() and manifest.single_file:
        message = f"The signature is of one file, {manifest.model[:80]!r}, and not of this folder."
        seen.findings.append(MALFORMED.finding(message, Location(task.path.name)))
        return
    seen.comparison = compare(task.model, manifest, bundle=task.path, step=_steps(task.context))


def _steps(context: Context) -> Callable[[int, int], None]:
    def step(done: int, total: int) -> None:
        context.checkpoint()
        context.progress.update(done, total, "hashing")

    return step


def _files(manifest: SignedManifest, options: SignatureOptions, seen: _Seen) -> None:
    seen.findings += differences(seen.comparison)
    seen.findings += left_out(manifest, seen.comparison, options.accept_unsigned)
    seen.findings += linked(manifest, seen.comparison)
    for name in seen.comparison.unread[:MAX_LISTED]:
        used = sorted({piece.algorithm for piece in manifest.files.get(name, ())})
        reason = f"its signed digest is {', '.join(used) or 'of an algorithm'} that is not to be had here"
        remedy = "For blake3 install the extra: pip install 'assay-llm[signing]'."
        seen.skipped.append(Skipped(name, reason, remedy))


def _notes(manifest: SignedManifest, comparison: Comparison) -> list[str]:
    notes = []
    if manifest.legacy:
        notes.append("signed in the form of model-signing 0.2, which does not bind how the files were listed")
    if comparison.partial:
        notes.append(f"the signature is of a folder of {len(manifest.files):,} files; one was looked at")
    return notes


def _conclude(subject: Subject, options: SignatureOptions, seen: _Seen) -> Report:
    found = seen.comparison
    examined = len(found.matched) + len(found.changed)
    coverage = Coverage(
        "files", examined, tuple(seen.skipped[:MAX_LISTED]), len(seen.skipped), tuple(seen.notes)
    )
    return conclude(
        NAME,
        subject,
        findings=seen.findings,
        coverage=coverage,
        fail_on=options.fail_on,
        metrics=_metrics(options, seen),
        details={"signature": _details(subject, seen)},
    )


def _metrics(options: SignatureOptions, seen: _Seen) -> dict[str, Metric]:
    found, who = seen.comparison, seen.authenticity
    return {
        "signed": seen.signed,
        "verified": seen.verified,
        "demanded": options.demanded,
        "method": who.method if who else "",
        "signer": who.signer if who else "",
        "files_signed": len(seen.manifest.files) if seen.manifest else 0,
        "files_matched": len(found.matched),
        "files_changed": len(found.changed),
        "files_removed": len(found.removed),
        "files_added": len(found.added),
        "files_left_out": len(found.ignored),
    }


def _details(subject: Subject, seen: _Seen) -> dict[str, JSON]:
    who, manifest = seen.authenticity, seen.manifest
    return {
        "sha256": subject.sha256,
        "root": manifest.root if manifest else "",
        "claimed_signer": who.claimed if who else "",
        "ignored": [path[:200] for path in manifest.ignored[:MAX_LISTED]] if manifest else [],
    }
