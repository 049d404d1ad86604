"""Entries in plain files: JSON Lines, JSON, or Parquet (extra `data`), one file or a folder of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.subjects.dataset import Tally, open_dataset
from assay.subjects.dataset.dataset import READERS, DataFile
from assay.subjects.vector_stores.confined import Hazard
from assay.subjects.vector_stores.entry import ANY, Entry, Fields, UnreadableError, to_entry

_READ = frozenset({"jsonl", "json", "parquet"})
_REMEDY = "Name the columns with the options id_column, text_column and vector_column, or repair the row."


@dataclass(frozen=True, slots=True)
class PlainStore:
    """A file or folder of rows `{id, text, vector, source?, tenant?}`."""

    path: Path
    fields: Fields = ANY
    hazards: list[Hazard] = field(default_factory=list)
    kind: str = "plain"

    def entries(self, tally: Tally) -> Iterator[Entry]:
        """All entries in order; what cannot be read is counted in `tally`."""
        position = 0
        for file in open_dataset(self.path).files:
            if file.format not in _READ:
                tally.skip(file.name, "is no JSON Lines, JSON or Parquet file", "Move it out of the folder.")
                continue
            for entry in self._entries(file, position, tally):
                position += 1
                if entry is not None:
                    yield entry

    def _entries(self, file: DataFile, position: int, tally: Tally) -> Iterator[Entry | None]:
        for raw in READERS[file.format](file.path, "auto"):
            where = f"{file.name}:{raw.line}" if raw.line is not None else f"{file.name} row {position}"
            position += 1
            if raw.fields is None:
                rest = "; nothing after it was read" if raw.fatal else ""
                tally.skip(where, raw.problem + rest, "Repair or remove the row.", count=raw.count)
                yield None
                continue
            try:
                yield to_entry(raw.fields, position - 1, self.fields)
            except UnreadableError as problem:
                tally.skip(where, str(problem), _REMEDY)
                yield None
