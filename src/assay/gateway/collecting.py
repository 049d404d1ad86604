"""Collecting the texts of a JSON document for the guard, and naming what it cannot look at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from assay.gateway.passages import Fragment, Passage, Path, inside, shown, strings
from assay.gateway.refusal import Refusal
from assay.guard.verdict import Source

MAX_PASSAGES = 20_000
CHARACTERS_A_TOKEN = 4
_DATA_URL = "data:"

# Where a name of the protocol stands, and nothing that a person or a model reads.
_NAMES = frozenset(
    {"role", "type", "id", "tool_call_id", "call_id", "item_id", "status", "object", "detail", "service_tier"}
    | {"finish_reason", "system_fingerprint", "previous_response_id", "response_id", "container_id", "format"}
)
# Names of keys that every request and answer has.
_KEYS = _NAMES | frozenset(
    {
        "choices",
        "index",
        "message",
        "messages",
        "content",
        "text",
        "delta",
        "logprobs",
        "usage",
        "created",
        "model",
    }
    | {
        "data",
        "embedding",
        "output",
        "input",
        "function",
        "name",
        "arguments",
        "tool_calls",
        "refusal",
        "stream",
    }
    | {"prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "cached_tokens"}
    | {"prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"}
    | {"reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"}
    | {
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "temperature",
        "top_p",
        "n",
        "stop",
        "seed",
    }
    | {
        "frequency_penalty",
        "presence_penalty",
        "stream_options",
        "include_usage",
        "tool_choice",
        "user",
        "strict",
    }
    | {
        "tools",
        "parallel_tool_calls",
        "response_format",
        "metadata",
        "encoding_format",
        "dimensions",
        "annotations",
    }
    | {
        "parameters",
        "properties",
        "required",
        "description",
        "items",
        "enum",
        "additionalProperties",
        "created_at",
    }
    | {"error", "incomplete_details", "instructions", "reasoning", "effort", "summary", "store", "truncation"}
    | {"completed_at", "max_tool_calls", "top_logprobs", "background", "moderation", "audio", "function_call"}
)
_SENTENCE = re.compile(r"[A-Za-z]+(?:[_.:/-][A-Za-z]+){3,}")  # words where an identifier should stand
_NAME = re.compile(r"[\w.:/-]{0,128}", re.ASCII)


class Unscanned(StrEnum):
    """Why the guard cannot look at a part of a document."""

    MEDIA = "media"
    TOKENS = "tokens"
    STORED = "stored"
    HOSTED = "hosted"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part that the guard does not look at."""

    path: Path
    kind: Unscanned
    reason: str

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return shown(self.path)


@dataclass(slots=True)
class Collection:
    """The texts of a document.

    Attributes:
        passages: what the guard judges.
        skipped: what it cannot.
        tokens: how many tokens the texts are, roughly.
    """

    passages: list[Passage] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    tokens: int = 0

    def add(
        self, source: Source, fragments: Iterable[Fragment], separator: str = "\n", *, again: bool = False
    ) -> None:
        """Have fragments judged as one text; `again` if each was counted already.

        Raises:
            Refusal: there are too many.
        """
        found = tuple(one for one in fragments if one.text)
        if not found:
            return
        self.passages.append(Passage(source, found, separator))
        if not again:
            self.tokens += sum(len(one.text) for one in found) // CHARACTERS_A_TOKEN
        if len(self.passages) > MAX_PASSAGES:
            raise Refusal(400, "too_many_parts", "There are too many parts.")

    def pieces(self, source: Source, fragments: list[Fragment]) -> None:
        """Have the pieces of one text judged; whoever splits an attack over them is seen either way."""
        self.add(source, fragments)
        if len(fragments) > 1:
            self.add(source, fragments, "", again=True)

    def skip(self, path: Path, kind: Unscanned, reason: str) -> None:
        """Note what the guard does not look at."""
        self.skipped.append(Skipped(path, kind, reason))

    def everything(self, source: Source, value: Any, path: Path) -> None:
        """Have all strings of a value judged as one text, but for names of the protocol and data."""
        self.add(source, self._texts(value, path))

    def arguments(self, value: Any, path: Path) -> None:
        """Have the arguments of a tool call judged as the tool will read them."""
        if isinstance(value, str):
            self.add(Source.TOOL_CALL, inside(value, path) or [Fragment(path, value)])
        else:
            self.everything(Source.TOOL_CALL, value, path)

    def _texts(self, value: Any, path: Path) -> Iterable[Fragment]:
        for one in strings(value, path):
            if one.text.startswith(_DATA_URL):
                self.skip(one.path, Unscanned.MEDIA, "data in a URL")
            elif not _protocol(one):
                yield one


def is_name(value: object) -> bool:
    """Whether it is an identifier or a word of the protocol, too short and plain to say anything."""
    return isinstance(value, str) and bool(_NAME.fullmatch(value))


def without(value: Any, *keys: str) -> dict[str, Any]:
    """An object without some keys."""
    return {key: item for key, item in value.items() if key not in keys}


def numbers(value: Any, depth: int = 4) -> Any:
    """The numbers of an object and of the objects in it; nothing else."""
    if isinstance(value, dict) and depth:
        found = {key: numbers(item, depth - 1) for key, item in value.items() if is_name(key)}
        return {key: item for key, item in found.items() if item is not None and item != {}}
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _protocol(fragment: Fragment) -> bool:
    if fragment.fixed:
        return fragment.text in _KEYS
    named = bool(fragment.path) and fragment.path[-1] in _NAMES and is_name(fragment.text)
    return named and not _SENTENCE.fullmatch(fragment.text)
