"""The files of a subject, examined in parallel, as one report."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from assay.checks.packaging.artifact_scan import names, raw_data, rules, siblings
from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.explaining import explain
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.checks.packaging.artifact_scan.workers import CHUNK, File, Task, Workers
from assay.core.check import Context
from assay.core.digest import IGNORED
from assay.core.finding import Location, Severity
from assay.core.folders import irregular, is_file, is_folder, leads_outside, link_to_folder, unreadable, walk
from assay.core.git_storage import STORED, is_list, is_store
from assay.core.report import Coverage, Report, Skipped, conclude
from assay.core.subject import Subject
from assay.subjects.pickles.machine import MachinePool

NAME = "artifact.scan"
MAX_LISTED = 1_000
ALONE = 0.15  # seconds of small files before threads are worth it
SMALL = 1 << 20  # bytes
_SYSTEM = ("/etc", "/proc", "/sys", "/dev", "/run", "/boot")
_SECRET = {".ssh", ".aws", ".gnupg", ".kube", ".docker", ".config"}


def survey(subject: Subject, context: Context, options: ArtifactScanOptions, pool: MachinePool) -> Report:
    """Examine every file of the subject; `pool` is where pickles are read.

    Raises:
        CheckError: the run was cancelled.
    """
    total = Outcome()
    files = list(_files(subject, total))
    folder = subject.path if subject.is_folder() else None
    scanner = Scanner(pool, options, context.workspace, folder)
    task = Task(options, context.workspace, folder)
    outcomes = _examine(files, context, Workers(scanner, task, len(files)))
    raw_data.settle(outcomes, folder)
    total.findings += names.judge(files, folder=folder is not None)
    return _report(subject, options, total, outcomes, [name for _, name in files])


def _examine(files: Sequence[File], context: Context, workers: Workers) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with workers:
        chunks = _chunks(files, workers)
        try:
            for examined in chunks:
                outcomes += examined
                context.progress.update(len(outcomes), len(files))
                context.checkpoint()
        except BaseException as error:
            chunks.throw(error)  # whether threads are waited for goes by what it is
            raise
    return outcomes


def _chunks(files: Sequence[File], workers: Workers) -> Generator[list[Outcome], None, None]:
    """The outcomes of all files, in their order: a moment's worth of small ones here, the rest by threads."""
    cores = os.cpu_count() or 1
    size = max(1, min(CHUNK, len(files) // (8 * cores)))
    until = time.monotonic() + ALONE
    at = 0
    while at < len(files) and time.monotonic() < until and _is_small(files[at : at + size]):
        yield workers.examine(files[at : at + size])
        at += size
    if at >= len(files):
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  start-up

    threads = ThreadPoolExecutor(cores)
    try:
        yield from threads.map(workers.examine, (files[n : n + size] for n in range(at, len(files), size)))
    except BaseException as error:
        # Whoever interrupts does not wait until a file is read to its end.
        threads.shutdown(wait=not isinstance(error, KeyboardInterrupt), cancel_futures=True)
        raise
    threads.shutdown()


def _is_small(files: Sequence[File]) -> bool:
    """Whether files are read before a thread for another would have been started."""
    try:
        return sum(path.stat().st_size for path, _ in files) < SMALL
    except OSError:
        return True  # examining it says what is wrong


def _files(subject: Subject, outcome: Outcome) -> Iterator[tuple[Path, str]]:
    root = subject.path
    if not subject.is_folder():
        yield root, root.name
        return
    real = root.resolve()
    for here, folders, others in walk(
        root, unlisted=lambda error: outcome.skipped.append(_unlisted(error, root))
    ):
        inside = here.relative_to(root).parts
        if inside[:1] == (".git",):
            folders[:] = [name for name in folders if not is_store((*inside, name))]
            others = [name for name in others if not is_list(here / name, (*inside, name))]  # noqa: PLW2901
        folders.sort()
        for name in sorted(others):
            path = here / name
            relative = path.relative_to(root).as_posix()
            if path.is_symlink() and leads_outside(path, real):
                _judge_link(path, relative, real, outcome)
            if is_file(path):
                yield path, relative
            else:
                outcome.skipped.append(_unopened(path, relative))


def _judge_link(path: Path, relative: str, root: Path, outcome: Outcome) -> None:
    """A link that leaves the folder: into the hub cache that the folder is part of, or elsewhere."""
    target = _target(path)
    cache = _hub_cache(root)
    if cache is not None and target.is_relative_to(cache / "blobs") and target.is_file():
        outcome.notes.add("links lead to blobs of the same hub cache, which were examined")
        return
    message = f"The link leads to {str(target)[:150]!r}, outside the folder."
    private = any(target.is_relative_to(top) for top in _SYSTEM) or not _SECRET.isdisjoint(target.parts)
    ordinary = target.is_file() and not private
    severity = Severity.LOW if ordinary else None
    outcome.findings.append(rules.files.LINK.finding(message, Location(path=relative), severity=severity))


def _target(link: Path) -> Path:
    """Where a link leads; `Path.resolve` raises where that is a circle."""
    return Path(os.path.realpath(link))


def _hub_cache(root: Path) -> Path | None:
    """The `models--owner--name` folder that `root`, one of its snapshots or a part of one, lies in."""
    for folder in root.parents:
        if folder.name == "snapshots" and folder.parent.name.startswith(
            ("models--", "datasets--", "spaces--")
        ):
            return folder.parent
    return None


def _unlisted(error: OSError, root: Path) -> Skipped:
    problem = unreadable(Path(error.filename), error, done="listed")
    return Skipped(f"{Path(error.filename).relative_to(root).as_posix()}/", problem.cause, problem.remedy)


def _unopened(path: Path, name: str) -> Skipped:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Skipped(name, "the link leads nowhere", "Remove the link, or bring what it leads to.")
    except OSError as error:
        problem = unreadable(path, error)
        return Skipped(name, problem.cause, problem.remedy)
    problem = link_to_folder(path) if stat.S_ISDIR(mode) else irregular(path, mode)
    return Skipped(name, problem.cause, problem.remedy)


def _unsigned(folder: Path) -> Iterator[str]:
    """What a reviewer should know of names that the folder's digest leaves out."""
    there = [name for name in IGNORED if (folder / name).exists()]
    if there:
        yield f"examined, though no digest or signature of the folder covers it: {', '.join(there)}"
    if is_folder(folder / ".git"):
        yield f"of .git not looked at: git's own storage ({', '.join(STORED)})"


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
        notes=(*sorted(notes), *(_unsigned(subject.path) if subject.is_folder() else ())),
    )
    return conclude(
        NAME,
        subject,
        findings=explain(
            siblings.together(names.remote_code(findings, files), outcomes, files), everything, subject
        ),
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
