"""Which installed distribution needs which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from assay.subjects.environment import Distribution, Environment

MAX_REQUIREMENTS = 5_000


def dependencies(environment: Environment) -> dict[str, set[str]]:
    """Edges between canonical names: what each distribution requires and is installed.

    Markers are evaluated for that environment's Python. An extra counts where some installed distribution
    asks for it: which extras a person asked for is not recorded anywhere.
    """
    wanted = {d.canonical_name: _requirements(d) for d in environment.distributions}
    marker = {"python_full_version": environment.python, "python_version": _minor(environment.python)}
    extras: dict[str, set[str]] = {name: set() for name in wanted}
    edges: dict[str, set[str]] = {name: set() for name in wanted}
    pending = sorted(wanted)
    while pending:
        name = pending.pop()
        for requirement in wanted[name]:
            target = canonicalize_name(requirement.name)
            if target not in wanted or not _applies(requirement, extras[name], marker):
                continue
            edges[name].add(target)
            asked = {canonicalize_name(extra) for extra in requirement.extras}
            if asked - extras[target]:
                extras[target] |= asked
                pending.append(target)
    return edges


def _requirements(distribution: Distribution) -> Sequence[Requirement]:
    parsed = []
    for line in distribution.metadata.get_all("Requires-Dist", [])[:MAX_REQUIREMENTS]:
        try:
            parsed.append(Requirement(str(line)))
        except InvalidRequirement:
            continue  # no edge can be drawn from what no installer could read either
    return parsed


def _applies(requirement: Requirement, extras: set[str], marker: Mapping[str, str]) -> bool:
    if requirement.marker is None:
        return True
    try:
        return any(requirement.marker.evaluate({**marker, "extra": extra}) for extra in ("", *extras))
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
