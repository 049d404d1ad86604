"""`postgresql://…?table=…`: a table of pgvector, as a snapshot of one moment in the private folder."""

from __future__ import annotations

from collections.abc import Iterator

from assay.core.errors import SubjectError
from assay.sources.fetching import Fetched
from assay.sources.workspace import Workspace
from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.entry import Entry
from assay.subjects.vector_stores.postgres import PostgresStore, TableName
from assay.subjects.vector_stores.saved import save

_EACH = 1_000


def fetch_table(name: TableName, workspace: Workspace) -> Fetched:
    """Read a table into a snapshot.

    Raises:
        SubjectError: it cannot be read in full: a row without a vector is not in the snapshot.
        LimitError: it is larger than the workspace's bounds, or slower.
    """
    tally = Tally()
    count = save(_counted(PostgresStore(name).entries(tally), workspace), workspace.folder)
    if tally.skipped_total:
        first = tally.skipped[0]
        raise SubjectError(
            f"{tally.skipped_total:,} rows cannot be read; {first.what}: {first.reason}",
            subject=str(name),
            remedy=first.remedy,
        )
    if not count:
        raise SubjectError("holds no rows", subject=str(name), remedy="Check the table's name.")
    return Fetched(workspace.folder, str(name), (f"{count:,} rows as of one moment",))


def _counted(entries: Iterator[Entry], workspace: Workspace) -> Iterator[Entry]:
    taken = 0
    for number, entry in enumerate(entries):
        taken += entry.vector.nbytes + len(entry.text or "")
        if number % _EACH == 0:
            workspace.tell(taken, None, "rows")
        yield entry
