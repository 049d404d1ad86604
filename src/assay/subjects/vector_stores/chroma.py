"""Chroma's local mode: texts in `chroma.sqlite3`, vectors in an HNSW index beside it or still in a queue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import SubjectError
from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.confined import ConfinedReader, Hazard, Said
from assay.subjects.vector_stores.entry import (
    ANY,
    MAX_WIDTH,
    Entry,
    Fields,
    UnreadableError,
    Vector,
    to_entry,
)
from assay.subjects.vector_stores.tables import chosen, unsaved

_DATABASE = "chroma.sqlite3"
_SEGMENT = re.compile(r"[0-9a-f-]{36}")  # a UUID: no name that leads out of the folder
_HEADER = np.dtype(
    # hnswlib `saveIndex` behind the version that Chroma puts first; size_t and unsigned of 64-bit machines.
    [("version", "<i4"), ("offset", "<u8"), ("most", "<u8"), ("count", "<u8"), ("size", "<u8"),
     ("label", "<u8"), ("data", "<u8")]
)  # fmt: skip


def is_chroma(path: Path) -> bool:
    """Whether Chroma's local mode wrote the folder."""
    return (path / _DATABASE).is_file()


@dataclass(slots=True)
class _Parts:
    """What the database says beside rows."""

    segment: str = ""
    pending: dict[str, Vector | None] = field(default_factory=dict)
    indexed: dict[str, Vector] | None = None

    def vector(self, key: str) -> Vector | None:
        """The newest vector of an entry."""
        if key in self.pending:
            return self.pending[key]
        return (self.indexed or {}).get(key)


@dataclass(frozen=True, slots=True)
class ChromaStore:
    """One collection of a local Chroma folder.

    Attributes:
        path: the folder with `chroma.sqlite3`.
        table: the collection, "" for the only one.
        hazards: filled while entries are read.
    """

    path: Path
    table: str = ""
    fields: Fields = ANY
    hazards: list[Hazard] = field(default_factory=list)
    kind: str = "chroma"

    def entries(self, tally: Tally) -> Iterator[Entry]:
        """All entries; what cannot be read is counted in `tally`.

        Raises:
            SubjectError: the collection is not there, or the database cannot be opened.
        """
        file = self.path / _DATABASE
        unsaved(file, tally)
        parts = _Parts()
        for said in ConfinedReader(file, tally, self.hazards).events("files", "chroma", self.table):
            if said.kind == "row":
                if parts.indexed is None:
                    parts.indexed = self._index(parts.segment, tally)
                entry = self._entry(said.row.fields, parts, tally)
                if entry is not None:
                    yield entry
            else:
                self._note(said, parts, tally)

    def _note(self, said: Said, parts: _Parts, tally: Tally) -> None:
        if said.kind == "tables":
            chosen(self.path, said.texts, self.table, tally)
        elif said.kind == "segment":
            (parts.segment,) = said.texts
        elif said.kind == "pending":
            parts.pending[said.texts[0]] = said.vector

    def _entry(self, row: Mapping[str, Any], parts: _Parts, tally: Tally) -> Entry | None:
        key = str(row.get("id"))
        try:
            return to_entry({**row, "vector": parts.vector(key)}, 0, self.fields)
        except UnreadableError as problem:
            tally.skip(f"entry {key}", str(problem), "Add the entry again with its vector.")
            return None

    def _index(self, segment: str, tally: Tally) -> dict[str, Vector]:
        """The vectors of the HNSW index, by id."""
        folder = self.path / segment
        if not _SEGMENT.fullmatch(segment) or not (folder / "index_metadata.pickle").is_file():
            return {}  # nothing was moved from the queue to the index yet
        places: dict[str, int] = {}
        reader = ConfinedReader(folder / "index_metadata.pickle", tally, self.hazards)
        for said in reader.events("files", "labels"):
            places.update(said.places)
        vectors, labels = _elements(folder)
        rows = {int(label): at for at, label in enumerate(labels)}
        return {key: vectors[rows[place]] for key, place in places.items() if place in rows}


def _elements(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
    """Vectors and labels of an hnswlib index: its elements are of one size, links first, the label last.

    Raises:
        SubjectError: the files do not fit each other.
    """
    try:
        with (folder / "header.bin").open("rb") as file:
            header = np.frombuffer(file.read(_HEADER.itemsize), _HEADER)[0]
        size, label, data, count = (int(header[name]) for name in ("size", "label", "data", "count"))
        width = (label - data) // 4
        if not (0 < width <= MAX_WIDTH and data < label and label + 8 == size and size < 1 << 20):
            raise ValueError("its header makes no sense")  # noqa: TRY301
        raw = np.memmap(folder / "data_level0.bin", np.uint8, mode="r", shape=(count, size))
    except (OSError, ValueError, IndexError) as error:
        raise SubjectError(
            f"its vector index cannot be read: {error}",
            subject=str(folder),
            remedy="Rebuild the collection's index with Chroma, then check it again.",
        ) from error
    vectors = np.ascontiguousarray(raw[:, data:label]).view("<f4").astype(np.float32)
    labels = np.ascontiguousarray(raw[:, label:]).view("<u8").ravel().astype(np.uint64)
    return vectors, labels
