"""Server-sent events (WHATWG HTML, 9.2): read from bytes in any pieces, within bounds, and written."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.gateway.answers.shape import unusable

MAX_EVENT = 8 << 20  # characters; the last event of a response repeats all of it
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its name, "" where it has none, and its data."""

    name: str
    data: str


class EventParser:
    """Takes bytes and gives events.

    Args:
        limit: the longest event, in characters.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._limit = limit
        self._rest = ""
        self._begun = self._skip_feed = False
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, raw: bytes) -> list[Event]:
        """Take some bytes; returns the events that they complete.

        Raises:
            Refusal: they are not UTF-8, or an event is too long.
        """
        try:
            text = self._decoder.decode(raw)
        except UnicodeDecodeError as error:
            raise unusable("it is not UTF-8") from error
        if text and not self._begun:
            self._begun, text = True, text.removeprefix("\ufeff")
        *lines, self._rest = self._lines(self._rest + text)
        if self._size + len(self._rest) > self._limit:
            raise unusable("an event of its stream is too long")
        return [event for line in lines if (event := self._line(line)) is not None]

    def _lines(self, text: str) -> list[str]:
        if self._skip_feed and text:
            text, self._skip_feed = text.removeprefix("\n"), False
        if text.endswith("\r"):
            self._skip_feed = True  # its line feed may be still to come
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def _line(self, line: str) -> Event | None:
        if not line:
            return self._complete()
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "data":
            self._data.append(value)
            self._size += len(value) + 1
            if self._size > self._limit:
                raise unusable("an event of its stream is too long")
        elif key == "event":
            self._name = value
        return None

    def _complete(self) -> Event | None:
        event = Event(self._name, "\n".join(self._data)) if self._data else None
        self._name, self._data, self._size = "", [], 0
        return event


def written(document: Mapping[str, Any], name: str = "") -> bytes:
    """An event as bytes: its data are one line of ASCII."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(document, separators=(',', ':'))}\n\n".encode("ascii")
