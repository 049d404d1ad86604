"""Collections of Chroma's local mode: tables of SQLite (chromadb/migrations), vectors partly beside them."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator

from . import answer
from .database import rows

_DOCUMENT = "chroma:document"
_DELETE = 3  # chromadb.types.Operation


def read(database: sqlite3.Connection, name: str) -> None:
    """Send the collections' names; then, where one is told or there is only one, its parts."""
    collections = [(str(key), str(title)) for key, title in rows(database, "collections", "id, name")]
    answer.send("tables", sorted(title for _, title in collections))
    chosen = [key for key, title in collections if title == name or not name]
    if len(chosen) != 1:
        return
    segments = {
        str(scope): str(key)
        for key, scope in rows(database, "segments", "id, scope", "WHERE collection = ?", chosen[0])
    }
    answer.send("segment", segments.get("VECTOR", ""))
    _queue(database, chosen[0])
    for fields in _entries(database, segments.get("METADATA", "")):
        answer.row(fields, {})


def _queue(database: sqlite3.Connection, collection: str) -> None:
    """Vectors that are not in the index yet, the latest of each entry."""
    columns = "id, operation, vector, encoding, topic"
    for key, operation, vector, encoding, topic in rows(
        database, "embeddings_queue", columns, "ORDER BY seq_id"
    ):
        if not str(topic).endswith(collection):
            continue
        if operation == _DELETE:
            answer.send("pending", str(key), None)
        elif isinstance(vector, bytes) and encoding == "FLOAT32":
            answer.send("pending", str(key), base64.b64encode(vector).decode())
        elif vector is not None:
            answer.skip(f"entry {key}", f"its vector is encoded as {encoding!r}")


def _entries(database: sqlite3.Connection, segment: str) -> Iterator[dict[str, object]]:
    """Ids with their metadata and document; both tables are walked once, in the same order."""
    metadata = rows(
        database,
        "embedding_metadata",
        "id, key, string_value, int_value, float_value",
        "ORDER BY id",
    )
    pending = next(metadata, None)
    for number, key in rows(
        database, "embeddings", "id, embedding_id", "WHERE segment_id = ? ORDER BY id", segment
    ):
        found: dict[str, object] = {}
        text: object = None
        while pending is not None and pending[0] <= number:  # type: ignore[operator]
            if pending[0] == number:
                value = next((one for one in pending[2:] if one is not None), None)
                if pending[1] == _DOCUMENT:
                    text = value
                else:
                    found[str(pending[1])] = value
            pending = next(metadata, None)
        yield {"id": key, "text": text, "metadata": found}


def labels(value: object) -> None:
    """Send which place in the index each id has, out of the pickle beside it."""
    found = getattr(value, "fields", value)
    pairs = found.get("id_to_label") if isinstance(found, dict) else None
    if type(pairs) is not dict:
        raise TypeError("it holds no id_to_label")
    items = [(str(key), int(place)) for key, place in pairs.items()]
    for start in range(0, len(items), 1_000):
        answer.send("labels", dict(items[start : start + 1_000]))
