"""The seam to vector stores, and which store lies at a path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.chroma import ChromaStore, is_chroma
from assay.subjects.vector_stores.confined import Hazard
from assay.subjects.vector_stores.entry import Entry, Fields
from assay.subjects.vector_stores.lance import LanceStore, is_lance
from assay.subjects.vector_stores.plain import PlainStore
from assay.subjects.vector_stores.qdrant import QdrantStore, is_qdrant
from assay.subjects.vector_stores.saved import SavedStore, is_saved


class VectorStore(Protocol):
    """Something that holds entries.

    Attributes:
        kind: `plain`, `saved`, `lancedb`, `qdrant`, `chroma` or `pgvector`.
        hazards: code that the store's own pickles name; filled while entries are read.
    """

    @property
    def kind(self) -> str:
        """What it is."""

    @property
    def hazards(self) -> list[Hazard]:
        """Code that the store's own pickles name."""

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
    told = fields or Fields()
    if path.is_dir():
        if is_saved(path):
            return SavedStore(path)
        if is_chroma(path):
            return ChromaStore(path, table, told)
        if is_qdrant(path):
            return QdrantStore(path, table, told)
        if is_lance(path):
            return LanceStore(path, table, told)
    return PlainStore(path, told)
