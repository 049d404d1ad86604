"""Name the parts of a release by digest."""

from __future__ import annotations

from collections.abc import Mapping

from assay.core.check import Role
from assay.core.digest import stamp
from assay.core.errors import ConfigError
from assay.core.release import Candidate
from assay.core.subject import Subject, SubjectKind
from assay.pipeline.project import LoadedProject


def resolve_candidate(project: LoadedProject, *, model_path: str | None = None) -> Candidate:
    """Hash what `assay.yaml` names, and the environment.

    Args:
        project: the project.
        model_path: a model to release instead of `model.path`.

    Raises:
        ConfigError, SubjectError: a part does not exist or cannot be read.
    """
    config = project.config
    subjects = {Role.MODEL.value: _named(project, model_path or config.model.path, "model.path")}
    if config.data:
        data = _named(project, config.data.path, "data.path", SubjectKind.DATASET)
        subjects[Role.DATA.value] = data
    if config.infrastructure:
        infrastructure = _named(project, config.infrastructure, "infrastructure", SubjectKind.INFRASTRUCTURE)
        subjects[Role.INFRASTRUCTURE.value] = infrastructure
    if config.vectors:
        vectors = _named(project, config.vectors.path, "vectors.path", SubjectKind.VECTOR_STORE)
        subjects[Role.VECTORS.value] = vectors
    from assay.subjects.environment import environment_subject  # noqa: PLC0415  start-up

    subjects[Role.ENVIRONMENT.value] = environment_subject(config.environment)
    return Candidate(config.model.name, subjects)


def approved_vectors(project: LoadedProject) -> Subject | None:
    """The vector store as it was approved, where `assay.yaml` names it.

    Raises:
        ConfigError, SubjectError: it does not exist or cannot be read.
    """
    section = project.config.vectors
    if section is None or not section.baseline:
        return None
    return _named(project, section.baseline, "vectors.baseline", SubjectKind.VECTOR_STORE)


def stamps(project: LoadedProject, *, model_path: str | None = None) -> dict[str, str]:
    """What the file system says of the candidate's files, by role; see `assay.core.digest.stamp`."""
    config = project.config
    paths = {Role.MODEL.value: model_path or config.model.path}
    if config.data:
        paths[Role.DATA.value] = config.data.path
    if config.infrastructure:
        paths[Role.INFRASTRUCTURE.value] = config.infrastructure
    if config.vectors:
        paths[Role.VECTORS.value] = config.vectors.path
    existing = {role: project.resolve(path) for role, path in paths.items()}
    return {role: stamp(path) for role, path in existing.items() if path.exists()}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Why what a check just saw may not be what was hashed, or ""."""
    roles = [role for role, value in before.items() if after.get(role) != value]
    if not roles:
        return ""
    return f"the {roles[0]} changed while it was being checked; let no one write to it, then run again"


def _named(project: LoadedProject, path: str, key: str, kind: SubjectKind | None = None) -> Subject:
    location = project.resolve(path)
    if not location.exists():
        raise ConfigError(
            f"{key} points to {path}, which does not exist",
            subject=str(project.file),
            remedy="Correct the path, or make the file first.",
        )
    subject = Subject.from_path(location, kind=kind)
    return Subject(subject.kind, path, subject.digests, subject.location)
