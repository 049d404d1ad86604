"""Dataset: a file, or a folder of files, of training rows, read in one streaming pass."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.core.errors import SubjectError, UsageError
from assay.core.folders import unreadable, walk
from assay.subjects.dataset.columnar import read_parquet
from assay.subjects.dataset.documents import read_json
from assay.subjects.dataset.record import Record, Tally
from assay.subjects.dataset.rows import RawRow, Reader, read_csv, read_jsonl, read_text, read_tsv
from assay.subjects.dataset.schema import Columns, Place, Unread, to_record

READERS: dict[str, Reader] = {
    "jsonl": read_jsonl,
    "json": read_json,
    "csv": read_csv,
    "tsv": read_tsv,
    "parquet": read_parquet,
    "text": read_text,
}
FORMATS = ("auto", *READERS)
_SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".parquet": "parquet", ".pq": "parquet", ".txt": "text", ".text": "text", ".md": "text",
}  # fmt: skip
# Files that describe a dataset and that no loader takes for rows; each is named in the coverage.
_ABOUT = frozenset({"readme.md", "readme.txt", "readme", "license", "license.txt",
                    "license.md", "dataset_info.json", "dataset_infos.json", "dataset_dict.json",
                    "state.json"})  # fmt: skip
_SNIFF = 4096


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a dataset: its path, its name relative to the dataset, and its format ("" unknown)."""

    path: Path
    name: str
    format: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of training data.

    Attributes:
        path: the file or folder.
        files: its data files, sorted by name.
        about: files that describe it and hold no rows.
        columns: columns told by the user.
        encoding: of text files; `auto` is UTF-8, or UTF-16/32 by byte order mark.
    """

    path: Path
    files: tuple[DataFile, ...]
    about: tuple[str, ...] = ()
    columns: Columns = field(default_factory=Columns)
    encoding: str = "auto"

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that occur, sorted."""
        return tuple(sorted({file.format for file in self.files if file.format}))

    def batches(self, tally: Tally, size: int = 4096) -> Iterator[tuple[Record, ...]]:
        """All rows in order, `size` at a time; what cannot be read is counted in `tally`."""
        records = self.records(tally)
        while batch := tuple(itertools.islice(records, size)):
            yield batch

    def records(self, tally: Tally) -> Iterator[Record]:
        """All rows in order, one at a time; what cannot be read is counted in `tally`."""
        if self.about:
            tally.note(f"not read as data: {', '.join(self.about[:10])}")
        row = 0
        for file in self.files:
            if not file.format:
                tally.skip(
                    file.name, "unknown format", "Name it with --format, or move it out of the dataset."
                )
                continue
            for raw in READERS[file.format](file.path, self.encoding):
                record = self._record(raw, file, row, tally)
                row += raw.count
                if record is not None:
                    yield record

    def _record(self, raw: RawRow, file: DataFile, row: int, tally: Tally) -> Record | None:
        where = file.name + (f":{raw.line}" if raw.line is not None else f" row {row}")
        if raw.fields is None:
            rest = "; nothing after it was read" if raw.fatal else ""
            tally.skip(where, raw.problem + rest, _remedy(raw), count=raw.count)
            return None
        unread = Unread()
        place = Place(row, file.name if len(self.files) > 1 else "", raw.line)
        record = to_record(raw.fields, place, self.columns, unread)
        for reason in unread:
            tally.skip(where, reason, "Correct the row, or remove it.")
        if record is None:
            tally.skip(
                where, "holds no text", "Name the columns with the options text_column or prompt_column."
            )
            return None
        tally.rows += 1
        tally.schemas[record.schema.value] += 1
        return record


def open_dataset(
    path: Path,
    format: str = "auto",  # noqa: A002  the word users know
    *,
    columns: Columns | None = None,
    encoding: str = "auto",
) -> Dataset:
    """Open training data for reading; nothing but file names and a few first bytes is read here.

    Args:
        path: a file, or a folder whose files together are the dataset.
        format: `auto` tells each file's format by its name, then by its first bytes; or one of `FORMATS`.
        columns: which columns hold what, where that should not be found by looking.
        encoding: of text files: `auto`, or a codec name such as `latin-1`.

    Raises:
        SubjectError: the path does not exist or cannot be listed.
        UsageError: the format is unknown.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown dataset format {format!r}", remedy=f"Known: {', '.join(FORMATS)}.")
    if path.is_dir():
        found = _walk(path)
        about = tuple(name for name in found if _is_about(name))
        names = [name for name in found if not _is_about(name)]
        files = tuple(DataFile(path / name, name, _format(path / name, format)) for name in names)
        return Dataset(path, files, about, columns or Columns(), encoding)
    if not path.is_file():
        reason = "is not a regular file" if path.exists() else "does not exist"
        raise SubjectError(reason, subject=str(path), remedy="Check the path.")
    return Dataset(
        path, (DataFile(path, path.name, _format(path, format)),), (), columns or Columns(), encoding
    )


def _is_about(name: str) -> bool:
    last = name.rsplit("/", 1)[-1].lower()
    return last in _ABOUT or last.startswith(".")


def _walk(folder: Path) -> list[str]:
    found: list[str] = []

    def fail(error: OSError) -> None:
        raise unreadable(Path(error.filename), error, done="listed") from error

    for root, folders, names in walk(folder, unlisted=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [(root / name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def _format(path: Path, told: str) -> str:
    if told != "auto":
        return told
    name = path.name.lower().removesuffix(".gz")
    by_name = _SUFFIXES.get("." + name.rsplit(".", 1)[-1]) if "." in name else None
    if by_name is not None:
        return by_name
    return _sniffed(path)


def _sniffed(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFF)
    except OSError:
        return ""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.lstrip().startswith(b"{"):
        return "jsonl"
    return "json" if head.lstrip().startswith(b"[{") else ""


def _remedy(raw: RawRow) -> str:
    if "UTF-8" in raw.problem:
        return "Convert the file to UTF-8, or name its encoding with the option encoding."
    return "Repair or remove the row."
