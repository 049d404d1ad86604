"""Stores that their own libraries wrote, read without them."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.core.errors import AssayError, SubjectError, UsageError
from assay.sources.fetching import fetched
from assay.subjects.dataset import Tally
from assay.subjects.vector_stores import confined
from assay.subjects.vector_stores.entry import Entry, Fields
from assay.subjects.vector_stores.store import open_store
from fixtures.postgres_server import connect, postgres

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "tests/fixtures/vector_stores"
Vectors = NDArray[np.float32]


def unit(count: int, width: int = 16) -> Vectors:
    found = np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)
    scaled: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return scaled


def read(path: Path, table: str = "", fields: Fields | None = None) -> tuple[list[Entry], Tally, Any]:
    tally = Tally()
    store = open_store(path, table, fields)
    return list(store.entries(tally)), tally, store


def assert_same(entries: list[Entry], vectors: Vectors, tolerance: float = 1e-6) -> None:
    assert [entry.id for entry in entries] == [str(at) for at in range(len(vectors))]
    assert [entry.text for entry in entries] == [f"text {at}" for at in range(len(vectors))]
    assert {(entry.source, entry.tenant) for entry in entries} == {("manual", "north")}
    assert np.abs(np.stack([entry.vector for entry in entries]) - vectors).max() < tolerance


@pytest.fixture
def qdrant(tmp_path: Path) -> Path:
    client_module = pytest.importorskip("qdrant_client", reason="the extra for tests is not installed")
    models = client_module.models
    client = client_module.QdrantClient(path=str(tmp_path / "qdrant"))
    size = models.VectorParams(size=16, distance=models.Distance.DOT)
    client.create_collection("docs", vectors_config=size)
    payload = {"metadata": {"source": "manual", "tenant": "north"}}
    client.upsert(
        "docs",
        [
            models.PointStruct(
                id=at, vector=vector.tolist(), payload={"page_content": f"text {at}", **payload}
            )
            for at, vector in enumerate(unit(60))
        ],
    )
    client.close()
    return tmp_path / "qdrant"


def test_qdrant(qdrant: Path) -> None:
    entries, tally, store = read(qdrant)
    assert store.kind == "qdrant"
    assert_same(entries, unit(60))
    assert (tally.skipped_total, tally.notes, store.hazards) == (0, [], [])


def test_qdrant_with_several_vectors_a_point_asks_which(tmp_path: Path) -> None:
    client_module = pytest.importorskip("qdrant_client", reason="the extra for tests is not installed")
    models = client_module.models
    client = client_module.QdrantClient(path=str(tmp_path))
    size = models.VectorParams(size=16, distance=models.Distance.DOT)
    client.create_collection(
        "docs",
        vectors_config={"title": size, "body": size},
        sparse_vectors_config={"words": models.SparseVectorParams()},
    )
    sparse = models.SparseVector(indices=[3], values=[0.5])
    vectors = {"title": unit(2)[0].tolist(), "body": unit(2)[1].tolist(), "words": sparse}
    client.upsert("docs", [models.PointStruct(id=1, vector=vectors, payload={"text": "one"})])
    client.close()
    entries, tally, _ = read(tmp_path)
    assert entries == []
    assert tally.skipped[0].remedy == "Name one of its vectors (body, title) with the option vector_column."
    (entry,), tally, _ = read(tmp_path, fields=Fields(vector="body"))
    assert np.abs(entry.vector - unit(2)[1]).max() < 1e-6
    assert tally.skipped_total == 0


class Payload:
    """Writes a file once it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.target}",))


def plant(folder: Path, raw: bytes, key: str = "evil") -> None:
    file = next(folder.glob("collection/*/storage.sqlite"))
    with sqlite3.connect(file) as database:
        database.execute("INSERT INTO points VALUES (?, ?)", (key, raw))
    database.close()


def test_code_in_a_point_is_named_and_not_run(qdrant: Path, tmp_path: Path) -> None:
    target = tmp_path / "written"
    plant(qdrant, pickle.dumps(Payload(target)))
    entries, tally, store = read(qdrant)
    assert len(entries) == 60
    assert [hazard.name for hazard in store.hazards] == ["posix.system"]
    assert tally.skipped[0].reason == "names posix.system, which is no part of a store"
    assert not target.exists()
    # The control: the store's own library runs it.
    script = f"import qdrant_client; qdrant_client.QdrantClient(path={str(qdrant)!r})"
    subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert target.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x80\x04",
        b"no pickle",
        pickle.dumps({"vector": [1.0]}),
        b"\x80\x04]r\xff\xff\xff\xff.",  # a memo of 32 GB
        b"\x80\x04\x8a\x08" + b"\xff" * 8 + b".",
        pickle.dumps([0] * 100_000)[:-1],
    ],
)
def test_a_broken_point_is_skipped_with_its_reason(qdrant: Path, raw: bytes) -> None:
    plant(qdrant, raw)
    entries, tally, store = read(qdrant)
    assert len(entries) == 60
    assert tally.skipped_total == 1
    assert tally.skipped[0].what == "point 60"
    assert store.hazards == []


def test_a_view_in_place_of_the_table_is_not_asked(qdrant: Path) -> None:
    file = next(qdrant.glob("collection/*/storage.sqlite"))
    with sqlite3.connect(file) as database:
        database.execute("ALTER TABLE points RENAME TO held")
        database.execute("CREATE VIEW points AS SELECT id, randomblob(1000000000) AS point FROM held")
    database.close()
    entries, tally, _ = read(qdrant)
    assert entries == []
    assert tally.skipped[0].reason == "there is no plain table 'points'"


def test_changes_in_a_log_beside_the_database_are_told(qdrant: Path) -> None:
    file = next(qdrant.glob("collection/*/storage.sqlite"))
    file.with_name("storage.sqlite-wal").write_bytes(b"x" * 32)
    entries, tally, _ = read(qdrant)
    assert len(entries) == 60
    assert "not in the database's own file yet" in tally.skipped[0].reason


def test_several_collections_ask_which(qdrant: Path) -> None:
    first = qdrant / "collection/docs"
    (qdrant / "collection/other").mkdir()
    (qdrant / "collection/other/storage.sqlite").write_bytes((first / "storage.sqlite").read_bytes())
    with pytest.raises(SubjectError) as caught:
        read(qdrant)
    assert caught.value.remedy == "Name one with the option table: docs, other."
    entries, tally, _ = read(qdrant, "docs")
    assert len(entries) == 60
    assert tally.notes == ["of several tables only 'docs' was looked at; not: other"]
    with pytest.raises(SubjectError, match="no table 'absent'"):
        read(qdrant, "absent")


@pytest.fixture
def chroma(tmp_path: Path) -> Path:
    with zipfile.ZipFile(KEPT / "chroma.zip") as packed:
        packed.extractall(tmp_path / "chroma")
    return tmp_path / "chroma"


def test_chroma(chroma: Path) -> None:
    entries, tally, store = read(chroma, "docs")
    vectors = unit(1_200)
    assert store.kind == "chroma"
    found = {entry.id: entry for entry in entries}
    assert sorted(found, key=int) == [str(at) for at in range(1_200) if at not in {3, 1199}]
    assert tally.skipped_total == 0
    changed = found.pop("5")
    assert changed.text == "changed"
    assert np.abs(changed.vector - vectors[7]).max() < 1e-6
    for key, entry in found.items():
        assert np.abs(entry.vector - vectors[int(key)]).max() < 1e-6
        assert (entry.text, entry.source, entry.tenant) == (f"text {key}", "manual", "north")
    (entry,), _, _ = read(chroma, "small")
    assert np.abs(entry.vector - vectors[0]).max() < 1e-6


def test_code_beside_chromas_index_is_named_and_not_run(chroma: Path, tmp_path: Path) -> None:
    (metadata,) = chroma.glob("*/index_metadata.pickle")
    target = tmp_path / "written"
    metadata.write_bytes(pickle.dumps(Payload(target)))
    entries, tally, store = read(chroma, "docs")
    assert [hazard.name for hazard in store.hazards] == ["posix.system"]
    assert not target.exists()
    assert 0 < len(entries) < 1_198
    assert len(entries) + tally.skipped_total == 1_199  # the index's metadata besides the entries


def test_an_index_outside_of_the_folder_is_not_read(chroma: Path, tmp_path: Path) -> None:
    (metadata,) = chroma.glob("*/index_metadata.pickle")
    for file in metadata.parent.iterdir():
        file.rename(tmp_path / file.name)
    with sqlite3.connect(chroma / "chroma.sqlite3") as database:
        database.execute("UPDATE segments SET id = '..' WHERE id = ?", (metadata.parent.name,))
    database.close()
    entries, tally, _ = read(chroma, "docs")
    assert len(entries) + tally.skipped_total == 1_198
    assert tally.skipped[0].reason == "holds no vector"


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{}",
        b'["row", null]',
        b'["row", null, 1, 2]',
        b'["row", null, {}, {"v": "?"}]',
        b'["row", null, {}, {"v": "AAA="}]',
        b'["row", null, {}, {"v": 7}]',
        b'["labels", null, {"a": "x"}]',
        b'["skip", null, "what"]',
        b'["tables", null, 3]',
        b'["unheard", null]',
        b'["row", null, {}, {}, {}]',
        b"[" * 100_000,
    ],
)
def test_a_child_that_answers_what_it_should_not_leaves_the_reading_incomplete(
    qdrant: Path, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the child had been taken over: it says one line and ends.
    script = (
        'import os,socket;link=socket.socket(fileno=0);os.write(0,b\'["ready",null,""]\\n\');'
        f"link.recv(999);os.write(0,{line!r}+b'\\n')"
    )
    monkeypatch.setattr(confined, "_BOOT", script.replace("{", "{{").replace("}", "}}"))
    entries, tally, _ = read(qdrant)
    assert entries == []
    assert tally.skipped[0].reason == "the reading process answered what it should not"


@pytest.mark.parametrize("name", ["header.bin", "data_level0.bin"])
def test_an_index_that_does_not_fit_is_refused(chroma: Path, name: str) -> None:
    (metadata,) = chroma.glob("*/index_metadata.pickle")
    file = metadata.with_name(name)
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(SubjectError, match="vector index cannot be read"):
        read(chroma, "docs")


@pytest.fixture
def lance(tmp_path: Path) -> Path:
    lancedb = pytest.importorskip("lancedb", reason="the extra vectors is not installed")
    table = lancedb.connect(str(tmp_path / "lance")).create_table(
        "docs",
        [
            {
                "id": str(at),
                "text": f"text {at}",
                "vector": vector.tolist(),
                "metadata": {"source": "manual", "tenant": "north"},
            }
            for at, vector in enumerate(unit(700))
        ],
    )
    table.delete("id = '699'")
    return tmp_path / "lance"


def test_lancedb(lance: Path) -> None:
    entries, tally, store = read(lance)
    assert store.kind == "lancedb"
    assert_same(entries, unit(700)[:699])
    assert tally.skipped_total == 0
    assert len(read(lance / "docs.lance")[0]) == 699


def test_a_damaged_lancedb_table_is_incomplete(lance: Path) -> None:
    file = next((lance / "docs.lance/data").iterdir())
    file.write_bytes(b"\0" * file.stat().st_size)
    entries, tally, _ = read(lance)
    assert entries == []
    assert tally.skipped[0].reason.startswith("LanceDB cannot read it: ")


def test_what_reads_lancedb_can_reach_nothing(tmp_path: Path) -> None:
    script = """
import os, socket, subprocess, sys, threading
ready, go, told = threading.Event(), threading.Event(), []
def later():
    ready.set(); go.wait()
    try: socket.socket(); told.append("socket")
    except PermissionError: pass
thread = threading.Thread(target=later); thread.start(); ready.wait()
from assay.subjects.vector_stores.child.unreachable import refuse
note = refuse()
go.set(); thread.join()
for act in (socket.socket, lambda: os.execv("/bin/true", ["true"]), lambda: os.unlink(sys.argv[1]),
            lambda: open(sys.argv[1], "a").write("x" * 9) and sys.exit("wrote")):
    try: act(); told.append(str(act))
    except OSError: pass
print(note, told)
"""
    file = tmp_path / "kept"
    file.write_text("kept")
    ran = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    if "no seccomp" in ran.stdout:
        pytest.skip(ran.stdout)
    assert file.read_text() == "kept"
    assert ran.stdout.strip() in {"[]", ""}  # writing ends the process: SIGXFSZ


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    pytest.importorskip("pg8000", reason="the extra vectors is not installed")
    with postgres() as port:
        connection = connect(port)
        connection.run("CREATE EXTENSION vector")
        connection.run(
            "CREATE TABLE docs (id int, body text, embedding vector(16), cmetadata jsonb, made timestamptz)"
        )
        for at, vector in enumerate(unit(60)):
            connection.run(
                "INSERT INTO docs VALUES (:id, :body, CAST(:vector AS vector), CAST(:meta AS jsonb), now())",
                id=at,
                body=f"text {at}",
                vector=str(vector.tolist()),
                meta='{"source": "manual", "tenant": "north"}',
            )
        connection.run("INSERT INTO docs VALUES (99, 'not embedded yet', NULL, NULL, now())")
        connection.run("CREATE VIEW shown AS SELECT * FROM docs")
        connection.run("CREATE TABLE hidden AS SELECT * FROM docs")
        connection.run("CREATE ROLE reader LOGIN PASSWORD 'reader'")
        connection.run("GRANT SELECT ON docs, hidden TO reader")
        connection.run("ALTER TABLE hidden ENABLE ROW LEVEL SECURITY")
        connection.run("CREATE POLICY first_ten ON hidden USING (id < 10)")
        connection.close()
        yield port


def source(port: int, table: str, user: str = "assay:secret") -> str:
    return f"postgresql://{user}@127.0.0.1:{port}/postgres?table={table}"


def test_pgvector(server: int) -> None:
    with fetched(source(server, "docs")) as found:
        entries, tally, store = read(found.path)
        subject = found.subject()
    assert store.kind == "saved"
    assert_same(entries, unit(60))
    assert tally.skipped_total == 0
    assert subject.name == f"postgresql://127.0.0.1:{server}/postgres?table=docs"
    with fetched(source(server, "public.docs", "reader:reader")) as again:
        assert again.subject().sha256 == subject.sha256


@pytest.mark.parametrize(
    ("table", "user", "cause"),
    [
        ("absent", "assay:secret", "there is no such table"),
        ("shown", "assay:secret", "is a view or a foreign table"),
        ("pg_class", "assay:secret", "there is no such table"),
        ("pg_catalog.pg_class", "assay:secret", "has 0 columns of vectors"),
        ("hidden", "reader:reader", "row-level security"),
        ("docs", "assay:wrong", "password authentication failed"),
        ('docs" --', "assay:secret", "there is no such table"),
    ],
)
def test_what_pgvector_does_not_show_is_an_error(server: int, table: str, user: str, cause: str) -> None:
    with pytest.raises(AssayError) as caught, fetched(source(server, table.replace(" ", "%20"), user)):
        pytest.fail("it was fetched")
    assert cause in str(caught.value)
    assert "wrong" not in caught.value.diagnostics()
    assert caught.value.remedy


def test_a_server_that_is_not_there(server: int) -> None:
    del server
    with pytest.raises(SubjectError, match="cannot be read"), fetched(source(1, "docs")):
        pytest.fail("it was fetched")


@pytest.mark.parametrize(
    "name",
    [
        "postgresql://user:hunter2@host/db",
        "postgresql://user:hunter2@host/?table=x",
        "postgresql://user:hunter2@host:port/db?table=x",
        "postgresql://user:hunter2@host/db?table=x&sslmode=prefer",
        "postgresql://user:hunter2@host/db?table=x&colour=red",
    ],
)
def test_a_name_that_is_none_quotes_no_password(name: str) -> None:
    with pytest.raises(UsageError) as caught, fetched(name):
        pytest.fail("it was fetched")
    assert "hunter2" not in caught.value.diagnostics()
