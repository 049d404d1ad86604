"""`/v1/responses`: the texts of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.gateway.collecting import Unscanned, without
from assay.gateway.passages import Fragment, Path
from assay.gateway.refusal import Refusal
from assay.gateway.requests.chat import SOURCES, read_tools
from assay.gateway.requests.content import read_content
from assay.gateway.requests.reading import Reading, Turns, asked_tokens, begun, mapping
from assay.guard.verdict import Source

Turn = tuple[Source, list[Fragment]]
_STORED = ("previous_response_id", "conversation", "prompt")


def read_response(document: Mapping[str, Any]) -> Reading:
    """The texts of a request to the Responses API.

    Raises:
        Refusal: its input cannot be read, or it asks for an answer that would not pass here.
    """
    reading = begun(document)
    if document.get("background"):
        raise Refusal(400, "invalid_value", "Answers in the background do not pass here.", param="background")
    instructions = document.get("instructions")
    if isinstance(instructions, list):
        _items(reading, instructions, ("instructions",))
    else:
        read_content(reading, instructions, ("instructions",), Source.SYSTEM)
    _input(reading, document.get("input"))
    read_tools(reading, document)
    for key in _STORED:
        if document.get(key) is not None:
            reading.skip((key,), Unscanned.STORED, "what the upstream has stored")
    reading.everything(Source.USER, without(document, "input", "instructions", "tools"), ())
    reading.answer_tokens = asked_tokens(document, "max_output_tokens")
    return reading


def _input(reading: Reading, value: Any) -> None:
    if isinstance(value, str):
        reading.add(Source.USER, [Fragment(("input",), value)])
    elif isinstance(value, list):
        _items(reading, value, ("input",))
    elif value is not None:
        raise Refusal(400, "invalid_type", "'input' must be a text or a list of items.", param="input")


def _items(reading: Reading, items: list[Any], path: Path) -> None:
    turns = Turns(reading)
    for at, item in enumerate(items):
        turns.add(*_item(reading, mapping(item, (*path, at)), (*path, at)))
    turns.finish()


def _item(reading: Reading, item: Mapping[str, Any], path: Path) -> Turn:
    kind = item.get("type", "message")
    if not isinstance(kind, str):
        raise Refusal(400, "invalid_type", "The type of an item must be a text.", param="input")
    if kind == "message":
        return _message(reading, item, path)
    if kind == "item_reference":
        reading.skip(path, Unscanned.STORED, "a reference to a stored item")
    if item.get("encrypted_content") is not None:
        reading.skip((*path, "encrypted_content"), Unscanned.STORED, "encrypted content")
    source = _source(kind)
    rest = without(item, "encrypted_content")
    for key in ("arguments", "input"):
        if kind.endswith("_call"):
            reading.arguments(rest.pop(key, None), (*path, key))
    said: list[Fragment] = []
    for key in ("output", "content", "summary"):
        if isinstance(rest.get(key), str | list):
            said += read_content(reading, rest.pop(key), (*path, key), source)
    reading.everything(source, rest, path)
    return source, said


def _message(reading: Reading, item: Mapping[str, Any], path: Path) -> Turn:
    role = item.get("role")
    if not isinstance(role, str) or role not in SOURCES:
        raise Refusal(400, "invalid_value", "A message has no role that is known here.", param="input")
    said = read_content(reading, item.get("content"), (*path, "content"), SOURCES[role])
    reading.everything(SOURCES[role], without(item, "content"), path)
    return SOURCES[role], said


def _source(kind: str) -> Source:
    if kind.endswith(("_output", "_response")):
        return Source.TOOL_RESULT
    if kind.endswith("_call"):
        return Source.TOOL_CALL
    return Source.OUTPUT if kind == "reasoning" else Source.DOCUMENT
