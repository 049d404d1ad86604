"""Datasets: rows of training data from JSONL, JSON, CSV, TSV, Parquet and plain text.

`open_dataset` finds the files; `Dataset.batches` streams `Record`s of any shape (chat, instruction,
completion, preference, labelled, plain) in one form, and a `Tally` counts what could not be read.
`lines` bounded text lines · `rows`, `documents`, `columnar` the formats · `schema` columns to records.
"""

from assay.subjects.dataset.dataset import FORMATS, DataFile, Dataset, open_dataset
from assay.subjects.dataset.record import Record, Schema, Tally, Turn
from assay.subjects.dataset.schema import Columns

__all__ = [
    "FORMATS", "Columns", "DataFile", "Dataset", "Record", "Schema", "Tally", "Turn", "open_dataset",
]  # fmt: skip
