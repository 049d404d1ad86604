"""One entry of a vector store, made of a row whose columns are told or recognised by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
MAX_WIDTH = 16_384  # numbers in a vector
MAX_LABEL = 1_000  # characters of an id, a source or a tenant
_IDS = ("id", "_id", "uuid", "doc_id", "chunk_id", "point_id", "key", "langchain_id")
_TEXTS = ("text", "document", "page_content", "content", "chunk", "passage", "body")
_VECTORS = ("vector", "embedding", "embeddings", "emb", "values", "dense_vector")
_SOURCES = (
    "source", "url", "uri", "file_path", "filename", "file_name", "file", "path", "document_id", "ref_doc_id",
    "author",
)  # fmt: skip
_TENANTS = ("tenant", "tenant_id", "namespace", "organization_id", "org_id", "customer_id", "group_id")
_LEVELS = 3  # a row, its payload, the metadata in that
_NESTED = ("metadata", "meta", "payload", "properties", "cmetadata")


@dataclass(frozen=True, slots=True)
class Fields:
    """Columns told by the user; "" leaves them to be found by name, in the row or in its metadata."""

    id: str = ""
    text: str = ""
    vector: str = ""
    source: str = ""
    tenant: str = ""


ANY = Fields()  # all columns are found by name


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a store.

    Attributes:
        id: its key in the store; where the store has none, its position.
        text: what was embedded; None where the store does not hold it.
        vector: the numbers, as they are stored.
        source: the document, file or account it came from, "" unknown.
        tenant: whose it is, "" unknown.
    """

    id: str
    text: str | None
    vector: Vector
    source: str = ""
    tenant: str = ""


class UnreadableError(ValueError):
    """Why a row is no entry, as one phrase."""


def to_entry(row: Mapping[str, Any], position: int, fields: Fields) -> Entry:
    """The entry that a row holds.

    Raises:
        UnreadableError: it holds no usable vector.
    """
    columns = _columns(row)
    text = _pick(columns, fields.text, _TEXTS)
    key = _pick(columns, fields.id, _IDS)
    return Entry(
        id=str(position) if key is None else _label(key),
        text=text if isinstance(text, str) else None,
        vector=to_vector(_pick(columns, fields.vector, _VECTORS)),
        source=_label(_pick(columns, fields.source, _SOURCES)),
        tenant=_label(_pick(columns, fields.tenant, _TENANTS)),
    )


def to_vector(value: Any) -> Vector:
    """A finite vector that points somewhere.

    Raises:
        UnreadableError: `value` is none.
    """
    if value is None:
        raise UnreadableError("holds no vector")
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
            vector = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise UnreadableError("its vector is not a list of numbers") from error
    if vector.ndim != 1 or not 0 < len(vector) <= MAX_WIDTH:
        raise UnreadableError(f"its vector is not a list of 1 to {MAX_WIDTH:,} numbers")
    if not np.isfinite(vector).all():
        raise UnreadableError("its vector holds a number that is not finite")
    if not vector.any():
        raise UnreadableError("its vector is all zero, so it is near to nothing")
    return vector


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """Columns by lower-case name; those of metadata, and of metadata in it, come after the row's own."""
    found: dict[str, Any] = {}
    level = [row]
    for _ in range(_LEVELS):
        nested: list[Mapping[str, Any]] = []
        for part in level:
            for name, value in part.items():
                low = str(name).strip().lower()
                found.setdefault(low, value)
                if low in _NESTED and isinstance(value, Mapping):
                    nested.append(value)
        level = nested
    return found


def _pick(columns: Mapping[str, Any], told: str, known: tuple[str, ...]) -> Any:
    names = (told.lower(),) if told else known
    return next((columns[name] for name in names if columns.get(name) is not None), None)


def _label(value: Any) -> str:
    if isinstance(value, str):
        return value[:MAX_LABEL]
    return str(value)[:MAX_LABEL] if isinstance(value, int | float) else ""
