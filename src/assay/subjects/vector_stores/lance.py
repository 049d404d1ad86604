"""LanceDB's embedded mode: a folder of tables, each a folder named `….lance` (extra `vectors`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from assay.core.errors import SubjectError
from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.confined import ConfinedReader, Hazard
from assay.subjects.vector_stores.entry import ANY, Entry, Fields, UnreadableError, to_entry
from assay.subjects.vector_stores.tables import chosen

_SUFFIX = ".lance"
HINT = "Install the extra: pip install 'assay-llm[vectors]'."


def is_lance(path: Path) -> bool:
    """Whether a folder is a LanceDB table, or holds some."""
    return bool(_tables(path))


def _tables(path: Path) -> dict[str, Path]:
    """Tables by name: the folder itself, or those in it."""
    if path.suffix == _SUFFIX and (path / "_versions").is_dir():
        return {path.stem: path}
    found = [one for one in path.glob(f"*{_SUFFIX}") if (one / "_versions").is_dir()]
    return {one.stem: one for one in sorted(found)}


@dataclass(frozen=True, slots=True)
class LanceStore:
    """One table of a LanceDB folder, at its newest version.

    Attributes:
        path: the folder of tables, or of one table.
        table: the table, "" for the only one.
        hazards: stays empty; the format holds no pickles.
    """

    path: Path
    table: str = ""
    fields: Fields = ANY
    hazards: list[Hazard] = field(default_factory=list)
    kind: str = "lancedb"

    def entries(self, tally: Tally) -> Iterator[Entry]:
        """All rows with a vector; what cannot be read is counted in `tally`.

        Raises:
            SubjectError: LanceDB is not installed, or the table is not there.
        """
        if find_spec("lancedb") is None:
            raise SubjectError(
                "is read by LanceDB, which is not installed", subject=str(self.path), remedy=HINT
            )
        tables = _tables(self.path)
        name = chosen(self.path, list(tables), self.table, tally)
        reader = ConfinedReader(tables[name].parent, tally, self.hazards)
        for number, said in enumerate(reader.events("lance", "lance", name)):
            row = said.row
            try:
                yield to_entry({**row.fields, **row.vectors}, number, self.fields)
            except UnreadableError as problem:
                tally.skip(
                    f"row {number}",
                    str(problem),
                    f"Name its column with the option vector_column: "
                    f"{', '.join(sorted(row.vectors)) or 'no column holds numbers'}.",
                )
