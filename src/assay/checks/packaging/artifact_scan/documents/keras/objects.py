"""Dictionaries that could be Keras objects, with their places, found without recursion: they may be deep.

Source: keras/src/saving/serialization_lib.py `deserialize_keras_object` (Keras 3) and
keras/src/legacy/saving/serialization.py (HDF5 and Keras 2): an object has a `class_name`, and a `config`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

MAX_PATH = 200
MAX_NESTED = 1_000  # JSON texts inside JSON texts
Trail: TypeAlias = tuple[Any, str] | None


class NestedTextError(Exception):
    """A JSON text inside the document could not be followed."""


@dataclass(frozen=True, slots=True)
class Node:
    """A dictionary of the document.

    Attributes:
        values: the dictionary.
        trail: the keys that lead to it, last one first.
        above: the dictionary that it lies in, empty for the first.
    """

    values: dict[str, Any]
    trail: Trail
    above: dict[str, Any]

    @property
    def path(self) -> str:
        """The place as people write it: `config.layers[2].config.function`."""
        parts: list[str] = []
        trail = self.trail
        length = 0
        while trail is not None and length < MAX_PATH:
            trail, part = trail
            parts.append(part)
            length += len(part)
        shown = "".join(reversed(parts)).removeprefix(".")
        return shown if trail is None else f"…{shown}"

    @property
    def class_name(self) -> str:
        """The class it names, or "" where it is no Keras object."""
        name = self.values.get("class_name")
        whole = "config" in self.values or "registered_name" in self.values
        return name if isinstance(name, str) and whole else ""

    @property
    def bare_class(self) -> str:
        """The class without package and module: `Lambda` for `keras.layers>Lambda`."""
        return self.class_name.rpartition(">")[2].rpartition(".")[2]

    @property
    def config(self) -> dict[str, Any]:
        """Its configuration, empty where that is no dictionary."""
        config = self.values.get("config")
        return config if isinstance(config, dict) else {}

    @property
    def title(self) -> str:
        """What people know it by: its name, or its class."""
        name = self.config.get("name")
        return repr((name if isinstance(name, str) else self.class_name)[:60])


def nodes(document: Any) -> Iterator[Node]:
    """Every dictionary, also those in JSON texts inside the document.

    Raises:
        NestedTextError: such a text is nested too deeply, or there are too many.
    """
    pending: list[tuple[Any, Trail, dict[str, Any]]] = [(document, None, {})]
    nested = 0
    while pending:
        value, trail, above = pending.pop()
        if isinstance(value, dict):
            yield Node(value, trail, above)
            opened = ((key, item) for key, item in reversed(value.items()) if _open(item))
            pending += [(item, (trail, f".{key}"), value) for key, item in opened]
        elif isinstance(value, list):
            pending += [(item, (trail, f"[{at}]"), above) for at, item in enumerate(value) if _open(item)]
        elif isinstance(value, str):
            nested += 1
            if nested > MAX_NESTED:
                raise NestedTextError(f"more than {MAX_NESTED:,} texts inside it could be Keras objects")
            pending.append((_parsed(value), trail, above))


def _open(value: Any) -> bool:
    """Whether there may be an object inside."""
    if isinstance(value, str):
        return "class_name" in value and value.lstrip()[:1] in {"{", "["}
    return isinstance(value, dict | list)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
    except RecursionError as error:
        raise NestedTextError("a JSON text inside it is nested too deeply to be read") from error
