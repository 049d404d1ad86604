"""A small YAML text as plain mappings, lists and texts; nothing is constructed, and no alias unfolds."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from assay.checks.packaging.artifact_scan.texts.yaml_config import TooMuchError, events

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
MAX_TEXT = 4 << 20  # characters
MAX_MERGED = 100_000  # keys that `<<` copies, which would take time by the square of the text


@dataclass(slots=True)
class _Open:
    """A mapping or list that has not ended: what is in it, and the key that waits for its value."""

    made: Any
    key: Any = None
    waits: bool = False
    merged: list[Any] = field(default_factory=list)


def parse(text: str) -> Any:
    """The first document of a text, scalars as the text that they are or None.

    An alias is the same object as what it stands for, and `<<` merges as safe loaders do: whoever walks what
    comes back looks up single keys, for it may contain itself.

    Raises:
        ValueError: it is no YAML, or too much of it.
    """
    import yaml  # noqa: PLC0415  start-up

    if len(text) > MAX_TEXT:
        raise ValueError(f"it has more than {MAX_TEXT:,} characters")
    try:
        return _build(text)
    except (TooMuchError, RecursionError) as error:
        raise ValueError("it has too many values") from error
    except yaml.YAMLError as error:
        raise ValueError("it is no YAML") from error


def _build(text: str) -> Any:
    stack: list[_Open] = [_Open([])]
    anchors: dict[str, Any] = {}
    merged = 0
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
            merged += _merge(stack.pop())
            if merged > MAX_MERGED:
                raise TooMuchError
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


def _merge(ended: _Open) -> int:
    """Take in what `<<` names: the mapping's own keys win, then those of earlier mappings; how many came."""
    count = 0
    for item in ended.merged:
        for other in item if isinstance(item, list) else [item]:
            for key, value in list(islice(other.items(), MAX_MERGED + 1)) if isinstance(other, dict) else ():
                ended.made.setdefault(key, value)
                count += 1
            if count > MAX_MERGED:
                return count
    return count
