from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.errors import SubjectError
from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.entry import Entry, Fields
from assay.subjects.vector_stores.plain import PlainStore
from assay.subjects.vector_stores.saved import save
from assay.subjects.vector_stores.snapshot import take
from assay.subjects.vector_stores.store import open_store

ROWS: list[dict[str, Any]] = [
    {"id": "a", "text": "one", "vector": [1.0, 2.0], "source": "s", "tenant": "t"},
    {"id": "b", "text": "two", "vector": [3.0, 4.0], "source": "s", "tenant": "t"},
]


def jsonl(path: Path) -> Path:
    path = path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    return path


def packed(path: Path) -> Path:
    path = path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, ROWS)).encode()))
    return path


def array(path: Path) -> Path:
    path = path / "rows.json"
    path.write_text(json.dumps(ROWS), "utf-8")
    return path


def parquet(path: Path) -> Path:
    pytest.importorskip("daft", reason="the extra data is not installed")
    arrow = pytest.importorskip("pyarrow")
    tables = pytest.importorskip("pyarrow.parquet")
    columns = {name: [row[name] for row in ROWS] for name in ("id", "text", "source", "tenant")}
    numbers = np.asarray([row["vector"] for row in ROWS], np.float32)
    vectors = arrow.FixedSizeListArray.from_arrays(numbers.ravel(), 2)
    tables.write_table(arrow.table({**columns, "embedding": vectors}), path / "rows.parquet")
    return path / "rows.parquet"


def folder(path: Path) -> Path:
    for row in ROWS:
        (path / f"{row['id']}.jsonl").write_text(json.dumps(row), "utf-8")
    return path


def read(path: Path, fields: Fields | None = None) -> tuple[list[Entry], Tally]:
    tally = Tally()
    return list(open_store(path, fields=fields).entries(tally)), tally


@pytest.mark.parametrize("write", [jsonl, packed, array, parquet, folder])
def test_rows_of_every_plain_format(write: Callable[[Path], Path], tmp_path: Path) -> None:
    entries, tally = read(write(tmp_path))
    assert [(one.id, one.text, one.source, one.tenant) for one in entries] == [
        ("a", "one", "s", "t"),
        ("b", "two", "s", "t"),
    ]
    assert [one.vector.tolist() for one in entries] == [[1.0, 2.0], [3.0, 4.0]]
    assert tally.skipped_total == 0


@pytest.mark.parametrize(
    "row",
    [
        {"_id": 7, "content": "one", "values": [1], "url": "s", "namespace": "t"},
        {
            "id": 7,
            "payload": {"page_content": "one", "metadata": {"source": "s", "tenant_id": "t"}},
            "emb": [1],
        },
        {"ID": 7, "Document": "one", "Embedding": [1], "metadata": {"file_name": "s", "org_id": "t"}},
    ],
)
def test_columns_are_found_by_usual_names_also_in_metadata(row: object, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    (entry,), _ = read(path)
    assert (entry.id, entry.text, entry.source, entry.tenant) == ("7", "one", "s", "t")


def test_columns_that_are_named_count_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**ROWS[0], "summary": "short", "key2": "k"}), "utf-8")
    (entry,), _ = read(path, Fields(id="key2", text="summary", source="absent"))
    assert (entry.id, entry.text, entry.source) == ("k", "short", "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": 1, "text": "x"}', "holds no vector"),
        ('{"vector": "1,2"}', "its vector is not a list of numbers"),
        ('{"vector": [1, "x"]}', "its vector is not a list of numbers"),
        ('{"vector": [[1], [2]]}', "its vector is not a list of 1 to 16,384 numbers"),
        ('{"vector": []}', "its vector is not a list of 1 to 16,384 numbers"),
        ('{"vector": [NaN]}', "its vector holds a number that is not finite"),
        ('{"vector": [1e999]}', "its vector holds a number that is not finite"),
        ('{"vector": [1e300]}', "its vector holds a number that is not finite"),
        ('{"vector": [0, 0]}', "its vector is all zero, so it is near to nothing"),
        ("{", "broken JSON: Expecting property name enclosed in double quotes at character 1"),
        ("7", "a JSON int is not a row"),
    ],
)
def test_a_row_that_is_no_entry_is_told_with_its_line(line: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(ROWS[0])}\n{line}\n", "utf-8")
    entries, tally = read(path)
    assert len(entries) == 1
    assert [(one.what, one.reason) for one in tally.skipped] == [("rows.jsonl:2", reason)]
    assert tally.skipped[0].remedy


def test_a_file_of_another_kind_in_the_folder_is_told(tmp_path: Path) -> None:
    jsonl(tmp_path)
    (tmp_path / "index.faiss").write_bytes(b"IxF2")
    _, tally = read(tmp_path)
    assert [one.what for one in tally.skipped] == ["index.faiss"]


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SubjectError):
        read(tmp_path / "absent")


def test_what_is_saved_is_what_was_read(tmp_path: Path) -> None:
    before = take(PlainStore(jsonl(tmp_path)).entries(Tally()), Tally())
    kept = tmp_path / "kept"
    kept.mkdir()
    assert save(before.entries(), kept) == 2
    after = take(open_store(kept).entries(Tally()), Tally())
    assert open_store(kept).kind == "saved"
    assert after.sha256() == before.sha256()
    with pytest.raises(SubjectError, match="cannot be written"):
        save(before.entries(), kept)


def test_vectors_of_two_widths_are_not_saved(tmp_path: Path) -> None:
    entries = [Entry("a", "x", np.ones(2, np.float32)), Entry("b", "y", np.ones(3, np.float32))]
    with pytest.raises(SubjectError, match="entry b has 3 numbers where the first has 2"):
        save(entries, tmp_path)
