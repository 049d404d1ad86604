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
MAX_TOGETHER = 8_000  # characters of several turns that are judged as one text


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
    """Messages that a model may read as one, so they are judged as one, too.

    They are those of one speaker in a row, and the last of all that the user said, whoever spoke between.

    Args:
        reading: gets what is judged.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._source = Source.SYSTEM
        self._said: list[list[Fragment]] = []
        self._asked: list[list[Fragment]] = []
        self._spells = 0  # of the user's: messages in a row are one

    def add(self, source: Source, said: list[Fragment]) -> None:
        """The next message, and its texts."""
        if source is not self._source:
            self._end()
            self._source = source
            self._spells += source is Source.USER
        self._said.append(said)
        if source is Source.USER:
            self._asked.append(said)

    def finish(self) -> None:
        """Nobody speaks any more."""
        self._end()
        latest = self._latest() if self._spells > 1 else []
        if len(latest) > 1:
            self._reading.add(Source.USER, (one for said in latest for one in said), again=True)

    def _end(self) -> None:
        if len(self._said) > 1:
            said_together = (one for said in self._said for one in said)
            self._reading.add(self._source, said_together, again=True)
        self._said = []

    def _latest(self) -> list[list[Fragment]]:
        """The user's last messages, as many as are judged together."""
        latest: list[list[Fragment]] = []
        left = MAX_TOGETHER
        for said in reversed(self._asked):
            left -= sum(len(one.text) for one in said)
            if left < 0:
                break
            latest.insert(0, said)
        return latest


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
