"""Stores of texts with their vectors; texts are embedded once for all tests."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.checks.deployment.vector_poisoning import VectorPoisoning
from assay.core.check import Context
from assay.core.report import Report
from assay.core.subject import Subject, SubjectKind
from assay.embeddings import Encoder
from fixtures.planted_passages import planted, standard_library, topic_of
from fixtures.vector_corpora import Row

Vectors = NDArray[np.float32]


class Embedding:
    """The encoder, which embeds a text once."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._known: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


@dataclass
class Store:
    """Rows with vectors, and the check run on them."""

    folder: Path
    embed: Callable[[Sequence[str]], Vectors]
    rows: list[Row] = field(default_factory=list)
    vectors: list[Vectors] = field(default_factory=list)

    def add(self, rows: Sequence[Row], vectors: Sequence[Vectors] | Vectors | None = None) -> list[str]:
        """Add entries; returns their ids."""
        start = len(self.rows)
        self.rows += rows
        self.vectors += list(self.embed([text for *_, text in rows]) if vectors is None else vectors)
        return [f"e{at}" for at in range(start, len(self.rows))]

    def plant(self, kind: str, *, source: str = "upload", seed: int = 3) -> list[str]:
        """Add five passages for a question about one of the entries; returns their ids."""
        rng = random.Random(seed)
        _, texts = planted(topic_of(rng.choice(self.rows)[2], rng), rng, kind)
        return self.add([(source, "", text) for text in texts])

    def write(self, name: str = "store.jsonl", *, sources: bool = True) -> Path:
        """The store as JSON Lines."""
        path = self.folder / name
        with path.open("w", encoding="utf-8") as file:
            for at, ((source, tenant, text), vector) in enumerate(zip(self.rows, self.vectors, strict=True)):
                row = {"id": f"e{at}", "text": text, "vector": vector.tolist(), "tenant": tenant}
                file.write(json.dumps({**row, "source": source if sources else ""}) + "\n")
        return path

    def check(self, *, sources: bool = True, **options: Any) -> Report:
        """The report on the store; texts are not embedded again unless an option says so."""
        return check(self.write(sources=sources), self.folder, **options)


def check(path: Path, folder: Path, baseline: Path | None = None, **options: Any) -> Report:
    """The report on a store."""
    subject = Subject.from_path(path, kind=SubjectKind.VECTOR_STORE)
    before = Subject.from_path(baseline, kind=SubjectKind.VECTOR_STORE) if baseline else None
    told: Mapping[str, Any] = {"embedder": "none", **options}
    return VectorPoisoning().run(subject, Context(folder, options=told, baseline=before))


@pytest.fixture(scope="session")
def embed() -> Embedding:
    return Embedding()


@pytest.fixture
def empty(tmp_path: Path, embed: Embedding) -> Store:
    return Store(tmp_path, embed)


@pytest.fixture
def store(empty: Store) -> Store:
    """300 passages of Python's documentation."""
    empty.add([(source, "", text) for source, text in standard_library(300)])
    return empty
