"""Texts: what kind they are, and their judges, a module each.

`encoding` bytes to characters · `json_text` characters to documents · `JUDGES` see every text, whatever
file it lies in; programs are seen by `PROGRAM_JUDGES`, and whole files of one kind by `KIND_JUDGES`.
`python_source` with `python_calls` (what names do), `python_effects` (how bad that is), `python_files` and
`python_imports` (the same for files, and for ways to other code) · `shell` with `commands` · `autorun`,
`secrets`, `templates`, `xml` and the rest by their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.late import late
from assay.checks.packaging.artifact_scan.next_steps import SMALLER
from assay.checks.packaging.artifact_scan.texts import encoding, json_text, programs

is_program = programs.is_program
may_be_empty = programs.may_be_empty
Judge: TypeAlias = Callable[[Blob, str, Inspection], None]
PROGRAMS = frozenset({"python", "script", "program"})
KINDS = frozenset({"json", "text", "lightgbm", "torch7-text", "xml", "jinja"}) | PROGRAMS
LIGHTGBM = ("tree\nversion=", "tree\r\nversion=")  # how its text models start: they hold numbers and names
# An object of a class, written as a text: its type, index, and version.
_TORCH7 = re.compile(r"4\r?\n\d+\r?\n3\r?\nV 1\r?\n")
# Braces of a program are its own syntax, not a template's.
PROGRAM_JUDGES: tuple[Judge, ...] = (
    late(__name__, "secrets:judge"),
    late(__name__, "autorun:judge"),
    late(__name__, "git_config:judge"),
)
JUDGES: tuple[Judge, ...] = (
    late(__name__, "templates:judge"),
    late(__name__, "graphs:judge"),
    late(__name__, "yaml_config:judge"),
    late(__name__, "mlmodel:judge"),
    late(__name__, "instructions:judge"),
    late(__name__, "requirements:judge"),
    *PROGRAM_JUDGES,
)
# What goes by a file's name is judged in what is a program by its first line, and in JSON, which is YAML.
NAMED_JUDGES: tuple[Judge, ...] = (
    late(__name__, "yaml_config:judge_named"),
    late(__name__, "mlmodel:judge"),
    late(__name__, "requirements:judge"),
)
KIND_JUDGES: Mapping[str, Judge] = {
    "python": late(__name__, "python_source:judge"),
    "script": late(__name__, "shell:judge"),
    "program": late(__name__, "unjudged:judge"),
    "torch7-text": late(__name__, "unjudged:judge_torch7"),
    "xml": late(__name__, "xml:judge"),
    "jinja": late(__name__, "templates:judge_template"),
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A text: its kind, its characters and, where it is JSON, what it says; or why that is not known."""

    kind: str
    text: str
    document: Any = None
    trouble: str = ""


def recognise(blob: Blob, most: int) -> Recognised | None:
    """What kind of text a region is, by its first `most` bytes; None where it is no text."""
    text = encoding.decode(blob, most, prose=programs.is_prose(blob.name))
    if text is None:
        text = programs.decode_declared(blob, most)
    if text is None:
        return None
    kind = programs.kind(blob.name, text) or _kind(blob, text)
    if kind:
        return Recognised(kind, text)
    try:
        return Recognised("json", text, json_text.parse(blob.name, text))
    except json_text.TooDeepError:
        return Recognised("json", text, trouble="the JSON is nested too deep to be read")
    except ValueError:
        return Recognised("python" if programs.looks_like_python(blob.name, text) else "text", text)


def _kind(blob: Blob, text: str) -> str:
    from assay.checks.packaging.artifact_scan.texts import templates, xml  # noqa: PLC0415  start-up

    if text.startswith(LIGHTGBM):
        return "lightgbm"
    if _TORCH7.match(text) or blob.name.lower().endswith((".t7", ".th7")):
        return "torch7-text"
    if templates.is_template_file(blob):
        return "jinja"
    return "xml" if xml.is_xml(text) else ""


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Let every judge of texts look."""
    for one in JUDGES:
        one(blob, text, inspection)


def judge_file(blob: Blob, found: Recognised, inspection: Inspection) -> None:
    """Judge a whole file of text: by its kind, and as any text."""
    if found.trouble:
        inspection.skip(blob, found.trouble, SMALLER)
        inspection.text(blob, found.text)
        return
    if found.kind == "json":
        inspection.document(blob, found.document)
        for one in NAMED_JUDGES:
            one(blob, found.text, inspection)
        return
    if found.kind in PROGRAMS:
        for one in (*PROGRAM_JUDGES, *NAMED_JUDGES):
            one(blob, found.text, inspection)
    else:
        inspection.text(blob, found.text)
    if found.kind in KIND_JUDGES:
        KIND_JUDGES[found.kind](blob, found.text, inspection)
