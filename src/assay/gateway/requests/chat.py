"""`/v1/chat/completions`: the texts of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.gateway.collecting import Collection, Unscanned, without
from assay.gateway.passages import Fragment, Path
from assay.gateway.refusal import Refusal
from assay.gateway.requests.content import read_content
from assay.gateway.requests.reading import Reading, Turns, asked_tokens, begun, listed, mapping
from assay.guard.verdict import Source

SOURCES = {
    "system": Source.SYSTEM,
    "developer": Source.SYSTEM,
    "user": Source.USER,
    "assistant": Source.OUTPUT,
    "tool": Source.TOOL_RESULT,
    "function": Source.TOOL_RESULT,
    "document": Source.DOCUMENT,
    "context": Source.DOCUMENT,
}
_CALLS = ("tool_calls", "function_call")


def read_chat(document: Mapping[str, Any]) -> Reading:
    """The texts of a chat request.

    Raises:
        Refusal: it has no messages, or one that cannot be read.
    """
    reading = begun(document)
    turns = Turns(reading)
    for at, message in enumerate(listed(document, "messages")):
        path: Path = ("messages", at)
        turns.add(*_message(reading, mapping(message, path), path))
    turns.finish()
    read_tools(reading, document)
    rest = without(document, "messages", "tools", "functions")
    if "audio" in rest or "audio" in listed(rest, "modalities", optional=True):
        reading.skip(("audio",), Unscanned.MEDIA, "an answer in audio")
    reading.everything(Source.DOCUMENT, rest, ())
    reading.answer_tokens = asked_tokens(document, "max_completion_tokens", "max_tokens")
    return reading


def _message(reading: Reading, message: Mapping[str, Any], path: Path) -> tuple[Source, list[Fragment]]:
    role = message.get("role")
    if not isinstance(role, str) or role not in SOURCES:
        raise Refusal(400, "invalid_value", "A message has no role that is known here.", param="messages")
    source = SOURCES[role]
    said = read_content(reading, message.get("content"), (*path, "content"), source)
    rest = without(message, "content", *_CALLS)
    if rest.pop("audio", None) is not None:
        reading.skip((*path, "audio"), Unscanned.STORED, "an earlier answer in audio")
    reading.everything(source, rest, path)
    for at, call in enumerate(listed(message, "tool_calls", optional=True)):
        read_call(reading, mapping(call, (*path, "tool_calls", at)), (*path, "tool_calls", at))
    if message.get("function_call") is not None:
        function = mapping(message["function_call"], (*path, "function_call"))
        read_function(reading, function, (*path, "function_call"))
    return source, said


def read_call(reading: Collection, call: Mapping[str, Any], path: Path) -> None:
    """Have a tool call judged: the function's name and arguments, and whatever else it holds."""
    function = call.get("function")
    if isinstance(function, dict):
        read_function(reading, function, (*path, "function"))
    reading.everything(Source.TOOL_CALL, without(call, "function"), path)


def read_function(reading: Collection, function: Mapping[str, Any], path: Path) -> None:
    """Have the call of a function judged: its name and arguments."""
    reading.arguments(function.get("arguments"), (*path, "arguments"))
    reading.everything(Source.TOOL_CALL, without(function, "arguments"), path)


def read_tools(reading: Reading, document: Mapping[str, Any]) -> None:
    """Have each tool's definition judged as a document: whoever wrote it speaks to the model."""
    for key in ("tools", "functions"):
        for at, tool in enumerate(listed(document, key, optional=True)):
            path: Path = (key, at)
            if mapping(tool, path).get("type", "function") not in ("function", "custom"):
                reading.skip(path, Unscanned.HOSTED, "a tool that the upstream runs")
            reading.everything(Source.DOCUMENT, tool, path)
