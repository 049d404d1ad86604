"""Points of Qdrant's local mode: a table of pickles (qdrant_client/local/persistence.py)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from . import answer
from .database import rows
from .values import ForeignGlobalError, Record, values

_OWNER = "qdrant_client"


def read(database: sqlite3.Connection) -> None:
    """Send every point."""
    for number, (raw,) in enumerate(rows(database, "points", "point")):
        try:
            _point(values(bytes(raw), _OWNER))  # type: ignore[call-overload]
        except ForeignGlobalError as error:
            answer.send("code", f"point {number}", str(error))
        except Exception as error:  # noqa: BLE001  told to the parent: what was not read is not clean
            answer.skip(f"point {number}", f"cannot be read: {type(error).__name__}: {error}")


def _point(point: object) -> None:
    if type(point) is not Record:
        raise TypeError("it is no point")
    fields = point.fields
    vectors = fields.get("vector")
    named: dict[Any, Any] = vectors if type(vectors) is dict else {"vector": vectors}
    dense = {str(name): answer.packed(one) for name, one in named.items() if _is_dense(one)}
    payload = fields.get("payload")
    answer.row({"id": fields.get("id"), "payload": payload if type(payload) is dict else {}}, dense)


def _is_dense(vector: Any) -> bool:
    """Whether it is one list of numbers; sparse and multiple vectors are not compared."""
    return type(vector) is list and bool(vector) and not isinstance(vector[0], (list, Mapping, Record))
