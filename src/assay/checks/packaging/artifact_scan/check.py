"""The check itself: files of a subject, examined in parallel, as one report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from assay.checks.packaging.artifact_scan import bytecode, names, policy, raw_data, rules, siblings
from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.digest import IGNORED
from assay.core.finding import Finding, Location, Severity
from assay.core.report import Coverage, Report, Skipped, conclude
from assay.core.subject import Subject, SubjectKind
from assay.subjects.pickles.machine import Limits, MachinePool

MAX_LISTED = 1_000
_SYSTEM = ("/etc", "/proc", "/sys", "/dev", "/run", "/boot")
_SECRET = {".ssh", ".aws", ".gnupg", ".kube", ".docker", ".config"}


class ArtifactScan:
    """Finds code hidden in model files, without running any of it."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name="artifact.scan",
        title="Code hidden in model files",
        stage=Stage.PACKAGING,
        role=Role.MODEL,
        kinds=(SubjectKind.FILE, SubjectKind.FOLDER),
        version="3",
        rules=rules.RULES,
        options=ArtifactScanOptions,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Examine every file of the subject.

        Raises:
            ConfigError: an option is wrong.
            CheckError: the run was cancelled.
        """
        options = context.parsed(ArtifactScanOptions)
        total = Outcome()
        files = list(_files(subject, total))
        outcomes = []
        limits = Limits(options.memory, options.seconds)
        with MachinePool(limits, shapes=policy.shapes()) as pool:
            scanner = Scanner(pool, options, context.workspace)
            with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
                for outcome in threads.map(lambda file: scanner.file(*file), files):
                    outcomes.append(outcome)
                    context.progress.update(len(outcomes), len(files))
                    if context.cancelled():
                        threads.shutdown(wait=True, cancel_futures=True)
                    context.checkpoint()
        raw_data.settle(outcomes, subject)
        bytecode.settle(outcomes, subject)
        total.findings += names.judge(files, folder=subject.is_folder())
        return _report(subject, options, total, outcomes, [name for _, name in files])


def _files(subject: Subject, outcome: Outcome) -> Iterator[tuple[Path, str]]:
    root = subject.path
    if not subject.is_folder():
        yield root, root.name
        return
    real = root.resolve()
    for folder, folders, files in os.walk(root, onerror=lambda error: _unlisted(error, outcome)):
        here = Path(folder)
        if here == root:
            folders[:] = [name for name in folders if name not in IGNORED]
            files = [name for name in files if name not in IGNORED]  # noqa: PLW2901
        folders.sort()
        for name in sorted(files + [name for name in folders if (here / name).is_symlink()]):
            path = here / name
            relative = path.relative_to(root).as_posix()
            if path.is_symlink() and not path.resolve().is_relative_to(real):
                outcome.findings.append(_link(path, relative, real))
            if path.is_file():
                yield path, relative
            else:
                outcome.skipped.append(Skipped(relative, "is no regular file"))


def _link(path: Path, relative: str, root: Path) -> Finding:
    """A link that leaves the folder: into the hub cache that the folder is part of, or elsewhere."""
    target = path.resolve()
    place = Location(path=relative)
    cache = _hub_cache(root)
    if cache is not None and target.is_relative_to(cache / "blobs") and target.is_file():
        message = "The link leads to a blob of the same hub cache, which was examined."
        return rules.files.LINK.finding(message, place, severity=Severity.INFO)
    message = f"The link leads to {str(target)[:150]!r}, outside the folder."
    private = any(target.is_relative_to(top) for top in _SYSTEM) or not _SECRET.isdisjoint(target.parts)
    ordinary = target.is_file() and not private
    return rules.files.LINK.finding(message, place, severity=Severity.LOW if ordinary else None)


def _hub_cache(root: Path) -> Path | None:
    """The `models--owner--name` folder that `root`, one of its snapshots or a part of one, lies in."""
    for folder in root.parents:
        if folder.name == "snapshots" and folder.parent.name.startswith(
            ("models--", "datasets--", "spaces--")
        ):
            return folder.parent
    return None


def _unlisted(error: OSError, outcome: Outcome) -> None:
    outcome.skipped.append(Skipped(str(error.filename), f"cannot be listed: {error.strerror}"))


def _report(
    subject: Subject,
    options: ArtifactScanOptions,
    total: Outcome,
    outcomes: list[Outcome],
    files: list[str],
) -> Report:
    everything = [total, *outcomes]
    skipped = [item for outcome in everything for item in outcome.skipped]
    notes = {note for outcome in everything for note in outcome.notes}
    documents = [document for outcome in everything for document in outcome.documents]
    findings = [finding for outcome in everything for finding in outcome.findings]
    named = set().union(*(outcome.globals for outcome in everything))
    coverage = Coverage(
        unit="files",
        examined=sum(not outcome.skipped for outcome in outcomes),
        skipped=tuple(skipped[:MAX_LISTED]),
        skipped_total=len(skipped),
        notes=(
            *sorted(notes),
            *([f"by rule not looked at: {', '.join(IGNORED)}"] if subject.is_folder() else []),
        ),
    )
    return conclude(
        ArtifactScan.info.name,
        subject,
        findings=siblings.together(names.remote_code(findings, files), outcomes, files),
        coverage=coverage,
        fail_on=options.fail_on,
        metrics={
            "files": len(outcomes),
            "bytes": sum(outcome.bytes for outcome in outcomes),
            "globals": len(named),
            "streams": sum(outcome.streams for outcome in outcomes),
        },
        details={"files": documents[:MAX_LISTED], "globals": sorted(named)[:MAX_LISTED]},
    )
