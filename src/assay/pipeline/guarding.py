"""The guard that a project asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.guard.policy import parse_policy

if TYPE_CHECKING:
    from assay.guard.policy import GuardPolicy
    from assay.pipeline.project import LoadedProject


def guard_policy(project: LoadedProject) -> GuardPolicy:
    """What `guard` in `assay.yaml` says; the built-in policy where it says nothing.

    Raises:
        ConfigError: a value does not fit.
    """
    return parse_policy(project.config.guard, source=str(project.file), folder=project.root)
