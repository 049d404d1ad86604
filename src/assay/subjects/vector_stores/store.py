"""The seam to vector stores, and which store lies at a path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.entry import Entry, Fields
from assay.subjects.vector_stores.plain import PlainStore


class VectorStore(Protocol):
    """Something that holds entries.

    Attributes:
        kind: `plain`, `lancedb`, `qdrant`, `chroma` or `pgvector`.
    """

    @property
    def kind(self) -> str:
        """What it is."""

    def entries(self, tally: Tally) -> Iterator[Entry]:
        """All entries; what cannot be read is counted in `tally`.

        Raises:
            SubjectError: it cannot be read at all.
        """


def open_store(path: Path, table: str = "", fields: Fields | None = None) -> VectorStore:
    """Open the store at `path`; what it is, its files tell.

    Args:
        path: a file or folder.
        table: which table or collection, where the store holds several.
        fields: which columns hold what, where that should not be found by name.

    Raises:
        SubjectError: it does not exist, or it holds several tables and none is named.
    """
    del table
    return PlainStore(path, fields or Fields())
