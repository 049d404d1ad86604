"""From a source's name to a subject on this disk, for as long as a block runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from assay.core.check import Progress
from assay.core.errors import SubjectError
from assay.core.report import Report
from assay.core.subject import Subject, SubjectKind
from assay.registries.storage import incoming
from assay.sources.names import written_low
from assay.sources.private_folder import cache_folder, require_private
from assay.sources.workspace import Bounds, Workspace

_CREDENTIALS = re.compile(r"//[^/]*@")  # user and password, which no message shows


@dataclass(frozen=True, slots=True)
class Fetched:
    """A source's files, here.

    Attributes:
        path: the folder, or the file where the name named one.
        name: the source with its pinned identity: a commit, a version.
        notes: what a reviewer should know of where it came from.
    """

    path: Path
    name: str
    notes: tuple[str, ...] = ()

    def subject(self, kind: SubjectKind | None = None) -> Subject:
        """The subject that checks look at; its digest is that of the bytes here."""
        return replace(Subject.from_path(self.path, kind=kind), name=self.name)

    def settle(self, report: Report) -> Report:
        """`report` with where its subject came from in place of the folder, which is gone by then."""
        coverage = replace(report.coverage, notes=(*report.coverage.notes, *self.notes))
        return replace(report, coverage=coverage, subject=replace(report.subject, location=self.name))


@contextmanager
def fetched(
    name: str, *, bounds: Bounds | None = None, progress: Progress | None = None
) -> Iterator[Fetched]:
    """Fetch what `name` names into a private folder that is removed at the end of the block.

    Whatever goes wrong, nothing of it stays; what a killed process left is removed by the next.

    Args:
        name: `hf://…`, `s3://…`, `mlflow:…` or `postgresql://…`.
        bounds: how much may come.
        progress: told of every chunk, in bytes.

    Raises:
        UsageError: the name is wrong, or what fetches it is not installed.
        SubjectError, RegistryError: it cannot be fetched in full.
        LimitError: it is larger than the bounds, or slower.
    """
    name = written_low(name)
    root = require_private(cache_folder("sources"))
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(incoming(root, root / "lock"))
            source = _CREDENTIALS.sub("//", name)
            found = _fetch(name, Workspace(folder, bounds or Bounds(), source=source, progress=progress))
        except OSError as error:
            raise SubjectError(
                f"cannot be kept: {(error.strerror or str(error)).lower()}",
                subject=_CREDENTIALS.sub("//", name),
                remedy=f"Check that {root} is writable and has room; nothing was left behind.",
            ) from error
        yield found


def _fetch(name: str, workspace: Workspace) -> Fetched:
    from assay.sources import names  # noqa: PLC0415

    if name.startswith("hf://"):
        from assay.sources.hub import fetch_repository  # noqa: PLC0415  httpx, only where used

        return fetch_repository(names.parse_hub(name), workspace)
    if name.startswith("s3://"):
        from assay.sources.buckets import fetch_objects  # noqa: PLC0415  boto3, only where used

        return fetch_objects(names.parse_bucket(name), workspace)
    if name.startswith(("postgresql://", "postgres://")):
        from assay.sources.tables import fetch_table  # noqa: PLC0415  pg8000, only where used
        from assay.subjects.vector_stores.postgres import parse_table  # noqa: PLC0415

        return fetch_table(parse_table(name), workspace)
    from assay.sources.tracking import fetch_tracked  # noqa: PLC0415

    return fetch_tracked(names.parse_tracked(name), workspace)
