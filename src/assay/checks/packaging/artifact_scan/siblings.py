"""Programs of one repository together: what is only there in one may be called or started by another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.rules.code import SCRIPT
from assay.checks.packaging.artifact_scan.rules.configurations import UNKNOWN
from assay.core.finding import Finding, Severity

_FOREIGN = ", which is of no framework that is known."
MAX_CALLS = 5_000  # that are kept of one file


def together(findings: Sequence[Finding], outcomes: Sequence[Outcome], names: Iterable[str]) -> list[Finding]:
    """Findings of single files, each in the light of the files beside it."""
    own = _own_targets(findings, {name for name in names if name.endswith(".py")})
    called = _called(outcomes)
    for (config, full), (file, function) in own.items():
        called.setdefault((file, function), f"{config} has it called as {full}.")
    wired = {name for outcome in outcomes for name in outcome.wired}
    raised = [_raised_script(_raised(finding, called), wired) for finding in findings]
    return [_lowered(finding, own) for finding in raised]


def _own_targets(findings: Iterable[Finding], sources: set[str]) -> dict[tuple[str, str], tuple[str, str]]:
    """Classes that configurations ask for and sources of this folder define: the source and the class."""
    found = {}
    for finding in findings:
        full = finding.data.get("global")
        if finding.rule != UNKNOWN.id or not isinstance(full, str) or "__" in full or finding.location.member:
            continue
        # The project's root is the folder of the configuration, or one above it.
        folders = PurePosixPath(finding.location.path).parents
        places = (place for folder in folders for place in reversed(_below(folder, full)))
        own = next((place for place in places if place[0] in sources), None)
        if own is not None:
            found[finding.location.path, full] = own
    return found


def _lowered(finding: Finding, own: Mapping[tuple[str, str], tuple[str, str]]) -> Finding:
    """Lower what a source of this folder defines: that source is judged like any."""
    key = (finding.location.path, str(finding.data.get("global")))
    if finding.rule != UNKNOWN.id or key not in own or finding.location.member:
        return finding
    message = f"{finding.message.removesuffix(_FOREIGN)}, which {own[key][0]} of this folder defines."
    return replace(finding, severity=Severity.LOW, message=message)


def _called(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], str]:
    """Functions that another file calls while it is imported, and the sentence that says so."""
    return {
        (module, function): f"{caller} does so when it is imported."
        for outcome in outcomes
        for caller, name in outcome.imported
        for module, function in _targets(caller, name)
    }


def _raised_script(finding: Finding, wired: set[str]) -> Finding:
    place = finding.location
    name = f"{place.path}!/{place.member}" if place.member else place.path
    if name not in wired or finding.rule != SCRIPT.id or finding.severity is not Severity.MEDIUM:
        return finding
    message = f"{finding.message} A tool runs this script by itself."
    return replace(finding, severity=Severity.HIGH, message=message)


def _targets(caller: str, name: str) -> list[tuple[str, str]]:
    """Files and functions that a dotted name may mean in `caller`."""
    folder = PurePosixPath(caller).parent
    stripped = name.lstrip(".")
    for _ in range(len(name) - len(stripped) - 1):
        folder = folder.parent
    return _below(folder, stripped)


def _below(folder: PurePosixPath, full: str) -> list[tuple[str, str]]:
    """Files below a folder that may hold a dotted name, and the rest of it; the shortest module first."""
    parts = full.split(".")
    return [
        (f"{(folder / '/'.join(parts[:at])).as_posix()}{suffix}", ".".join(parts[at:]))
        for at in range(1, len(parts))
        for suffix in (".py", "/__init__.py")
    ]


def _raised(finding: Finding, called: dict[tuple[str, str], str]) -> Finding:
    function = finding.data.get("function")
    waits = finding.rule.startswith("python/") and finding.data.get("time") in {"defined", "use"}
    if not waits or not isinstance(function, str) or finding.severity.at_least(Severity.HIGH):
        return finding
    # Making an object of a class runs some of its methods.
    names = [function, function.split(".")[0]] if finding.data.get("time") == "use" else [function]
    so = next((called[key] for name in names if (key := (finding.location.path, name)) in called), "")
    if not so or finding.location.member:
        return finding
    message = f"{finding.message} {so}"
    return replace(finding, severity=Severity.HIGH, message=message)
