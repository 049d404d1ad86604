"""Samples of the traffic, a file for each stretch of time, for checks that compare it with an earlier one.

A file is JSON lines: a head, then one row a sample. docs/gateway.md describes both. Of what comes in a window
every item has the same chance to be in the sample (Vitter's algorithm R).
"""

from __future__ import annotations

import base64
import json
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from assay.core.gateway_config import WindowSection
from assay.gateway.audit import Record
from assay.gateway.keys import private_folder

FORMAT = 1
KINDS = ("embeddings", "responses")


class _Reservoir:
    """A sample of what one window saw."""

    def __init__(self, size: int, chance: random.Random) -> None:
        self._size, self._chance = size, chance
        self.rows: list[dict[str, Any]] = []
        self.seen = 0

    def add(self, row: dict[str, Any]) -> None:
        self.seen += 1
        if len(self.rows) < self._size:
            self.rows.append(row)
        elif (place := self._chance.randrange(self.seen)) < self._size:
            self.rows[place] = row


class Windows:
    """Samples, written to a folder at the end of every window.

    Args:
        section: how long a window is, and how many rows it has.
        folder: where to.
        chance: chooses.
        now: seconds since 1970.
    """

    def __init__(
        self,
        section: WindowSection,
        folder: Path,
        *,
        chance: random.Random | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._section, self._folder, self._now = section, folder, now
        self._chance = chance or random.Random()  # noqa: S311  a sample, no secret
        private_folder(folder)
        self._begin()

    def embeddings(self, record: Record, vectors: list[np.ndarray[Any, Any]]) -> None:
        """An answer held these vectors."""
        for vector in vectors:
            said = base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")
            self._samples["embeddings"].add({**_row(record), "size": int(vector.size), "vector": said})

    def response(self, record: Record) -> None:
        """A text was answered."""
        characters = sum(text.characters for text in record.output.texts)
        row = {**_row(record), "outcome": record.outcome.value, "characters": characters}
        row |= {"tokens": record.tokens.get("output"), "finish": record.finish[:8]}
        row["seconds"] = round(record.seconds.get("total", 0.0), 6)
        self._samples["responses"].add(row)

    def turn(self, *, over: bool = False) -> list[Path]:
        """Write the window if it is over; returns the files."""
        now = self._now()
        if now - self._since < self._section.seconds and not over:
            return []
        samples, since = self._samples, self._since
        self._begin()
        return [self._write(kind, one, since, now) for kind, one in samples.items() if one.seen]

    def _begin(self) -> None:
        self._since = self._now()
        self._samples = {kind: _Reservoir(self._section.rows, self._chance) for kind in KINDS}

    def _write(self, kind: str, sample: _Reservoir, since: float, until: float) -> Path:
        begun = datetime.fromtimestamp(since, UTC)
        file = self._folder / f"{kind}-{begun:%Y%m%dT%H%M%S%f}-{os.getpid()}.jsonl"
        head = {"format": FORMAT, "kind": kind, "from": begun.isoformat()}
        head |= {"to": datetime.fromtimestamp(until, UTC).isoformat(), "seen": sample.seen}
        new = file.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as written:
            for row in ({**head, "rows": len(sample.rows)}, *sample.rows):
                written.write(json.dumps(row, separators=(",", ":")) + "\n")
        new.replace(file)
        return file


def _row(record: Record) -> dict[str, Any]:
    return {
        "time": record.time.isoformat(),
        "endpoint": record.endpoint,
        "tenant": record.tenant,
        "model": record.model,
    }
