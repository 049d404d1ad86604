"""What a configuration names and its loader takes: modules and classes it imports, files it opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.checks.packaging.artifact_scan import policy, rules, targets
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.locations import misplaced
from assay.core.canonical import JSON
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Severity


def judge(
    blob: Blob, name: str, inspection: Inspection, *, how: str, own: tuple[str, ...] = (), file: str = ""
) -> None:
    """Report a name that a loader would import, unless it belongs to that loader or to a framework.

    Args:
        blob: the configuration.
        name: a dotted name.
        inspection: what takes the finding.
        how: the setting that names it.
        own: beginnings of names that are the loader's own.
        file: the module of the repository that it may be, seen from the configuration; else told by the name.
    """
    module, _, attribute = name.rpartition(".")
    if policy.is_allowed(module, attribute, inspection.options.allow):
        return
    if name.startswith(own) and "__" not in name and not targets.passes_on(name):
        return
    dangerous = targets.is_dangerous(name)
    if not dangerous and targets.is_framework(name):
        return
    ending = ", which can run code" if dangerous else ""
    report(blob, inspection, f"`{how}` has {name[:120]!r} imported{ending}.", f"import {name[:200]}",
           [] if dangerous else [file or module], severity=Severity.HIGH if dangerous else None)  # fmt: skip


def report(
    blob: Blob,
    inspection: Inspection,
    message: str,
    source: str,
    modules: list[str],
    *,
    severity: Severity | None = None,
) -> None:
    """Report that a configuration has code imported, from `modules` where the repository has them."""
    explanation = Explanation(source, (Step("the configuration asks for it"),))
    named: list[JSON] = [*modules]
    finding = rules.repository.REMOTE.finding(
        message, blob.place(), severity=severity, data={"modules": named}, explanation=explanation
    )
    inspection.report(finding)


def opened(blob: Blob, paths: Iterable[str]) -> Iterator[Finding]:
    """A finding for each path that leads out of the folder, or to what no signature covers."""
    for path in dict.fromkeys(paths):
        if wrong := misplaced(blob, path):
            message = f"Loading the model would open {path[:100]!r}: the path {wrong}."
            yield rules.configurations.PATH.finding(message, blob.place())
