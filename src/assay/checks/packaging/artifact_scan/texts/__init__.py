"""Texts: what kind they are, and their judges, a module each.

`encoding` bytes to characters · `JUDGES` see every text, whatever file it lies in; `KIND_JUDGES` see whole
files of one kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.texts import (
    encoding,
    graphs,
    instructions,
    templates,
    unjudged,
    xml,
    yaml_config,
)

Judge: TypeAlias = Callable[[Blob, str, Inspection], None]
KINDS = frozenset({"json", "text", "program", "lightgbm", "xml", "jinja"})
LIGHTGBM = ("tree\nversion=", "tree\r\nversion=")  # how its text models start: they hold numbers and names
JUDGES: tuple[Judge, ...] = (templates.judge, graphs.judge, yaml_config.judge, instructions.judge)
KIND_JUDGES: Mapping[str, Judge] = {
    "program": unjudged.judge,
    "xml": xml.judge,
    "jinja": templates.judge_template,
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A text: its kind, its characters and, where it is JSON, what it says."""

    kind: str
    text: str
    document: Any = None


def recognise(blob: Blob, most: int) -> Recognised | None:
    """What kind of text a region is, by its first `most` bytes; None where it is no text."""
    text = encoding.decode(blob, most)
    if text is None:
        return None
    if unjudged.is_code(blob):
        return Recognised("program", text)
    if text.startswith(LIGHTGBM):
        return Recognised("lightgbm", text)
    if templates.is_template_file(blob):
        return Recognised("jinja", text)
    if xml.is_xml(text):
        return Recognised("xml", text)
    try:
        return Recognised("json", text, json.loads(text))
    except (ValueError, RecursionError):
        return Recognised("text", text)


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Let every judge of texts look."""
    for one in JUDGES:
        one(blob, text, inspection)


def judge_file(blob: Blob, found: Recognised, inspection: Inspection) -> None:
    """Judge a whole file of text: by its kind, and as any text."""
    if found.kind == "json":
        inspection.document(blob, found.document)
        return
    inspection.text(blob, found.text)
    if found.kind in KIND_JUDGES:
        KIND_JUDGES[found.kind](blob, found.text, inspection)
