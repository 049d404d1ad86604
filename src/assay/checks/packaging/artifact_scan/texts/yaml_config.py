"""YAML: tags that make Python objects, targets that hydra would call, and aliases that unfold without end.

The text is only parsed into events; nothing is composed, constructed or followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from assay.checks.packaging.artifact_scan import rules, targets
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import SMALLER

MAX_TEXT = 16 << 20
MAX_DEPTH = 500
_BRACKETS = re.compile(r"[][{}]")
MAX_EVENTS = 3_000_000
MAX_UNFOLDED = 10_000_000  # values
MAX_TOLD = 50
_PYTHON = "tag:yaml.org,2002:python/"
_MARKS = ("!!python", "yaml.org,2002:python", "_target_", "class_path:", "!new:", "!apply:", "!applyref:")
# Tags of HyperPyYAML, which SpeechBrain's models are described in.
_MADE = ("!new:", "!apply:", "!applyref:", "!name:", "!module:")
_NAMES = (".yaml", ".yml")
_HARMLESS = {
    "none", "bool", "bytes", "str", "unicode", "int", "long", "float", "complex", "list", "tuple", "dict",
}  # fmt: skip


class TooMuchError(Exception):
    """The text has more events than are looked at."""


@dataclass(slots=True)
class _Node:
    """An open mapping or sequence.

    Attributes:
        anchor: its name, if it has one.
        is_mapping: whether keys and values alternate in it.
        children: nodes met in it.
        size: values it unfolds to.
        key: the last key, where it is a text.
        texts: texts by key.
    """

    anchor: str | None
    is_mapping: bool
    children: int = 0
    size: int = 1
    key: str = ""
    texts: dict[str, str] = field(default_factory=dict)


def judge_named(blob: Blob, text: str, inspection: Inspection) -> None:
    """Judge a text that is YAML by its name, whatever else it is: a first line `#!…` is a comment there."""
    if blob.name.lower().endswith(_NAMES):
        judge(blob, text, inspection)


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Judge a text that is YAML by its name, or has the marks of YAML that makes objects."""
    named = blob.name.lower().endswith(_NAMES)
    if not named and not any(mark in text for mark in _MARKS):
        return
    if len(text) > MAX_TEXT:
        inspection.skip(blob, f"YAML of more than {MAX_TEXT:,} characters is not judged", SMALLER)
        return
    if not named and not _is_yaml(text):
        return
    import yaml  # noqa: PLC0415  start-up

    judging = _Judging(blob, inspection)
    try:
        for event in events(text):
            judging.take(event)
    except yaml.YAMLError as error:
        if named:
            reason = f"the YAML cannot be read to its end: {_told(error)}"
            inspection.skip(
                blob, reason, "Correct it, or remove it: what its readers make of it is not known."
            )
    except (TooMuchError, ValueError, RecursionError) as error:
        reason = f"the YAML cannot be read to its end: {error or 'it has too many values'}"
        inspection.skip(blob, reason, SMALLER)


def _told(error: Exception) -> str:
    """What the parser says, in one line."""
    mark = getattr(error, "problem_mark", None)
    said = str(getattr(error, "problem", None) or str(error).splitlines()[0])[:150]
    return f"{said} (line {mark.line + 1})" if mark else said


def _is_yaml(text: str) -> bool:
    """Whether a text reads as YAML to its end: one that only speaks of it hardly does."""
    import yaml  # noqa: PLC0415  start-up

    try:
        for _ in events(text):
            pass
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    except TooMuchError:
        return True
    return True


def events(text: str) -> Iterator[Any]:
    """The parser's events of a text, of which nothing is made.

    Raises:
        ValueError: it is nested too deeply.
        TooMuchError: it has more events than are looked at.
        yaml.YAMLError: it is no YAML.
    """
    import yaml  # noqa: PLC0415  start-up

    # The parser's time grows with the square of how deep flow collections are nested.
    if _depth(text) > MAX_DEPTH:
        raise ValueError(f"brackets are nested more than {MAX_DEPTH} deep")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for count, event in enumerate(yaml.parse(text, Loader=loader)):
        if count > MAX_EVENTS:
            raise TooMuchError
        yield event


def _depth(text: str) -> int:
    """How deep brackets are nested at most, those in quotes and comments among them."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


class _Judging:
    """Judges the events of one text."""

    def __init__(self, blob: Blob, inspection: Inspection) -> None:
        self._blob = blob
        self._inspection = inspection
        self._open: list[_Node] = []
        self._sizes: dict[str, int] = {}
        self._told: set[str] = set()

    def take(self, event: Any) -> None:
        """Look at the next event."""
        kind = type(event).__name__
        tag = getattr(event, "tag", None)
        if tag:
            self._tag(str(tag), event)
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._enter()
            self._open.append(_Node(event.anchor, kind == "MappingStartEvent"))
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self._leave(self._open.pop())
        elif kind == "ScalarEvent":
            if event.anchor:
                self._sizes[event.anchor] = 1
            self._enter(str(event.value))
            self._grow(1)
        elif kind == "AliasEvent":
            self._enter()
            self._grow(self._sizes.get(event.anchor, 1))

    def _enter(self, text: str = "") -> None:
        """A node starts in the innermost open one."""
        if not self._open:
            return
        parent = self._open[-1]
        if parent.is_mapping and parent.children % 2 == 0:
            parent.key = text
        elif parent.is_mapping and text and len(parent.texts) < 1000:  # noqa: PLR2004
            parent.texts[parent.key] = text
        elif parent.is_mapping and parent.key == "params":
            parent.texts["params"] = ""
        parent.children += 1

    def _leave(self, node: _Node) -> None:
        if node.anchor:
            self._sizes[node.anchor] = node.size
        self._grow(node.size)
        for how in ("_target_", "class_path", "target"):
            name = node.texts.get(how)
            # Much is called `target`; with `params` beside it, it is instantiate_from_config's.
            if name and (how != "target" or "params" in node.texts):
                self._target(name, how)
        if node.texts.get("class_name") == "Lambda" and self._fresh("lambda"):
            # `model_from_yaml`, which Keras before 2.6 has, unmarshals its code as that of JSON is.
            message = "A Lambda layer of a model in YAML, whose code Keras would unmarshal and run."
            self._inspection.report(rules.keras.LAMBDA.finding(message, self._blob.place()))

    def _grow(self, size: int) -> None:
        if self._open:
            self._open[-1].size += size
            if self._open[-1].size > MAX_UNFOLDED and self._fresh("bomb"):
                message = f"Walking the document would take {MAX_UNFOLDED:,} steps and more, by its aliases."
                self._inspection.report(rules.configurations.BOMB.finding(message, self._blob.place()))

    def _tag(self, tag: str, event: Any) -> None:
        for start in _MADE:
            if tag.startswith(start):
                self._target(tag[len(start) :], start)
        if not tag.startswith(_PYTHON) or tag[len(_PYTHON) :] in _HARMLESS:
            return
        if self._fresh(tag):
            line = event.start_mark.line + 1
            name = tag[len(_PYTHON) :][:120]
            message = f"Loading it without a safe loader would make what !!python/{name} names (line {line})."
            self._inspection.report(rules.configurations.TAG.finding(message, self._blob.place()))

    def _target(self, name: str, how: str) -> None:
        if self._fresh(f"{how} {name}"):
            targets.judge(self._blob, name, self._inspection, how=how)

    def _fresh(self, what: str) -> bool:
        if what in self._told or len(self._told) >= MAX_TOLD:
            return False
        self._told.add(what)
        return True
