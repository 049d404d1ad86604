"""Texts: what kind they are, and their judges, a module each.

`JUDGES` see every text, whatever file it lies in; programs are seen by `PROGRAM_JUDGES`, and whole files of
one kind by `KIND_JUDGES`.
`python_source` with `python_calls` (what names do) and `python_effects` (how bad that is) · `shell` with
`commands` · `autorun`, `secrets`, `templates`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.texts import (
    autorun,
    programs,
    python_source,
    secrets,
    shell,
    templates,
    unjudged,
)

is_program = programs.is_program
is_prose = programs.is_prose
may_be_empty = programs.may_be_empty
Judge: TypeAlias = Callable[[Blob, str, Inspection], None]
KINDS = frozenset({"json", "text", "python", "script", "program"})
JUDGES: tuple[Judge, ...] = (templates.judge, secrets.judge, autorun.judge)
# Braces of a program are its own syntax, not a template's.
PROGRAM_JUDGES: tuple[Judge, ...] = (secrets.judge, autorun.judge)
KIND_JUDGES: Mapping[str, Judge] = {
    "python": python_source.judge,
    "script": shell.judge,
    "program": unjudged.judge,
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A text: its kind, its characters and, where it is JSON, what it says."""

    kind: str
    text: str
    document: Any = None


def recognise(blob: Blob, most: int) -> Recognised | None:
    """What kind of text a region is, by its first `most` bytes; None where it is no text."""
    if b"\0" in blob.head(4096):
        return None
    text = programs.decode(blob, most)
    if text is None:
        return None
    if unjudged.is_code(blob):
        return Recognised("program", text)
    kind = programs.kind(blob.name, text)
    if kind:
        return Recognised(kind, text)
    try:
        return Recognised("json", text, json.loads(text))
    except (ValueError, RecursionError):
        return Recognised("python" if programs.looks_like_python(blob.name, text) else "text", text)


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Let every judge of texts look."""
    for one in JUDGES:
        one(blob, text, inspection)


def judge_file(blob: Blob, found: Recognised, inspection: Inspection) -> None:
    """Judge a whole file of text: by its kind, and as any text."""
    if found.kind == "json":
        inspection.document(blob, found.document)
        return
    if found.kind == "text":
        inspection.text(blob, found.text)
        return
    for one in PROGRAM_JUDGES:
        one(blob, found.text, inspection)
    if found.kind in KIND_JUDGES:
        KIND_JUDGES[found.kind](blob, found.text, inspection)
