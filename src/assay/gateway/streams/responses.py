"""Streams of `/v1/responses`: typed events, of which the last ones repeat all that came before.

A text that comes in pieces (`….delta`) goes through the guard as it comes. An event that holds whole texts,
among them every `….done` and `response.completed`, is judged as a whole: what leaves of a text does not
depend on how it was cut, so both say the same. Events of an unknown type are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assay.gateway.answers.responses import (
    collect_item,
    collect_response,
    plain_item,
    plain_part,
    settle_response,
    withheld,
)
from assay.gateway.answers.shape import unusable
from assay.gateway.collecting import Collection, Unscanned, is_name, numbers
from assay.gateway.passages import replaced
from assay.gateway.records import TextRecord
from assay.gateway.streams.channel import Channel, Guarding
from assay.gateway.streams.choices import FILTERED
from assay.guard.verdict import Source

MAX_CHANNELS = 4096
MAX_HELD = 1 << 20  # characters of a tool call's arguments

# A text in pieces: the events of a piece and of the whole, and the key of the whole.
_SPOKEN = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.reasoning_text": "text",
    "response.reasoning_summary_text": "text",
}
_ARGUMENTS = {
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
    "response.mcp_call_arguments": "arguments",
    "response.code_interpreter_call_code": "code",
}
_WHOLE = frozenset({"response.created", "response.queued", "response.in_progress"})
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_PARTS = frozenset(
    {"response.output_item.added", "response.output_item.done", "response.content_part.added"}
    | {"response.content_part.done", "response.reasoning_summary_part.added"}
    | {"response.reasoning_summary_part.done"}
)
_PROGRESS = ("response.web_search_call.", "response.file_search_call.", "response.mcp_call.")
_PLACE = ("item_id", "output_index", "content_index", "summary_index")

Said = tuple[str, dict[str, Any]]


class ResponseStream:
    """Takes the events of an upstream and gives those that may leave.

    Args:
        guarding: by what texts are judged.
        request: what the client asked, of which the answer repeats parts.
        dropped: kinds of data that do not leave.

    Attributes:
        records, usage, finished, reasons: as for `ChoiceStream`.
        number: of the next event.
    """

    done = False  # the stream ends with its last event

    def __init__(self, guarding: Guarding, request: Mapping[str, Any], dropped: frozenset[Unscanned]) -> None:
        self._guarding, self._request, self._dropped = guarding, request, dropped
        self._channels: dict[tuple[Any, ...], Channel] = {}
        self._held: dict[tuple[Any, ...], list[str]] = {}
        self._response: dict[str, Any] = {"object": "response", "output": []}
        self.number = 0
        self.records: list[TextRecord] = []
        self.usage: dict[str, Any] = {}
        self.finished = False
        self.reasons: list[str] = []

    def take(self, event: Mapping[str, Any], name: str = "") -> Iterator[Said]:
        """An event of the upstream; yields those that may leave now.

        Raises:
            Refusal: it cannot be read.
        """
        kind = event.get("type") or name
        if self.finished or not isinstance(kind, str):
            return
        stem, _, end = kind.rpartition(".")
        if stem in _SPOKEN and end in {"delta", "done"}:
            yield from self._spoken(stem, end, event)
        elif stem in _ARGUMENTS and end in {"delta", "done"}:
            yield from self._arguments(stem, end, event)
        elif kind in _PARTS:
            yield from self._part(kind, event)
        elif kind in _WHOLE or kind in _LAST:
            yield from self._response_event(kind, event)
        elif kind.startswith(_PROGRESS):
            yield self._said(kind, _place(event))

    def end(self) -> Iterator[Said]:
        """The upstream's stream came to its end; nothing of it is left."""
        return iter(())

    def stop(self) -> Iterator[Said]:
        """Stop all of it; yields how it ends for the client."""
        if not self.finished:
            self.finished = True
            self.reasons.append(FILTERED)
            yield self._said("response.incomplete", {"response": withheld(self._response)})

    def close(self) -> None:
        """Complete the records."""
        self.records += [channel.record() for channel in self._channels.values()]
        self._channels = {}

    def _spoken(self, stem: str, end: str, event: Mapping[str, Any]) -> Iterator[Said]:
        channel = self._channel(stem, event)
        piece = event.get("delta")
        released = ""
        if end == "delta" and isinstance(piece, str):
            released = channel.feed(piece)
        elif end == "done":
            released = channel.finish()
        if channel.blocked:
            yield from self.stop()
            return
        place = _place(event)
        if released:
            yield self._said(f"{stem}.delta", {**place, "delta": released, **_no_logprobs(stem)})
        if end == "done":
            key = _SPOKEN[stem]
            whole = self._whole(Source.OUTPUT, {key: event.get(key)}, ("done",))
            if whole is None:
                yield from self.stop()
            else:
                yield self._said(f"{stem}.done", {**place, key: whole[key] or "", **_no_logprobs(stem)})

    def _arguments(self, stem: str, end: str, event: Mapping[str, Any]) -> Iterator[Said]:
        """A tool call's arguments leave whole: only so can they be judged as the tool will read them."""
        key, place = _ARGUMENTS[stem], _place(event)
        if end == "delta":
            held = self._held.setdefault((stem, *place.values()), [])
            held.append(str(event.get("delta", "")))
            if len(self._held) > MAX_CHANNELS or sum(map(len, held)) > MAX_HELD:
                raise unusable("its tool calls are too long")
            return
        pieces = "".join(self._held.pop((stem, *place.values()), []))
        given = event.get(key)
        value = given if isinstance(given, str) else pieces
        found = Collection()
        found.arguments(value, (key,))
        judgement, records = self._guarding.whole(found.passages)
        self.records += records
        if judgement.blocked():
            yield from self.stop()
            return
        settled = replaced({key: value}, judgement.texts)[key]
        yield self._said(f"{stem}.delta", {**place, "delta": settled})
        name = {"name": event["name"]} if is_name(event.get("name")) else {}
        yield self._said(f"{stem}.done", {**place, **name, key: settled})

    def _part(self, kind: str, event: Mapping[str, Any]) -> Iterator[Said]:
        """An event with an item, or with a part of one, as a whole."""
        settled: dict[str, Any] | None = _place(event)
        for key in ("item", "part"):
            value = event.get(key)
            if isinstance(value, dict) and settled is not None:
                begun = _begun(value) if kind.endswith(".added") else plain_item(plain_part(value))
                whole = self._whole(Source.OUTPUT, begun, (key,))
                settled = None if whole is None else {**settled, key: whole}
        if settled is None:
            yield from self.stop()
        else:
            yield self._said(kind, settled)

    def _response_event(self, kind: str, event: Mapping[str, Any]) -> Iterator[Said]:
        response = event.get("response")
        if not isinstance(response, dict):
            raise unusable("an event has no response")
        response = response if kind in _LAST else {**response, "output": []}
        found = collect_response(response)
        judgement, records = self._guarding.whole(found.passages)
        for skipped in found.skipped:
            if skipped.kind in self._dropped:
                judgement.texts[skipped.path] = None
        settled = settle_response(response, judgement, self._request)
        if judgement.blocked():
            self._response = settled
            yield from self.stop()
            return
        self._response = settled
        if kind in _LAST:
            self.records += records
            self.finished = True
            self.usage = numbers(response.get("usage")) or {}
            self.reasons.append(str(settled.get("status") or kind.rpartition(".")[2])[:64])
        yield self._said(kind, {"response": settled})

    def _whole(
        self, source: Source, value: Mapping[str, Any], path: tuple[str, ...]
    ) -> dict[str, Any] | None:
        """A value as it may leave; None where it is blocked."""
        found = Collection()
        if "type" in value:
            collect_item(found, value, path)
        else:
            found.everything(source, value, path)
        judgement, _ = self._guarding.whole(found.passages)
        if judgement.blocked():
            return None
        texts = {path[1:]: text for path, text in judgement.texts.items()}
        texts |= {one.path[1:]: None for one in found.skipped if one.kind in self._dropped}
        settled: dict[str, Any] = replaced(dict(value), texts)
        return settled

    def _channel(self, stem: str, event: Mapping[str, Any]) -> Channel:
        key = (stem, *_place(event).values())
        if key not in self._channels:
            if len(self._channels) >= MAX_CHANNELS:
                raise unusable("its stream has too many parts")
            number = event.get("output_index", 0)
            self._channels[key] = self._guarding.channel(f"output[{number}].{stem.rpartition('.')[2]}")
        return self._channels[key]

    def _said(self, kind: str, fields: Mapping[str, Any]) -> Said:
        self.number += 1
        return kind, {"type": kind, "sequence_number": self.number - 1, **fields}


def _begun(value: Mapping[str, Any]) -> dict[str, Any]:
    """An item or part without the texts that it may have begun with; their pieces are events of their own."""
    empty: dict[str, Any] = {
        "content": [],
        "summary": [],
        "arguments": "",
        "input": "",
        "code": "",
        "text": "",
    }
    begun = {**value, **{key: empty[key] for key in empty if value.get(key)}}
    return begun if "refusal" not in value else {**begun, "refusal": ""}


def _place(event: Mapping[str, Any]) -> dict[str, Any]:
    """Where an event's text belongs."""
    place = {key: event[key] for key in _PLACE if key in event}
    for key, value in place.items():
        if not (is_name(value) if key == "item_id" else isinstance(value, int)):
            raise unusable("an event does not say where it belongs")
    return place


def _no_logprobs(stem: str) -> dict[str, Any]:
    return {"logprobs": []} if stem == "response.output_text" else {}
