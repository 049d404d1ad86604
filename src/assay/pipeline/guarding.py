"""The guard that a project asks for."""

from __future__ import annotations

from pathlib import Path

from assay.guard.policy import GuardPolicy, parse_policy
from assay.pipeline.project import LoadedProject, load_project, nearest_project


def guard_policy(project: LoadedProject) -> GuardPolicy:
    """What `guard` in `assay.yaml` says; the built-in policy where it says nothing.

    Raises:
        ConfigError: a value does not fit.
    """
    return parse_policy(project.config.guard, source=str(project.file), folder=project.root)


def policy_in_force(start: Path | None = None) -> tuple[GuardPolicy, Path | None]:
    """The policy of the project around `start`, and its file.

    Args:
        start: a folder, or the file itself; None is the working folder, which need not be in a project: the
            built-in policy holds then.

    Raises:
        ConfigError: there is no file where one is named, or it is wrong.
    """
    if start is None and nearest_project(Path()) is None:
        return GuardPolicy(), None
    project = load_project(start or Path())
    return guard_policy(project), project.file
