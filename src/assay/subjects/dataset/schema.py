"""What the columns of a row mean, found by looking at the row itself.

Rows are judged one by one, so a file of mixed shapes is read in full and its shapes are counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.subjects.dataset.record import Record, Schema, Turn

_CHATS = ("messages", "conversations", "conversation", "dialog", "dialogue", "turns")
_PROMPTS = ("instruction", "prompt", "question", "query", "user")
_RESPONSES = ("response", "output", "completion", "answer", "assistant", "chosen", "target_text")
_INPUTS = ("input", "context", "document")
_SYSTEMS = ("system", "system_prompt")
_TEXTS = (
    "text", "sentence", "sentences", "content", "document", "article", "passage", "review", "comment",
    "comment_text", "tweet", "post", "message", "utterance", "abstract", "body",
)  # fmt: skip
_LABELS = ("label", "labels", "class", "target", "category", "is_toxic", "sentiment")
_SOURCES = ("source", "origin", "url", "domain", "dataset")
_SILENT = frozenset(
    {"id", "uuid", "idx", "index", "row", "hash", "sha256", "timestamp", "date", "created", *_SOURCES}
)
_SILENT_LENGTH = 200
_LETTER = re.compile(r"[^\W\d]")
_ROLES = {
    "human": "user", "user": "user", "customer": "user", "prompter": "user",
    "gpt": "assistant", "assistant": "assistant", "bot": "assistant", "model": "assistant",
    "chatbot": "assistant",
    "system": "system", "developer": "system",
    "tool": "tool", "function": "tool", "observation": "tool", "function_call": "assistant",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns told by the user; "" leaves them to be found."""

    text: str = ""
    label: str = ""
    prompt: str = ""
    response: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands."""

    row: int
    file: str
    line: int | None


class Unread(list[str]):
    """Reasons why parts of a row were not examined."""


def to_record(fields: Mapping[str, Any], place: Place, columns: Columns, unread: Unread) -> Record | None:
    """The record that `fields` hold, or None when no text is found; what was left out goes to `unread`."""
    names = {str(name).strip().lower(): name for name in fields}
    source = _first(names, _SOURCES)
    schema, turns, label, used = _read(fields, names, columns, unread)
    loose = [(low, _loose(fields[name], unread)) for low, name in names.items() if name not in used]
    # A number or a stamp in a column of its own is no text that anyone trains on.
    extra = [Turn("document", text) for low, text in loose if _is_loose(low, text)]
    if extra and schema is Schema.OTHER and len(extra) == 1:
        schema = Schema.TEXT
    parts = tuple(turn for turn in (*turns, *extra) if turn.content)
    if not parts:
        return None
    origin = fields[source] if source is not None and isinstance(fields[source], str) else None
    return Record(place.row, parts, schema, label, origin, place.file, place.line)


_Read = tuple[Schema, list[Turn], "str | None", set[Any]]


def _read(fields: Mapping[str, Any], names: dict[str, Any], columns: Columns, unread: Unread) -> _Read:
    chat = None if columns.prompt or columns.text else _first(names, _CHATS)
    if chat is not None and isinstance(fields[chat], list):
        return Schema.CHAT, _turns(fields[chat], unread), None, {chat}
    if (found := _first(names, ("chosen",))) is not None and "rejected" in names:
        return _preference(fields, names, found, unread)
    prompt = _named(names, columns.prompt, _PROMPTS)
    response = _named(names, columns.response, _RESPONSES)
    if not columns.text and prompt is not None and response is not None:
        return _pair(fields, names, prompt, response)
    return _labelled(fields, names, columns)


def _labelled(fields: Mapping[str, Any], names: dict[str, Any], columns: Columns) -> _Read:
    label = _named(names, columns.label, _LABELS)
    text = _named(names, columns.text, _TEXTS)
    if text is None and label is not None:
        text = _only_text(fields, label) or _first(names, _PROMPTS)
    if text is None and label is None:
        return _headless(fields, names)
    if text is None or not isinstance(fields[text], str):
        return Schema.OTHER, [], None, set()
    turns = [Turn("document", fields[text])]
    if label is None or not isinstance(fields[label], str | int | float | bool):
        return Schema.TEXT, turns, None, {text}
    return Schema.LABELLED, turns, str(fields[label]).strip(), {text, label}


def _pair(fields: Mapping[str, Any], names: dict[str, Any], prompt: Any, response: Any) -> _Read:
    system = _first(names, _SYSTEMS)
    given = _first(names, _INPUTS)
    parts = [Turn("system", _text(fields[system]))] if system is not None else []
    parts.append(Turn("user", _text(fields[prompt])))
    if given is not None and given not in {prompt, response}:
        # What is given along with an instruction is material, not a person's wish.
        parts.append(Turn("document", _text(fields[given])))
    parts.append(Turn("assistant", _text(fields[response])))
    schema = Schema.INSTRUCTION if str(prompt).strip().lower() == "instruction" else Schema.COMPLETION
    return schema, parts, None, {system, given, prompt, response}


def _preference(fields: Mapping[str, Any], names: dict[str, Any], chosen: Any, unread: Unread) -> _Read:
    prompt, rejected = _first(names, _PROMPTS), names["rejected"]
    used = {prompt, chosen, rejected}
    if isinstance(fields[chosen], list):
        turns = _turns(fields[chosen], unread)
        lost = _turns(fields[rejected], unread) if isinstance(fields[rejected], list) else []
        asked = [Turn("user", _text(fields[prompt]))] if prompt is not None and len(turns) == 1 else []
        last = [Turn("rejected", lost[-1].content)] if lost else []
        return Schema.PREFERENCE, asked + turns + last, None, used
    asked = [Turn("user", _text(fields[prompt]))] if prompt is not None else []
    turns = [*asked, Turn("assistant", _text(fields[chosen])), Turn("rejected", _text(fields[rejected]))]
    return Schema.PREFERENCE, turns, None, used


def _headless(fields: Mapping[str, Any], names: dict[str, Any]) -> _Read:
    """Columns nobody named: a short value beside one long text is its label."""
    values = [(name, fields[name]) for low, name in names.items() if low.startswith("column")]
    texts = [name for name, value in values if isinstance(value, str) and " " in value.strip()]
    tokens = [name for name, value in values if isinstance(value, str) and value.strip().isalnum()]
    if len(values) == 2 and len(texts) == 1 and len(tokens) == 1:  # noqa: PLR2004  a text and a label
        turn = Turn("document", fields[texts[0]])
        return Schema.LABELLED, [turn], fields[tokens[0]].strip(), {texts[0], tokens[0]}
    return Schema.OTHER, [], None, set()


def _loose(value: Any, unread: Unread, depth: int = 8) -> str:
    """The text in a column that has no known meaning, nested values included."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list | tuple | dict):
        return ""
    if depth == 0:
        unread.append("a column is nested too deeply")
        return ""
    parts = value.values() if isinstance(value, dict) else value
    return "\n".join(filter(None, (_loose(part, unread, depth - 1) for part in parts)))


def _is_loose(name: str, text: str) -> bool:
    return bool(_LETTER.search(text)) and (name not in _SILENT or len(text) > _SILENT_LENGTH)


def _only_text(fields: Mapping[str, Any], label: Any) -> Any:
    texts = [name for name, value in fields.items() if isinstance(value, str) and name != label]
    return texts[0] if len(texts) == 1 else None


def _turns(messages: list[Any], unread: Unread) -> list[Turn]:
    found: list[Turn] = []
    for message in messages:
        if not isinstance(message, dict):
            unread.append(f"a chat turn is a {type(message).__name__}")
            continue
        role = str(message.get("role") or message.get("from") or "").strip().lower()
        content = message.get("content", message.get("value", message.get("text")))
        found.append(Turn(_ROLES.get(role, "document"), _content(content, unread)))
        for call in message.get("tool_calls") or ():
            function = call.get("function", {}) if isinstance(call, dict) else {}
            found.append(
                Turn("assistant", _text(function.get("arguments") if isinstance(function, dict) else ""))
            )
    return found


def _content(content: Any, unread: Unread) -> str:
    if not isinstance(content, list):
        return _text(content)
    texts = []
    for part in content:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        else:
            kind = part.get("type", "part") if isinstance(part, dict) else type(part).__name__
            unread.append(f"a chat turn holds a part that is not text ({str(kind)[:40]})")
    return "\n".join(texts)


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _first(names: dict[str, Any], wanted: tuple[str, ...]) -> Any:
    return next((names[name] for name in wanted if name in names), None)


def _named(names: dict[str, Any], told: str, wanted: tuple[str, ...]) -> Any:
    return names.get(told.lower()) if told else _first(names, wanted)
