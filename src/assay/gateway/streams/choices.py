"""Streams of `/v1/chat/completions` and `/v1/completions`: chunks made anew from what may leave.

A chunk is not passed on with holes cut into it: it is rebuilt from what is known. What is unknown, and the
log probabilities, which repeat the text, are left out. Tool calls leave whole, when their choice ends: a
client can do nothing with half of one, and only the whole can be judged as the tool will read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.gateway.answers.shape import TEXT_KEYS, objects, unusable
from assay.gateway.collecting import Collection, is_name, numbers
from assay.gateway.passages import replaced
from assay.gateway.records import TextRecord
from assay.gateway.requests.chat import read_call
from assay.gateway.streams.channel import Channel, Guarding

FILTERED = "content_filter"
MAX_CHOICES = 128
MAX_CALLS = 1 << 20  # characters of all tool calls of a choice
MAX_CALL_COUNT = 1024
_ROLES = frozenset({"assistant", "system", "user", "tool", "developer", "function"})


@dataclass(slots=True)
class _Choice:
    """A choice so far."""

    channels: dict[str, Channel] = field(default_factory=dict)
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    call_size: int = 0
    role: str = ""
    reason: str = ""  # why it ended, "" while it has not


class ChoiceStream:
    """Takes the chunks of an upstream and gives those that may leave.

    Args:
        guarding: by what texts are judged.
        model: the model's name that the client asked for.

    Attributes:
        records: of the texts, complete once `close` was called.
        usage: what the upstream says of tokens.
        finished: every choice that began has ended.
    """

    done = True  # the stream ends with [DONE]
    number = 0  # its events have none

    def __init__(self, guarding: Guarding, model: str) -> None:
        self._guarding, self._model = guarding, model
        self._choices: dict[int, _Choice] = {}
        self._head: dict[str, Any] = {}
        self.records: list[TextRecord] = []
        self.usage: dict[str, Any] = {}

    @property
    def finished(self) -> bool:
        """Every choice that began has ended, and one did begin."""
        return bool(self._choices) and all(choice.reason for choice in self._choices.values())

    @property
    def reasons(self) -> list[str]:
        """Why the choices ended."""
        return [choice.reason for choice in self._choices.values() if choice.reason]

    def take(self, chunk: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """A chunk of the upstream; yields those that may leave now, each with the name of its event.

        Raises:
            Refusal: it cannot be read.
        """
        del name
        self._head = self._head or self._envelope(chunk)
        leaving = [said for _, choice in objects(chunk.get("choices")) for said in self._choice(choice)]
        chunks = [{**self._head, "choices": [said]} for said in leaving]
        if usage := numbers(chunk.get("usage")):
            self.usage = usage
            if not chunk.get("choices"):
                chunks.append({**self._head, "choices": []})
            if chunks:
                chunks[-1]["usage"] = usage
        yield from (("", one) for one in chunks)

    def end(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The upstream's stream came to its end; yields the rest."""
        for index, choice in self._choices.items():
            if not choice.reason:
                for said in self._finish(index, choice, "stop"):
                    yield "", {**self._head, "choices": [said]}

    def stop(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Stop all of it; yields how it ends for the client."""
        for index, choice in self._choices.items():
            if not choice.reason:
                choice.reason = FILTERED
                yield "", {**self._head, "choices": [self._said(index, {}, FILTERED)]}

    def close(self) -> None:
        """Complete the records."""
        for choice in self._choices.values():
            self.records += [channel.record() for channel in choice.channels.values()]
        self._choices = {}

    def _envelope(self, chunk: Mapping[str, Any]) -> dict[str, Any]:
        head = {
            key: chunk[key] for key in ("id", "system_fingerprint", "service_tier") if is_name(chunk.get(key))
        }
        created = chunk.get("created")
        kind = "text_completion" if chunk.get("object") == "text_completion" else "chat.completion.chunk"
        return {
            **head,
            "object": kind,
            "created": created if isinstance(created, int) else 0,
            "model": self._model,
        }

    def _choice(self, given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        index = given.get("index", 0)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < MAX_CHOICES:
            raise unusable("a choice has no number")
        choice = self._choices.setdefault(index, _Choice())
        if choice.reason:
            return
        said = self._pieces(index, choice, given)
        if any(channel.blocked for channel in choice.channels.values()):
            choice.reason = FILTERED
            yield self._said(index, said, FILTERED)
            return
        if said:
            yield self._said(index, said, None)
        if given.get("finish_reason") is not None:
            reason = given["finish_reason"]
            yield from self._finish(index, choice, reason if is_name(reason) and reason else "stop")

    def _pieces(self, index: int, choice: _Choice, given: Mapping[str, Any]) -> dict[str, Any]:
        """What of a chunk's delta may leave now."""
        delta = given.get("delta")
        if not isinstance(delta, dict):
            delta = {"text": given["text"]} if isinstance(given.get("text"), str) else {}
        said: dict[str, Any] = {}
        if delta.get("role") in _ROLES and not choice.role:
            said["role"] = choice.role = delta["role"]
        for key in (*TEXT_KEYS, "text"):
            piece = delta.get(key)
            if isinstance(piece, str):
                channel = choice.channels.get(key) or self._opened(index, choice, key)
                if released := channel.feed(piece):
                    said[key] = released
        self._hold(choice, delta)
        return said

    def _opened(self, index: int, choice: _Choice, key: str) -> Channel:
        place = f"choices[{index}].{key}" if key == "text" else f"choices[{index}].delta.{key}"
        choice.channels[key] = self._guarding.channel(place)
        return choice.channels[key]

    def _hold(self, choice: _Choice, delta: Mapping[str, Any]) -> None:
        """Keep the pieces of tool calls until their choice ends."""
        pieces = [(piece.get("index", at), piece) for at, piece in objects(delta.get("tool_calls"))]
        if isinstance(delta.get("function_call"), dict):
            pieces.append((-1, {"function": delta["function_call"]}))
        for index, piece in pieces:
            if not isinstance(index, int) or len(choice.calls) >= MAX_CALL_COUNT:
                raise unusable("a tool call has no number")
            call = choice.calls.setdefault(index, {"type": "function"})
            call.update({key: piece[key] for key in ("id", "type") if piece.get(key) and is_name(piece[key])})
            for kind in ("function", "custom"):
                if isinstance(piece.get(kind), dict):
                    choice.call_size += _append(call.setdefault(kind, {}), piece[kind])
            if choice.call_size > MAX_CALLS:
                raise unusable("its tool calls are too long")

    def _finish(self, index: int, choice: _Choice, reason: str) -> Iterator[dict[str, Any]]:
        """The rest of a choice, and its end."""
        rest = {key: left for key, channel in choice.channels.items() if (left := channel.finish())}
        calls, withheld = self._judged_calls(index, choice)
        if withheld or any(channel.blocked for channel in choice.channels.values()):
            reason = FILTERED
        choice.reason = reason
        if rest:
            yield self._said(index, rest, None)
        if calls and reason != FILTERED:
            yield self._said(index, calls, None)
        yield self._said(index, {}, reason)

    def _judged_calls(self, index: int, choice: _Choice) -> tuple[dict[str, Any], bool]:
        """The tool calls of a choice as a delta, and whether they are blocked."""
        if not choice.calls:
            return {}, False
        found = Collection()
        for number, call in choice.calls.items():
            read_call(found, call, ("choices", index, "delta", "tool_calls", number))
        judgement, records = self._guarding.whole(found.passages)
        self.records += records
        texts = {path[4:]: text for path, text in judgement.texts.items()}
        calls: dict[int, Any] = replaced(choice.calls, texts)
        old = calls.pop(-1, None)
        delta: dict[str, Any] = {"function_call": old["function"]} if old else {}
        if calls:
            delta["tool_calls"] = [{"index": number, **call} for number, call in sorted(calls.items())]
        return delta, judgement.blocked() is not None

    def _said(self, index: int, delta: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
        if self._head.get("object") == "text_completion":
            return {"index": index, "text": delta.get("text", ""), "logprobs": None, "finish_reason": reason}
        return {"index": index, "delta": dict(delta), "finish_reason": reason}


def _append(call: dict[str, Any], piece: Mapping[str, Any]) -> int:
    """Append a piece to a call; returns how long it is."""
    size = 0
    for key in ("name", "arguments", "input"):
        if isinstance(piece.get(key), str):
            call[key] = call.get(key, "") + piece[key]
            size += len(piece[key])
    return size
