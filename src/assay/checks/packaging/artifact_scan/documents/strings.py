"""Texts inside JSON documents: chat templates, descriptions, tokens."""

from __future__ import annotations

from typing import Any

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.texts import instructions, templates

SENTENCE = 24  # characters: what is shorter, as most tokens and merges are, gives no orders


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Judge every text that could be a template, and all sentences together."""
    sentences: list[str] = []
    lines: set[int] = set()  # which strings are lines of a template, judged with the others
    for key, value in values(document):
        if key in templates.KEYS and _is_lines(value):
            lines |= {id(line) for line in value}
            templates.judge_template(blob, "\n".join(value), inspection, key)
        elif not isinstance(value, str) or id(value) in lines:
            continue
        elif key in templates.KEYS and ("{{" in value or "{%" in value):
            templates.judge_template(blob, value, inspection, key)
        elif "{{" in value or "{%" in value:
            inspection.text(blob, value)
        elif len(value) >= SENTENCE:
            sentences.append(value)
    if sentences:
        instructions.judge(blob, "\n".join(sentences), inspection)


def _is_lines(value: Any) -> bool:
    """Whether a template is written as a list of its lines, rather than as a list of named templates."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(line, str) for line in value)
