"""A release whose model is given texts out of a vector store."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import ConfigError
from assay.core.release import Decision
from assay.core.report import Status
from assay.pipeline.release import run_release
from fixtures.projects import WORDS, make_project

VECTORS = "vectors: {path: store.jsonl, baseline: approved.jsonl}\n"


def write_store(path: Path, *, count: int = 120, moved: bool = False) -> None:
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        for at in range(count):
            row = {"id": at, "text": " ".join(rng.choice(WORDS, 12)), "vector": rng.normal(size=24).tolist()}
            if moved and at == 7:
                row["vector"] = [1.0] * 24
            file.write(json.dumps(row) + "\n")


def test_the_store_is_a_part_of_the_release_and_is_compared_with_the_approved_one(tmp_path: Path) -> None:
    project = make_project(tmp_path, VECTORS)
    write_store(tmp_path / "approved.jsonl")
    write_store(tmp_path / "store.jsonl", count=121)
    released = run_release(project)
    report = released.reports["vector.poisoning"]
    assert report.status is Status.PASS
    assert report.metrics["added"] == 1
    assert released.decided.final.decision is Decision.PASS, released.decided.final.reasons


def test_a_store_that_was_tampered_with_stops_the_release(tmp_path: Path) -> None:
    project = make_project(tmp_path, VECTORS)
    write_store(tmp_path / "approved.jsonl")
    write_store(tmp_path / "store.jsonl", moved=True)
    released = run_release(project)
    assert released.reports["vector.poisoning"].status is Status.FAIL
    assert released.decided.final.decision is Decision.FAIL


def test_a_baseline_that_is_not_there_is_named(tmp_path: Path) -> None:
    project = make_project(tmp_path, VECTORS)
    write_store(tmp_path / "store.jsonl")
    with pytest.raises(ConfigError, match=r"vectors\.baseline points to approved\.jsonl"):
        run_release(project)
