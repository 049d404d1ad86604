"""`assay snapshot STORE -o FOLDER`: a vector store's entries, kept to compare with later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from assay.cli.output import place_to_write, progress
from assay.cli.saying import say
from assay.cli.subjects import Opened, download_option
from assay.core.errors import SubjectError, UsageError

if TYPE_CHECKING:
    from assay.core.report import Skipped


@click.command("snapshot")
@click.argument("store")
@click.option(
    "-o", "--output", required=True, type=click.Path(), help="The folder to write; it must not exist."
)
@click.option("--table", default="", help="Which table or collection, where the store holds several.")
@download_option
@click.option("--no-progress", is_flag=True, help="Do not show progress.")
def command(store: str, output: str, table: str, max_download: int, no_progress: bool) -> int:  # noqa: FBT001
    """Write the entries of STORE into a folder: texts as JSON Lines, vectors as a NumPy array.

    STORE is a LanceDB, Qdrant or Chroma folder, rows in JSON Lines or Parquet, or
    postgresql://USER@HOST/DATABASE?table=TABLE. Once approved, the folder is a baseline for vector.poisoning.

    \b
    Examples:
      assay snapshot lancedb/ --table docs -o approved
      assay check vector.poisoning lancedb/ --option table=docs --baseline approved
    """  # noqa: D301  click keeps lines after the backspace
    from assay.subjects.dataset import Tally  # noqa: PLC0415  start-up
    from assay.subjects.vector_stores.saved import SavedStore, save  # noqa: PLC0415
    from assay.subjects.vector_stores.snapshot import take  # noqa: PLC0415
    from assay.subjects.vector_stores.store import open_store  # noqa: PLC0415

    folder = place_to_write(output)
    if folder.exists():
        raise UsageError(f"-o {output}: exists already", remedy="Name another folder.")
    tally = Tally()
    with progress("snapshot", disabled=no_progress) as shown, Opened(max_download, shown) as opened:
        path = opened.subject(store).path
        snapshot = take(open_store(path, table).entries(tally), tally)
        if tally.skipped_total or not len(snapshot):
            raise _partial(store, tally.skipped)
        folder.mkdir()
        save(snapshot.entries(), folder)
    kept = take(SavedStore(folder).entries(Tally()), Tally())
    say(f"{folder}: {len(kept):,} entries, snapshot SHA-256 {kept.sha256()}")
    return 0


def _partial(store: str, skipped: Sequence[Skipped]) -> SubjectError:
    """Why a snapshot would not be the whole store."""
    if not skipped:
        return SubjectError("holds no entries", subject=store, remedy="Check the path.")
    first = skipped[0]
    cause = f"not all of it can be read: {first.what}: {first.reason}"
    return SubjectError(cause, subject=store, remedy=first.remedy)
