"""A snapshot kept as a folder: `entries.jsonl` beside `vectors.npy`; what it holds, it holds exactly.

`vectors.npy` is a NumPy array of little-endian float32, a row for each line of `entries.jsonl`:
`{"id", "text", "source", "tenant"}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import LimitError, SubjectError
from assay.subjects.dataset import Tally
from assay.subjects.dataset.rows import read_jsonl
from assay.subjects.vector_stores.confined import Hazard
from assay.subjects.vector_stores.entry import MAX_WIDTH, Entry, Fields, UnreadableError, to_entry
from assay.subjects.vector_stores.snapshot import MAX_NUMBERS

ENTRIES, VECTORS = "entries.jsonl", "vectors.npy"


def is_saved(path: Path) -> bool:
    """Whether a folder is a kept snapshot."""
    return (path / ENTRIES).is_file() and (path / VECTORS).is_file()


@dataclass(frozen=True, slots=True)
class SavedStore:
    """A kept snapshot.

    Attributes:
        path: its folder.
        hazards: stays empty; the format holds no pickles.
    """

    path: Path
    hazards: list[Hazard] = field(default_factory=list)
    kind: str = "saved"

    def entries(self, tally: Tally) -> Iterator[Entry]:
        """All entries in order; what cannot be read is counted in `tally`.

        Raises:
            SubjectError: the vectors are no array of numbers.
        """
        vectors = _vectors(self.path / VECTORS)
        count = 0
        for number, raw in enumerate(read_jsonl(self.path / ENTRIES)):
            count = number + 1
            if raw.fields is None or number >= len(vectors):
                reason = raw.problem or "has no vector: vectors.npy is shorter"
                tally.skip(f"{ENTRIES}:{raw.line}", reason, "Save the snapshot again.")
                continue
            try:
                yield to_entry({**raw.fields, "vector": vectors[number]}, number, Fields())
            except UnreadableError as problem:
                tally.skip(f"{ENTRIES}:{raw.line}", str(problem), "Save the snapshot again.")
        if count < len(vectors):
            tally.skip(
                VECTORS, f"holds {len(vectors) - count:,} vectors without entry", "Save the snapshot again."
            )


def _vectors(path: Path) -> NDArray[np.float32]:
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, MemoryError) as error:
        raise _unusable(path, str(error).splitlines()[0][:200] if str(error) else "no array") from error
    if vectors.ndim != 2 or vectors.dtype != np.dtype("<f4") or not 0 < vectors.shape[1] <= MAX_WIDTH:  # noqa: PLR2004
        raise _unusable(path, "it is no table of little-endian float32")
    found: NDArray[np.float32] = vectors
    return found


def _unusable(path: Path, cause: str) -> SubjectError:
    return SubjectError(
        f"holds no vectors that can be read: {cause}", subject=str(path), remedy="Save the snapshot again."
    )


def save(entries: Iterable[Entry], folder: Path) -> int:
    """Write entries into an empty folder; returns how many. All vectors must be of one width.

    Raises:
        SubjectError: they are not, or the folder cannot be written.
        LimitError: they are more than a snapshot may hold.
    """
    try:
        with (
            (folder / ENTRIES).open("x", encoding="utf-8") as lines,
            (folder / VECTORS).open("xb") as numbers,
        ):
            return _write(entries, lines, numbers, folder)
    except OSError as error:
        raise SubjectError(
            f"cannot be written: {(error.strerror or 'error').lower()}",
            subject=str(folder),
            remedy="Name a folder that is empty and writable.",
        ) from error


def _write(entries: Iterable[Entry], lines: IO[str], numbers: IO[bytes], folder: Path) -> int:
    count = width = 0
    numbers.write(_header(0, 1))
    for entry in entries:
        width = width or len(entry.vector)
        if len(entry.vector) != width:
            raise SubjectError(
                f"entry {entry.id[:100]} has {len(entry.vector):,} numbers where the first has {width:,}",
                subject=str(folder),
                remedy="Embed it again with the store's own model, or save its table alone.",
            )
        count += 1
        if count * width > MAX_NUMBERS:
            raise LimitError(f"more than {MAX_NUMBERS:,} numbers", subject=str(folder))
        said = {"id": entry.id, "text": entry.text, "source": entry.source, "tenant": entry.tenant}
        lines.write(json.dumps(said, ensure_ascii=False) + "\n")
        numbers.write(entry.vector.astype("<f4").tobytes())
    numbers.seek(0)
    numbers.write(_header(count, max(width, 1)))
    return count


def _header(count: int, width: int) -> bytes:
    """NPY version 1.0, padded to 128 bytes whatever the shape."""
    said = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {width}), }}"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + said.ljust(117).encode("ascii") + b"\n"
