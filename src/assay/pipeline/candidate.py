"""Where the parts of a release lie, and their names and digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from assay.core.check import Progress, Role, SilentProgress
from assay.core.digest import stamp
from assay.core.errors import ConfigError
from assay.core.release import Candidate
from assay.core.report import Report
from assay.core.subject import Subject, SubjectKind
from assay.pipeline.project import LoadedProject
from assay.sources.fetching import Fetched, fetched
from assay.sources.names import is_source, misnamed
from assay.sources.workspace import Bounds


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a release, where it lies now.

    Attributes:
        path: a file or folder, in the project or fetched.
        name: what evidence calls it: the path as it is written, or a source's pinned name.
        kind: of its subject; None where the path tells.
        fetched: what brought it here, or None.
    """

    path: Path
    name: str
    kind: SubjectKind | None = None
    fetched: Fetched | None = None

    def subject(self) -> Subject:
        """The subject that checks look at, named by the digest of its bytes.

        Raises:
            SubjectError: it cannot be read.
        """
        return replace(Subject.from_path(self.path, kind=self.kind, whole=True), name=self.name)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a release by role, for as long as the block of `opened_parts` runs.

    Attributes:
        model: the registered model's name.
        environment: prefix of the Python environment, or "" for this one.
        files: what lies in files, by role.
    """

    model: str
    environment: str
    files: Mapping[str, Part]

    def candidate(self) -> Candidate:
        """Every part, named by digest.

        Raises:
            SubjectError: a part cannot be read.
        """
        from assay.subjects.environment import environment_subject  # noqa: PLC0415  start-up

        subjects = {role: part.subject() for role, part in self.files.items()}
        subjects[Role.ENVIRONMENT.value] = environment_subject(self.environment)
        return Candidate(self.model, subjects)

    def stamps(self) -> dict[str, str]:
        """What the file system says of the files, by role; see `assay.core.digest.stamp`."""
        return {role: stamp(part.path) for role, part in self.files.items() if part.path.exists()}

    def settled(self, candidate: Candidate) -> Candidate:
        """`candidate` with sources' names in place of where they lay; it is the same by digest."""
        subjects = dict(candidate.subjects)
        for role, part in self.files.items():
            if part.fetched is not None:
                subjects[role] = replace(subjects[role], location=part.name)
        return replace(candidate, subjects=subjects)

    def settle(self, report: Report) -> Report:
        """`report` with a source's name in place of the folder it was fetched to, which will be gone."""
        for part in self.files.values():
            if part.fetched is None:
                continue
            serves = report.subject.serves
            if report.subject.location == str(part.path):
                return part.fetched.settle(report)
            if serves is not None and serves.location == str(part.path):
                served = replace(serves, location=part.name)
                return replace(report, subject=replace(report.subject, serves=served))
        return report


@contextmanager
def opened_parts(
    project: LoadedProject,
    *,
    model_path: str | None = None,
    only: Role | None = None,
    bounds: Bounds | None = None,
    fetching: Callable[[str], Progress] = lambda _: SilentProgress(),
) -> Iterator[Parts]:
    """Find what `assay.yaml` names; what it names by source is fetched, and removed after the block.

    Args:
        project: the project.
        model_path: a model to release instead of `model.path`: a path, or the name of a source.
        only: the one part to find.
        bounds: how much each source may bring.
        fetching: told of each source before it is fetched; returns where progress is told.

    Raises:
        ConfigError: a part does not exist.
        AssayError: it cannot be fetched in full.
    """
    config = project.config
    named: dict[str, tuple[str, str, SubjectKind | None]] = {
        Role.MODEL.value: ("model.path", model_path or config.model.path, None)
    }
    if config.data:
        named[Role.DATA.value] = ("data.path", config.data.path, SubjectKind.DATASET)
    if config.infrastructure:
        named[Role.INFRASTRUCTURE.value] = (
            "infrastructure",
            config.infrastructure,
            SubjectKind.INFRASTRUCTURE,
        )
    if config.vectors:
        named[Role.VECTORS.value] = ("vectors.path", config.vectors.path, SubjectKind.VECTOR_STORE)
    with ExitStack() as stack:
        files = {}
        for role, (key, text, kind) in named.items():
            if only is not None and role != only.value:
                continue
            if is_source(text):
                found = stack.enter_context(fetched(text, bounds=bounds, progress=fetching(text)))
                files[role] = Part(found.path, found.name, kind, found)
            else:
                files[role] = Part(_local(project, text, key), text, kind)
        yield Parts(config.model.name, config.environment, files)


def approved_vectors(project: LoadedProject) -> Subject | None:
    """The vector store as it was approved, where `assay.yaml` names it.

    Raises:
        ConfigError, SubjectError: it does not exist or cannot be read.
    """
    section = project.config.vectors
    if section is None or not section.baseline:
        return None
    path = _local(project, section.baseline, "vectors.baseline")
    return replace(Subject.from_path(path, kind=SubjectKind.VECTOR_STORE, whole=True), name=section.baseline)


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Why what a check just saw may not be what was hashed, or ""."""
    roles = [role for role, value in before.items() if after.get(role) != value]
    if not roles:
        return ""
    return f"the {roles[0]} changed while it was being checked; let no one write to it, then run again"


def _local(project: LoadedProject, text: str, key: str) -> Path:
    location = project.resolve(text)
    if not location.exists():
        if error := misnamed(text):
            raise ConfigError(f"{key}: {error}", subject=str(project.file), remedy=error.remedy)
        raise ConfigError(
            f"{key} points to {text}, which does not exist",
            subject=str(project.file),
            remedy="Correct the path, or make the file first.",
        )
    return location
