"""Texts in a JSON document: where they stand, what is judged together, and how redacted text is put back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.core.strict_json import MalformedError, decode
from assay.gateway.refusal import Refusal
from assay.guard.verdict import Source

INSIDE = "\0inside"  # a step into the JSON that a string holds
KEY = "\0key"  # the last step to the name of a key
MAX_DEPTH = 64
MAX_NODES = 200_000

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fragment:
    """A string of a document, and the path to it."""

    path: Path
    text: str

    @property
    def fixed(self) -> bool:
        """It is the name of a key, for which no other can be put."""
        return len(self.path) > 1 and self.path[-2] == KEY


@dataclass(frozen=True, slots=True)
class Passage:
    """What is judged as one text.

    Attributes:
        source: where it comes from.
        fragments: its parts, in the order in which a model reads them.
        separator: what stands between them.
    """

    source: Source
    fragments: tuple[Fragment, ...]
    separator: str = "\n"

    @property
    def text(self) -> str:
        """The text that is judged."""
        return self.separator.join(one.text for one in self.fragments)

    @property
    def place(self) -> str:
        """Where it stands, for people: `messages[0].content`."""
        return shown(_shared(self.fragments))


def shown(path: Path) -> str:
    """A path as people write it."""
    parts: list[str] = []
    for step in path:
        if step in {INSIDE, KEY}:
            continue
        parts.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(parts).removeprefix(".")[:200]


def strings(value: Any, path: Path) -> Iterator[Fragment]:
    """Every string of a value, and the names of its keys.

    Raises:
        Refusal: it is nested too deeply.
    """
    if len(path) > MAX_DEPTH:
        raise Refusal(400, "too_deep", "The JSON is nested too deeply.")
    if isinstance(value, str):
        if value:
            yield Fragment(path, value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield Fragment((*path, KEY, key), key)
            yield from strings(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from strings(item, (*path, at))


def inside(text: str, path: Path) -> list[Fragment]:
    """The strings of the JSON that a string holds; none where it holds no plain object or list."""
    try:
        value = decode(text)
    except MalformedError:
        return []
    return list(strings(value, (*path, INSIDE))) if isinstance(value, dict | list) else []


def replaced(value: Any, texts: Mapping[Path, str | None]) -> Any:
    """A copy of the document with other texts at some paths; `value` itself where there are none."""
    return _put(value, list(texts.items())) if texts else value


def _put(value: Any, items: list[tuple[Path, str | None]]) -> Any:
    if whole := [text for path, text in items if not path]:
        return whole[0]
    groups: dict[str | int, list[tuple[Path, str | None]]] = {}
    for (step, *rest), text in items:
        groups.setdefault(step, []).append((tuple(rest), text))
    if INSIDE in groups:
        return json.dumps(_put(json.loads(value), groups[INSIDE]), ensure_ascii=False)
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    for step, group in groups.items():
        copy[step] = _put(copy[step], group)
    return copy


def _shared(fragments: Iterable[Fragment]) -> Path:
    paths = [one.path for one in fragments]
    if not paths:
        return ()
    first, last = min(paths, key=str), max(paths, key=str)
    length = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: min(length, len(last))]
