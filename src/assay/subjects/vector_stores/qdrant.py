"""Qdrant's local mode: a folder of collections, each a SQLite table of pickled points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.confined import ConfinedReader, Hazard
from assay.subjects.vector_stores.entry import ANY, Entry, Fields, UnreadableError, to_entry
from assay.subjects.vector_stores.tables import chosen, unsaved

_COLLECTIONS, _STORAGE = "collection", "storage.sqlite"


def is_qdrant(path: Path) -> bool:
    """Whether Qdrant's local mode wrote the folder."""
    return (path / "meta.json").is_file() and (path / _COLLECTIONS).is_dir()


@dataclass(frozen=True, slots=True)
class QdrantStore:
    """One collection of a local Qdrant folder.

    Attributes:
        path: the folder with `meta.json`.
        table: the collection, "" for the only one.
        hazards: filled while entries are read.
    """

    path: Path
    table: str = ""
    fields: Fields = ANY
    hazards: list[Hazard] = field(default_factory=list)
    kind: str = "qdrant"

    def entries(self, tally: Tally) -> Iterator[Entry]:
        """All points with a dense vector; what cannot be read is counted in `tally`.

        Raises:
            SubjectError: the collection is not there, or its file cannot be opened.
        """
        names = sorted(one.parent.name for one in self.path.glob(f"{_COLLECTIONS}/*/{_STORAGE}"))
        name = chosen(self.path, names, self.table, tally)
        file = self.path / _COLLECTIONS / name / _STORAGE
        unsaved(file, tally)
        for said in ConfinedReader(file, tally, self.hazards).events("files", "qdrant"):
            row = said.row
            try:
                yield to_entry({**row.fields, **self._vector(row.vectors)}, 0, self.fields)
            except UnreadableError as problem:
                tally.skip(
                    f"point {row.fields.get('id')}",
                    str(problem),
                    f"Name one of its vectors ({', '.join(sorted(row.vectors)) or 'none is dense'}) with the "
                    "option vector_column.",
                )

    def _vector(self, vectors: object) -> dict[str, object]:
        """The vector that is looked at, under a name that is recognised."""
        named = dict(vectors) if isinstance(vectors, dict) else {}
        told = self.fields.vector
        if told:
            return {told: named.get(told)}
        return {"vector": next(iter(named.values()))} if len(named) == 1 else {}
