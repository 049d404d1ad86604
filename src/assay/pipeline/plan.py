"""Which checks run on a candidate, in which order, on what."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from assay.core.canonical import JSON
from assay.core.check import Check, Role, Stage, check_names, load_check
from assay.core.errors import CheckError, ConfigError
from assay.core.release import Candidate
from assay.pipeline.journal import key_path
from assay.pipeline.project import LoadedProject

GUARDIAN = "artifact.scan"  # nothing is served before this check passed on it


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What will run and what will not.

    Attributes:
        checks: in the order to run.
        declared: checks that the project declares not applicable.
        absent: checks whose subject the project does not name; the gate will miss them.
    """

    checks: tuple[Check, ...]
    declared: tuple[str, ...]
    absent: tuple[str, ...]


def plan_release(project: LoadedProject, candidate: Candidate) -> Plan:
    """Order every installed check, less those declared not applicable and those that run on request only.

    Raises:
        ConfigError: `checks` or `not_applicable` names a check that is not installed.
    """
    names = check_names()
    config = project.config
    for section, keys in (("checks", config.checks), ("not_applicable", config.not_applicable)):
        _require_known(section, keys, names, project)
    declared = tuple(sorted(config.not_applicable))
    loaded = [load_check(name) for name in names if name not in declared]
    loaded = [check for check in loaded if not check.info.on_request or check.info.name in config.checks]
    present = [check for check in loaded if _has_subject(check, project, candidate)]
    absent = tuple(check.info.name for check in loaded if check not in present)
    return Plan(tuple(_ordered(present)), declared, absent)


def check_options(project: LoadedProject, check: Check) -> dict[str, JSON]:
    """The options of `check`: as written under `checks`, and what the project itself knows.

    A check that has an option `root`, `signing_key`, `api_key_env` or `format` gets the project's folder and
    signing key, the endpoint's key variable and the data's format, unless told otherwise.
    """
    config = project.config
    known: dict[str, JSON] = {"root": str(project.root), "signing_key": str(key_path(project))}
    if config.endpoint:
        known["api_key_env"] = config.endpoint.api_key_env
    if config.data and check.info.role is Role.DATA:
        known["format"] = config.data.format
    fields = {field.name for field in dataclasses.fields(check.info.options)}
    ambient = {name: value for name, value in known.items() if name in fields}
    return {**ambient, **config.checks.get(check.info.name, {})}


def _has_subject(check: Check, project: LoadedProject, candidate: Candidate) -> bool:
    if check.info.role is Role.ENDPOINT:
        return project.config.endpoint is not None
    return check.info.role.value in candidate.subjects


def _ordered(checks: list[Check]) -> Iterable[Check]:
    by_name = {check.info.name: check for check in checks}
    stages = list(Stage)
    rank = {name: (stages.index(check.info.stage), name) for name, check in by_name.items()}
    before: dict[str, set[str]] = {}
    for name, check in by_name.items():
        after = set(check.info.after)
        if check.info.role is Role.ENDPOINT:
            after.add(GUARDIAN)
        before[name] = after & set(by_name)
    sorter = TopologicalSorter(before)
    try:
        sorter.prepare()
    except CycleError as error:
        raise CheckError(f"checks wait for each other: {' → '.join(error.args[1])}") from error
    while sorter.is_active():
        for name in sorted(sorter.get_ready(), key=rank.__getitem__):
            yield by_name[name]
            sorter.done(name)


def _require_known(
    section: str, keys: Mapping[str, object], names: list[str], project: LoadedProject
) -> None:
    unknown = sorted(set(keys) - set(names))
    if unknown:
        raise ConfigError(
            f"{section} names {unknown[0]!r}, which is not an installed check",
            subject=str(project.file),
            remedy=f"Known checks: {', '.join(names)}.",
        )
