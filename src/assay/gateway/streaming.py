"""An answer that streams: bytes of the upstream in, bytes that may leave out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from assay.core.strict_json import MalformedError, decode
from assay.gateway.answers.shape import unusable
from assay.gateway.endpoints import Endpoint, Stream
from assay.gateway.inspection import Inspection, Prepared
from assay.gateway.refusal import Refusal
from assay.gateway.running import Running
from assay.gateway.streams.choices import FILTERED
from assay.gateway.streams.sse import DONE, Event, EventParser, written


class StreamPump:
    """Takes the bytes of an upstream's stream and gives those that may leave. Not to be shared.

    Args:
        running: what is in force.
        endpoint: what was asked.
        prepared: the request.
        inspection: notes what was seen.

    Attributes:
        over: nothing more leaves.
        failure: why it did not come to its end, "" where it did.
    """

    def __init__(
        self, running: Running, endpoint: Endpoint, prepared: Prepared, inspection: Inspection
    ) -> None:
        self._lock = threading.Lock()  # a piece may still be judged when the client's leaving closes it
        self._parser = EventParser()
        self._prepared, self._inspection = prepared, inspection
        guarding = running.guarding(prepared.route)
        self._stream: Stream = endpoint.stream(guarding, prepared.document, running.dropped)
        self.over = False
        self.failure = ""

    @property
    def usage(self) -> dict[str, Any]:
        """What the upstream says of tokens."""
        return self._stream.usage

    @property
    def reasons(self) -> list[str]:
        """Why it ended."""
        return self._stream.reasons

    def take(self, raw: bytes) -> bytes:
        """Some bytes of the upstream; returns what may leave now."""
        started = time.perf_counter()
        leaving: list[bytes] = []
        with self._lock:
            try:
                for event in self._parser.feed(raw):
                    if not self.over:
                        leaving += self._event(event)
            except Refusal as refusal:
                leaving.append(self.fail(refusal))
        self._inspection.output.seconds += time.perf_counter() - started
        return b"".join(leaving)

    def end(self) -> bytes:
        """The upstream's stream is over; returns the rest."""
        if self.over:
            return b""
        if not self._stream.finished:
            return self.fail(unusable("it broke off"))
        return b"".join(self._conclude())

    def fail(self, refusal: Refusal) -> bytes:
        """Stop because of a failure; what waited to be judged does not leave."""
        if self.over:
            return b""
        self.over, self.failure = True, refusal.message
        if self._stream.done:
            return written(refusal.body())
        error = {"type": "error", "code": refusal.code, "message": refusal.message, "param": None}
        return written({**error, "sequence_number": self._stream.number}, "error")

    def close(self) -> None:
        """Nothing more leaves; completes the records."""
        with self._lock:
            self.over = True
            self._stream.close()
        self._inspection.output.note(self._stream.records)

    def _event(self, event: Event) -> Iterator[bytes]:
        if event.data.strip() == "[DONE]":
            yield from self._conclude()
            return
        try:
            document = decode(event.data, what="event")
        except MalformedError as error:
            raise unusable(str(error)) from error
        if not isinstance(document, dict):
            raise unusable("an event is no JSON object")
        if document.get("error") and "choices" not in document and "response" not in document:
            raise self._inspection.error(self._prepared, 502, event.data.encode("utf-8", "replace"))
        try:
            for name, said in self._stream.take(document, event.name):
                yield written(said, name)
        except Refusal as refusal:
            raise unusable("an event has an unknown form") from refusal
        if self._stream.finished and FILTERED in self._stream.reasons:
            yield from self._conclude()

    def _conclude(self) -> Iterator[bytes]:
        self.over = True
        for name, said in self._stream.end():
            yield written(said, name)
        if self._stream.done:
            yield DONE
