"""Values to JSON and back, and their JSON Schema.

The values of this package are plain dataclasses; pydantic reads and writes them at the border, where
bytes come from disk, the ledger or the network and nothing about them is certain.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from assay.core.errors import SubjectError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415  start-up

    return TypeAdapter(kind)


def to_json(value: object) -> Any:
    """`value` as what `json.dumps` takes: dataclasses as objects, enums and times as text."""
    return _adapter(cast("Any", type(value))).dump_python(value, mode="json")


def from_json(kind: type[T], document: object, *, source: str = "") -> T:
    """`document` as a `kind`, every field validated.

    Raises:
        SubjectError: it does not have that shape; `source` names where it came from.
    """
    from pydantic import ValidationError  # noqa: PLC0415  start-up

    try:
        adapter: TypeAdapter[T] = _adapter(cast("Any", kind))
        value = adapter.validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SubjectError(f"{place}: {first['msg']}", subject=source) from error
    return value


def json_schema(kind: Any) -> dict[str, Any]:
    """JSON Schema (2020-12) of `kind`."""
    return _adapter(kind).json_schema(mode="serialization")
