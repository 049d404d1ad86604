"""What a request is, as the gateway sees it, and the steps that all endpoints read it by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.gateway.collecting import Collection
from assay.gateway.passages import Fragment, Path, shown
from assay.gateway.refusal import Refusal
from assay.guard.verdict import Source

MAX_MODEL = 200  # characters


@dataclass(slots=True)
class Reading(Collection):
    """The texts of a request.

    Attributes:
        model: the model that is asked for.
        stream: the answer is asked for in pieces.
        answer_tokens: how many tokens the answer may have, where the request says so.
    """

    model: str = ""
    stream: bool = False
    answer_tokens: int = 0


class Turns:
    """Messages of one speaker in a row: a model may read them as one, so they are judged as one.

    Args:
        reading: gets what is judged.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._source = Source.SYSTEM
        self._said: list[list[Fragment]] = []

    def add(self, source: Source, said: list[Fragment]) -> None:
        """The next message, and its texts."""
        if source is not self._source:
            self.end()
            self._source = source
        self._said.append(said)

    def end(self) -> None:
        """Somebody else speaks, or nobody any more."""
        if len(self._said) > 1:
            self._reading.add(self._source, (one for said in self._said for one in said))
        self._said = []


def begun(document: Mapping[str, Any]) -> Reading:
    """A reading of a request whose texts are still to be read.

    Raises:
        Refusal: it names no model, or asks for a stream in no known way.
    """
    model, stream = document.get("model"), document.get("stream")
    if not isinstance(model, str) or not model or len(model) > MAX_MODEL or not model.isprintable():
        raise Refusal(400, "invalid_type", "'model' must be the name of a model.", param="model")
    if stream is not None and not isinstance(stream, bool):
        raise Refusal(400, "invalid_type", "'stream' must be true or false.", param="stream")
    return Reading(model=model, stream=bool(stream))


def listed(document: Mapping[str, Any], key: str, *, optional: bool = False) -> list[Any]:
    """A list below a key.

    Raises:
        Refusal: it is none.
    """
    value = document.get(key)
    if value is None and optional:
        return []
    if not isinstance(value, list):
        raise Refusal(400, "invalid_type", f"'{key}' must be a list.", param=key)
    return value


def mapping(value: Any, path: Path) -> Mapping[str, Any]:
    """An object that must be there.

    Raises:
        Refusal: it is not.
    """
    if not isinstance(value, dict):
        raise Refusal(400, "invalid_type", f"'{shown(path)}' must be an object.", param=shown(path))
    return value


def asked_tokens(document: Mapping[str, Any], *keys: str) -> int:
    """How many tokens the answer may have, by the first of these keys that says so."""
    for key in keys:
        value = document.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0
