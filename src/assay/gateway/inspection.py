"""The work on a request and its answer that takes the processor; it runs in threads."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.core.strict_json import MalformedError, parse_object
from assay.gateway.answers.shape import unusable
from assay.gateway.audit import SideRecord, SkipRecord
from assay.gateway.collecting import Skipped
from assay.gateway.endpoints import Endpoint
from assay.gateway.intake import parse_body
from assay.gateway.judging import Judgement, judge
from assay.gateway.keys import GatewayKey
from assay.gateway.passages import Fragment, Passage, replaced
from assay.gateway.records import record_of
from assay.gateway.refusal import Refusal, filtered
from assay.gateway.requests import Reading
from assay.gateway.running import Running
from assay.guard.verdict import Source

MAX_ERROR = 2000  # characters of an upstream's message that are passed on
_PASSED = frozenset({400, 404, 409, 413, 422, 429, 503, 504})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that may pass.

    Attributes:
        reading: its texts.
        document: the request as it may pass, before a canary is planted; what answers repeat of it.
        body: what is sent to the upstream.
        route: as for `Guard.judge`.
    """

    reading: Reading
    document: Mapping[str, Any]
    body: bytes
    route: str


class Inspection:
    """Judges one request and its answer, and notes what was seen.

    Args:
        running: what is in force.
        endpoint: what was asked.
        key: who asked.
    """

    def __init__(self, running: Running, endpoint: Endpoint, key: GatewayKey) -> None:
        self._running, self._endpoint, self._key = running, endpoint, key
        self.input, self.output = SideRecord(), SideRecord()
        self.model = ""
        self.stream = False

    def prepare(self, raw: bytes, limit: int) -> Prepared:
        """A request from its body.

        Raises:
            Refusal: it cannot be read, asks for what the key does not open, or is blocked.
        """
        document = parse_body(raw, limit)
        reading = self._endpoint.read(document)
        self.model, self.stream = reading.model, reading.stream
        if not self._key.opens(self._endpoint.name, reading.model):
            raise Refusal(403, "model_not_allowed", "This key does not open this model.", param="model")
        self._skipped(self.input, reading.skipped)
        if part := self._running.blocked_part(reading.skipped):
            raise _unscannable(part)
        route = f"{self._key.tenant or '-'}/{self._endpoint.name}/{reading.model}"
        judgement = self._judged(self.input, reading.passages, route)
        if blocked := judgement.blocked():
            raise filtered(blocked.passage.place or None)
        passed: Mapping[str, Any] = replaced(document, judgement.texts)
        planter = self._running.planter
        planted = planter.plant(passed) if planter else passed
        return Prepared(reading, passed, _written(planted), route)

    def settle(self, prepared: Prepared, raw: bytes) -> tuple[bytes, Mapping[str, Any]]:
        """An answer as it may leave, and the answer as it came.

        Raises:
            Refusal: it cannot be read.
        """
        answer = _parsed(raw)
        try:
            found = self._endpoint.collect(answer)
        except Refusal as refusal:
            raise unusable("it has an unknown form") from refusal
        judgement = self._judged(self.output, found.passages, prepared.route)
        self._skipped(self.output, found.skipped, left_out=True)
        for skipped in found.skipped:
            if skipped.kind in self._running.dropped:
                judgement.texts[skipped.path] = None
        return _written(self._endpoint.settle(answer, judgement, prepared.document)), answer

    def error(self, prepared: Prepared, status: int, raw: bytes, retry_after: str = "") -> Refusal:
        """What the client is told where an upstream answers with an error: its message, if it may leave."""
        message = _message(raw)
        passage = Passage(Source.OUTPUT, (Fragment(("error", "message"), message),))
        text = self._judged(self.output, [passage], prepared.route).judged[0].verdict.text if message else ""
        return Refusal(
            status if status in _PASSED else 502,
            "upstream_error",
            text or "The model server answered with an error.",
            headers={"retry-after": retry_after} if retry_after else None,
        )

    def _judged(self, side: SideRecord, passages: list[Passage], route: str) -> Judgement:
        started = time.perf_counter()
        judgement = judge(self._running.guard, passages, route)
        side.seconds += time.perf_counter() - started
        keep = self._running.settings.section.audit.texts
        side.note([record_of(one, keep=keep) for one in judgement.judged])
        return judgement

    def _skipped(self, side: SideRecord, parts: list[Skipped], *, left_out: bool = False) -> None:
        for part in parts:
            action = self._running.unscanned(part.kind)
            done = "left out" if left_out and action == "block" else action
            side.skipped.append(SkipRecord(part.place, part.kind.value, part.reason, done))


def _unscannable(part: Skipped) -> Refusal:
    return Refusal(
        400,
        "unscanned_content",
        f"The request has a part that this gateway cannot look at: {part.reason}.",
        param=part.place or None,
    )


def _parsed(raw: bytes) -> Mapping[str, Any]:
    try:
        return parse_object(raw, limit=len(raw), what="answer")
    except MalformedError as error:
        raise unusable(str(error)) from error


def _message(raw: bytes) -> str:
    """The message of an upstream's error, "" where it has none."""
    try:
        document = parse_object(raw, limit=len(raw), what="answer")
    except MalformedError:
        return ""
    error = document.get("error", document)
    message = error.get("message") if isinstance(error, dict) else error
    return message[:MAX_ERROR] if isinstance(message, str) else ""


def _written(document: Mapping[str, Any]) -> bytes:
    """ASCII, so that nobody can read it in another encoding."""
    return json.dumps(document, separators=(",", ":")).encode("ascii")
