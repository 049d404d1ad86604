"""The check `supply.sbom`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from assay.checks.packaging.sbom.bom import Part, bill_of_materials
from assay.checks.packaging.sbom.files import (
    STARTUP,
    Comparison,
    Entry,
    compare,
    entries,
    is_code,
    is_native,
    unrecorded_code,
)
from assay.checks.packaging.sbom.graph import dependencies
from assay.checks.packaging.sbom.licences import licence_of
from assay.checks.packaging.sbom.options import SbomOptions
from assay.checks.packaging.sbom.rules import (
    DUPLICATE_DISTRIBUTION,
    MISSING_FILE,
    MISSING_LICENCE,
    MODIFIED_FILE,
    RULES,
    UNRECORDED_CODE,
)
from assay.checks.packaging.sbom.sources import source_finding, source_of
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.errors import CheckError, SubjectError
from assay.core.finding import Finding, Location, Severity
from assay.core.report import Coverage, Metric, Report, Skipped, conclude
from assay.core.subject import Subject, SubjectKind
from assay.subjects.environment import Distribution, Environment, read_environment, subject_of

NAME = "supply.sbom"
MAX_LISTED = 100
# virtualenv puts this pair into every environment it makes and records it nowhere.
_KNOWN_STARTUP = frozenset({"_virtualenv.pth"})


@dataclass(slots=True)
class _Seen:
    """What accumulates while the environment is walked."""

    parts: list[Part] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    listed: list[Entry] = field(default_factory=list)
    recorded: set[Path] = field(default_factory=set)


class SupplySbom:
    """Lists what is installed in a Python environment as a CycloneDX bill, and verifies installed code."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name=NAME,
        title="What is inside the environment, and whether it is what was installed",
        stage=Stage.PACKAGING,
        role=Role.ENVIRONMENT,
        kinds=(SubjectKind.ENVIRONMENT,),
        version="1",
        rules=RULES,
        options=SbomOptions,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Look at the environment.

        Raises:
            CheckError: it changed since it was named.
            SubjectError: there is no environment.
        """
        options = context.parsed(SbomOptions)
        environment = read_environment(subject.location)
        if subject_of(environment).sha256 != subject.sha256:
            raise CheckError(
                "the environment changed since it was named",
                subject=subject.name,
                remedy="Finish the installation, then run again.",
            )
        seen = _walk(environment, options, context)
        comparison = _verify(environment, seen, options, context)
        edges = dependencies(environment)
        bom = bill_of_materials(subject, environment.python, seen.parts, edges)
        notes = () if options.verify_files else ("files were not compared with their records (verify_files)",)
        coverage = Coverage(
            "packages", len(seen.parts), tuple(seen.skipped[:MAX_LISTED]), len(seen.skipped), notes
        )
        return conclude(
            NAME,
            subject,
            findings=seen.findings,
            coverage=coverage,
            fail_on=options.fail_on,
            metrics=_metrics(seen, comparison),
            details={"bom": bom},
        )


def _walk(environment: Environment, options: SbomOptions, context: Context) -> _Seen:
    seen = _Seen(skipped=list(environment.skipped))
    ordered = sorted(environment.distributions, key=lambda d: (d.canonical_name, d.version, str(d.info)))
    for done, distribution in enumerate(ordered):
        context.checkpoint()
        context.progress.update(done, len(ordered), distribution.name)
        _look(distribution, seen, options)
    seen.findings += _duplicates(ordered)
    return seen


def _look(distribution: Distribution, seen: _Seen, options: SbomOptions) -> None:
    source, lines = None, []
    try:
        source = source_of(distribution)
        lines = list(entries(distribution))
    except SubjectError as error:
        seen.skipped.append(Skipped(distribution.name, error.cause, "Reinstall this package."))
    native = [entry.path for entry in lines if is_native(entry.path)]
    licence = licence_of(distribution)
    seen.parts.append(Part(distribution, licence, source, sorted(native)))
    if source:
        seen.findings.append(source_finding(distribution, source))
    if not licence.stated:
        message = f"{distribution.name} {distribution.version} states no licence"
        seen.findings.append(MISSING_LICENCE.finding(message, Location(name=distribution.name)))
    seen.recorded.update(distribution.folder / entry.path for entry in lines if entry.path.endswith(STARTUP))
    if distribution.record is None and options.verify_files:
        reason = "has no RECORD, so its files cannot be compared with what was installed"
        remedy = "Install it with pip or uv in a virtual environment."
        seen.skipped.append(Skipped(distribution.name, reason, remedy))
    seen.listed += [entry for entry in lines if _runs(entry, options)]


def _runs(entry: Entry, options: SbomOptions) -> bool:
    return is_code(entry.path) or (options.verify_native and is_native(entry.path))


def _verify(environment: Environment, seen: _Seen, options: SbomOptions, context: Context) -> Comparison:
    if not options.verify_files:
        return Comparison()
    within = seen.listed[: options.max_files]
    beyond = len(seen.listed) - len(within)
    if beyond:
        reason = f"{beyond:,} recorded files are more than max_files allows"
        seen.skipped.append(Skipped("file comparison", reason, "Raise max_files."))

    def step(done: int) -> None:
        context.checkpoint()
        context.progress.update(done, len(within), "comparing files")

    comparison = compare(within, step)
    seen.skipped += [Skipped(e.path, why, "Check its permissions.") for e, why in comparison.unread]
    seen.findings += _modified(comparison)
    seen.findings += _missing(comparison)
    seen.findings += _startup(environment, seen)
    return comparison


def _modified(comparison: Comparison) -> Iterator[Finding]:
    for entry in comparison.modified:
        name = entry.distribution.name
        message = f"{entry.path} of {name} {entry.distribution.version} is not the file that was installed"
        yield MODIFIED_FILE.finding(message[:300], Location(entry.path, name=name))


def _missing(comparison: Comparison) -> Iterator[Finding]:
    gone: dict[str, list[Entry]] = defaultdict(list)
    for entry in comparison.missing:
        gone[entry.distribution.name].append(entry)
    for name, lost in sorted(gone.items()):
        message = f"{len(lost):,} recorded code files of {name} are missing, {lost[0].path} among them"
        yield MISSING_FILE.finding(message[:300], Location(name=name), data={"files": len(lost)})


def _startup(environment: Environment, seen: _Seen) -> Iterator[Finding]:
    for path in unrecorded_code(environment, seen.recorded):
        severity = Severity.INFO if path.name in _KNOWN_STARTUP else None
        message = f"{path.name} runs at every start of Python and no package recorded it"
        yield UNRECORDED_CODE.finding(message, Location(path.name), severity=severity)


def _duplicates(distributions: list[Distribution]) -> Iterator[Finding]:
    versions: dict[str, list[str]] = defaultdict(list)
    for distribution in distributions:
        versions[distribution.canonical_name].append(distribution.version)
    for name, found in sorted(versions.items()):
        if len(found) > 1:
            message = f"{name} is installed {len(found)} times: {', '.join(found[:5])}"
            yield DUPLICATE_DISTRIBUTION.finding(message, Location(name=name))


def _metrics(seen: _Seen, comparison: Comparison) -> dict[str, Metric]:
    kinds = Counter(part.source.kind for part in seen.parts if part.source)
    return {
        "packages": len(seen.parts),
        "without_licence": sum(not part.licence.stated for part in seen.parts),
        "native_packages": sum(bool(part.native) for part in seen.parts),
        "editable": kinds["editable"],
        "direct_url": kinds["vcs"] + kinds["archive"] + kinds["folder"],
        "files_compared": comparison.compared,
        "modified_files": len(comparison.modified),
        "missing_files": len(comparison.missing),
    }
