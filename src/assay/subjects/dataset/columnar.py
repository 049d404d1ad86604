"""Parquet, read in batches by Daft (extra `data`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.subjects.dataset.rows import RawRow

_HINT = "Daft is not installed; install it with: pip install 'assay-llm[data]'"


def read_parquet(path: Path, encoding: str = "auto") -> Iterator[RawRow]:
    """The rows of a Parquet file. Without Daft, or where it cannot read on, a problem ends the file."""
    del encoding  # Parquet text is UTF-8 by definition
    daft = _daft()
    if daft is None:
        yield RawRow(None, None, _HINT, fatal=True)
        return
    try:
        for batch in daft.read_parquet(str(path)).to_arrow_iter():
            for row in batch.to_pylist():
                yield RawRow(None, row)
    except Exception as error:  # noqa: BLE001  whatever a foreign reader raises on hostile bytes
        yield RawRow(None, None, f"Daft cannot read it: {str(error).splitlines()[0][:160]}", fatal=True)


def _daft() -> Any:
    for name in ("DAFT_ANALYTICS_ENABLED", "DAFT_PROGRESS_BAR"):
        os.environ.setdefault(name, "0")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    try:
        import daft  # noqa: PLC0415  an extra, and slow to import
    except ImportError:
        return None
    return daft
