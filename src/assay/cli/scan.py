"""`assay scan PATH…`: scan model artifacts, like trivy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.caching import Scans
from assay.cli.exits import Exit, exit_for_reports
from assay.cli.ignoring import ignore_entries
from assay.cli.output import (
    emit,
    fail_on_option,
    ignore_options,
    output_options,
    parse_outputs,
    progress,
    severity,
)
from assay.cli.saying import say_error
from assay.cli.subjects import Opened, download_option, named
from assay.core.errors import AssayError, UsageError
from assay.core.folders import is_file, is_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.core.finding import Severity
    from assay.core.report import Report
    from assay.core.subject import Subject

LARGE = 64 << 20  # bytes of a file that is worth hashing while it is scanned


@click.command("scan")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@fail_on_option
@ignore_options
@download_option
@click.option("--no-cache", is_flag=True, help="Scan anew what was scanned before.")
@output_options
def command(
    paths: tuple[str, ...],
    max_download: int,
    no_cache: bool,  # noqa: FBT001
    fail_on: str | None,
    ignore_file: str | None,
    known: str | None,
    format_: str,
    outputs: tuple[str, ...],
    no_progress: bool,  # noqa: FBT001  click hands flags over so
) -> int:
    """Scan model files and folders for hidden code. Nothing is loaded or executed.

    PATHS are files, folders, quoted patterns of them, or names to fetch: hf://ORG/NAME@REVISION,
    s3://BUCKET/KEY or mlflow:NAME@ALIAS. A local path of such a name is written ./NAME.

    A path or file that cannot be read is reported, and the others are scanned; the exit code is then 1 if
    they hold findings, else 2.

    \b
    Examples:
      assay scan model.safetensors checkpoints/
      assay scan model.pt -f json -o sarif=scan.sarif
      assay scan 'runs/**/*.pt' hf://org/name@main
    """  # noqa: D301  click keeps lines after the backspace
    targets = parse_outputs(outputs)
    if "cyclonedx" in {format_, *(name for name, _ in targets)}:
        raise UsageError(
            "a scan makes no bill of materials, which is what cyclonedx holds",
            remedy="`assay check model.origin PATH -f cyclonedx` makes the model's.",
        )
    reports, unread = scanned(
        paths, ignore_file, known, max_download=max_download, no_cache=no_cache, no_progress=no_progress
    )
    if not reports:
        return Exit.ERROR
    from assay.checks.packaging.artifact_scan import ArtifactScan  # noqa: PLC0415  start-up
    from assay.cli.documents import document_of  # noqa: PLC0415  start-up

    notes = tuple(f"not scanned: {problem}" for problem in unread)
    document = document_of(reports, "Artifact scan", notes=notes, checks=(ArtifactScan.info,))
    emit(document, format_, targets)
    return code_of(reports, unread, severity(fail_on))


def code_of(reports: Sequence[Report], unread: Sequence[AssayError], fail_on: Severity | None) -> int:
    """The exit code of a scan of which some paths may not have been read."""
    code = exit_for_reports(reports, fail_on)
    return Exit.ERROR if unread and code is not Exit.FINDINGS else code


def scanned(
    paths: Sequence[str],
    ignore_file: str | None,
    known: str | None,
    *,
    max_download: int,
    no_cache: bool = False,
    no_progress: bool = False,
) -> tuple[list[Report], list[AssayError]]:
    """The reports on what lies at `paths`, and what cannot be read, which is told on stderr as well."""
    scans = Scans(disabled=no_cache)
    jobs, unread = _jobs(paths, scans)  # large files begin to be hashed while the rest is imported
    from assay.checks.packaging.artifact_scan import ArtifactScan  # noqa: PLC0415  start-up
    from assay.pipeline.runner import Task  # noqa: PLC0415  start-up

    check = ArtifactScan()
    local = [job for job in jobs if not isinstance(job, str)]
    ignores = ignore_entries(ignore_file, known, local)
    reports: list[Report] = []
    with progress("scanning", disabled=no_progress) as shown:
        for job in jobs:
            try:
                with Opened(max_download, shown) as opened:
                    subject = _fetched(job, opened, scans)
                    reports.append(opened.settle(scans.report(Task(check, subject, ignores=ignores), shown)))
            except AssayError as error:
                unread.append(error)
    for problem in unread:
        say_error(problem)
    return reports, unread


def _jobs(paths: Sequence[str], scans: Scans) -> tuple[list[Subject | str], list[AssayError]]:
    """What is to be scanned, in the order of the words and each once: subjects, and names to fetch."""
    places, unread = named(paths)
    jobs: dict[str, Subject | str] = {}
    for place in places:
        if isinstance(place, str):
            jobs[place] = place
            continue
        found, problems = _subjects(place, scans)
        unread += problems
        for subject in found:
            jobs.setdefault(subject.location, subject)
    return list(jobs.values()), unread


def _fetched(job: Subject | str, opened: Opened, scans: Scans) -> Subject:
    """The subject, fetched if it is the name of a source."""
    if not isinstance(job, str):
        return job
    subject = opened.subject(job)
    scans.look(subject.path)
    return subject


def _subjects(path: Path, scans: Scans) -> tuple[list[Subject], list[AssayError]]:
    """What is to be scanned at `path`, and what of it cannot be read.

    A folder with an unreadable file has no digest as a whole, so each of its readable files is a subject.
    """
    from assay.core.errors import LimitError  # noqa: PLC0415  start-up
    from assay.core.subject import Subject  # noqa: PLC0415

    try:
        known = scans.look(path)
        if not known and is_file(path) and path.stat().st_size >= LARGE:
            return [Subject.beginning(path)], []
        return [Subject.from_path(path)], []
    except AssayError as error:
        if isinstance(error, LimitError) or not is_folder(path):
            return [], [error]
        found, problems = _one_by_one(path)
        return found, problems or ([] if found else [error])


def _one_by_one(folder: Path) -> tuple[list[Subject], list[AssayError]]:
    """Each file below a folder as a subject of its own, and what cannot be read."""
    from assay.core.folders import unreadable, walk  # noqa: PLC0415  start-up

    found: list[Subject] = []
    problems: list[AssayError] = []

    def unlisted(error: OSError) -> None:
        problems.append(unreadable(Path(error.filename), error, done="listed"))

    for here, folders, others in walk(folder, unlisted=unlisted):
        if ".git" in folders and here == folder:
            folders.remove(".git")  # what its files are is told by where they lie
            problems.append(_apart(here / ".git"))
        folders.sort()
        for name in sorted(others):
            try:
                found.append(_file_subject(here / name))
            except AssayError as error:
                problems.append(error)
    return found, problems


def _apart(git: Path) -> AssayError:
    from assay.core.errors import SubjectError  # noqa: PLC0415  start-up

    remedy = "Mend what is said of the others, and scan the folder."
    return SubjectError("is examined only with all of its folder", subject=str(git), remedy=remedy)


def _file_subject(path: Path) -> Subject:
    from assay.core.folders import link_to_folder  # noqa: PLC0415  start-up
    from assay.core.subject import Subject  # noqa: PLC0415

    if is_folder(path):
        raise link_to_folder(path)
    return Subject.from_path(path)
