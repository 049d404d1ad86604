from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assay.cli.app import run
from assay.subjects.vector_stores.saved import ENTRIES, VECTORS

WORDS = tuple("abcdefghijklmnopqrstuvwxyz")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """120 entries without any structure."""
    rng = np.random.default_rng(0)
    path = tmp_path / "store.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for at in range(120):
            text = " ".join(rng.choice(WORDS, 12))
            file.write(json.dumps({"id": at, "text": text, "vector": rng.normal(size=24).tolist()}) + "\n")
    return path


def check(store: Path, *more: str) -> tuple[int, dict[str, object]]:
    told = store.parent / "report.json"
    code = run(["check", "vector.poisoning", str(store), "-o", f"json={told}", "--no-progress", *more])
    report: dict[str, object] = json.loads(told.read_text("utf-8"))["reports"][0]
    return code, report


def test_a_snapshot_is_the_store_and_serves_as_its_baseline(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = store.parent / "approved"
    assert run(["snapshot", str(store), "-o", str(kept), "--no-progress"]) == 0
    printed = capsys.readouterr().out
    code, report = check(store, "--baseline", str(kept))
    assert code == 0
    assert report["subject"]["kind"] == "vector-store"  # type: ignore[index]
    assert report["details"]["snapshot_sha256"] in printed  # type: ignore[index]
    assert report["metrics"]["added"] == 0  # type: ignore[index]
    assert check(kept)[1]["details"]["snapshot_sha256"] == report["details"]["snapshot_sha256"]  # type: ignore[index]
    lines = store.read_text("utf-8").splitlines()
    store.write_text("\n".join(lines[1:]) + "\n", "utf-8")
    assert check(store, "--baseline", str(kept))[1]["metrics"]["removed"] == 1  # type: ignore[index]


@pytest.mark.parametrize("name", [ENTRIES, VECTORS])
def test_a_snapshot_that_was_cut_is_never_clean(store: Path, name: str) -> None:
    kept = store.parent / "approved"
    run(["snapshot", str(store), "-o", str(kept), "--no-progress"])
    raw = (kept / name).read_bytes()
    (kept / name).write_bytes(raw[: len(raw) // 2])
    assert check(kept)[0] in {2, 4}


def test_vectors_that_are_pickled_objects_are_not_loaded(store: Path) -> None:
    kept = store.parent / "approved"
    run(["snapshot", str(store), "-o", str(kept), "--no-progress"])
    np.save(kept / VECTORS, np.array([{"a": 1}] * 120, dtype=object), allow_pickle=True)
    code, report = check(kept)
    assert code == 2
    assert "holds no vectors that can be read" in str(report["message"])


def test_a_partial_snapshot_is_not_written(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with store.open("a", encoding="utf-8") as file:
        file.write('{"id": "x", "text": "no vector"}\n')
    kept = store.parent / "approved"
    assert run(["snapshot", str(store), "-o", str(kept), "--no-progress"]) == 2
    assert "store.jsonl:121: holds no vector" in capsys.readouterr().err
    assert not kept.exists()
    assert check(store)[0] == 4


def test_an_unknown_embedder_is_an_error(store: Path) -> None:
    code, report = check(store, "--option", "embedder=somewhere")
    assert (code, report["message"]) == (
        2,
        "no embedder 'somewhere'; Use auto, none, minilm or a server's base URL.",
    )
