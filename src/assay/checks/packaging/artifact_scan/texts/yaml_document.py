"""A small YAML text as plain mappings, lists and texts; nothing is constructed, and no alias unfolds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from assay.checks.packaging.artifact_scan.texts.yaml_config import TooMuchError, events

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
MAX_TEXT = 1 << 18  # characters: merging takes time by their square


@dataclass(slots=True)
class _Open:
    """A mapping or list that has not ended: what is in it, and the key that waits for its value."""

    made: Any
    key: Any = None
    waits: bool = False
    merged: list[Any] = field(default_factory=list)


def parse(text: str) -> Any:
    """The first document of a text, scalars as the text that they are or None; None where it is no YAML.

    An alias is the same object as what it stands for, and `<<` merges as safe loaders do: whoever walks what
    comes back looks up single keys, for it may contain itself.
    """
    import yaml  # noqa: PLC0415  start-up

    if len(text) > MAX_TEXT:
        return None
    try:
        return _build(text)
    except (yaml.YAMLError, TooMuchError, ValueError, RecursionError):
        return None  # the judge of YAML says so


def _build(text: str) -> Any:
    stack: list[_Open] = [_Open([])]
    anchors: dict[str, Any] = {}
    for event in events(text):
        kind = type(event).__name__
        if kind == "DocumentEndEvent":
            break
        if kind == "ScalarEvent":
            value = None if event.implicit[0] and event.value in _NULLS else str(event.value)
            _put(stack[-1], _anchored(anchors, event, value))
        elif kind == "AliasEvent":
            _put(stack[-1], anchors.get(event.anchor))
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            made: Any = _anchored(anchors, event, {} if kind == "MappingStartEvent" else [])
            _put(stack[-1], made)
            stack.append(_Open(made))
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            _merge(stack.pop())
    return stack[0].made[0] if stack[0].made else None


def _anchored(anchors: dict[str, Any], event: Any, made: Any) -> Any:
    if event.anchor:
        anchors[event.anchor] = made
    return made


def _put(parent: _Open, item: Any) -> None:
    if isinstance(parent.made, list):
        parent.made.append(item)
    elif not parent.waits:
        parent.key, parent.waits = item if isinstance(item, str) else "", True
    else:
        parent.waits = False
        if parent.key == "<<":
            parent.merged.append(item)
        else:
            parent.made[parent.key] = item


def _merge(ended: _Open) -> None:
    """Take in what `<<` names: the mapping's own keys win, then those of earlier mappings."""
    for item in ended.merged:
        for other in item if isinstance(item, list) else [item]:
            for key, value in list(other.items()) if isinstance(other, dict) else ():
                ended.made.setdefault(key, value)
