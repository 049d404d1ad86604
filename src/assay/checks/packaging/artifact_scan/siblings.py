"""Programs of one repository together: what is only there in one may be called or started by another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.rules.code import SCRIPT
from assay.core.finding import Finding, Severity

MAX_CALLS = 5_000  # that are kept of one file


def raise_called(findings: Sequence[Finding], outcomes: Iterable[Outcome]) -> list[Finding]:
    """Raise what a function does where another file calls that function while it is imported."""
    called = {
        (module, function): caller
        for outcome in outcomes
        for caller, name in outcome.imported
        for module, function in _targets(caller, name)
    }
    return [_raised(finding, called) for finding in findings] if called else list(findings)


def raise_wired(findings: Sequence[Finding], outcomes: Iterable[Outcome]) -> list[Finding]:
    """Raise what a script does where another file has a tool run it."""
    wired = {name for outcome in outcomes for name in outcome.wired}
    return [_raised_script(finding, wired) for finding in findings] if wired else list(findings)


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
    parts = stripped.split(".")
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
    caller = next((called[key] for name in names if (key := (finding.location.path, name)) in called), "")
    if not caller or finding.location.member:
        return finding
    message = f"{finding.message} {caller} does so when it is imported."
    return replace(finding, severity=Severity.HIGH, message=message)
