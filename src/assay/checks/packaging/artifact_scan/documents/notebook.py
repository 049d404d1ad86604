"""Jupyter notebooks: their cells as Python and shell, and what their outputs would run in a browser.

A notebook runs nothing when a model is loaded, so what its cells do counts less than in a module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import REVIEW, SMALLER
from assay.checks.packaging.artifact_scan.rules import code
from assay.checks.packaging.artifact_scan.texts import commands, python_source, shell
from assay.checks.packaging.artifact_scan.texts.python_calls import VOCABULARY
from assay.checks.packaging.artifact_scan.texts.python_effect import Effect
from assay.checks.packaging.artifact_scan.texts.python_effects import effect
from assay.core.errors import LimitError, SubjectError
from assay.core.finding import Severity
from assay.subjects.python_source import parsing, read

MAX_CELLS = 10_000
_SHELL_CELL = re.compile(r"^%%(?:bash|sh|script|system|sx|!)\b[^\n]*\n?|^%%!\n?")
_OTHER_CELL = re.compile(
    r"^%%(?:writefile|html|HTML|javascript|js|latex|markdown|svg|perl|ruby|R|cython|sql)\b"
)
_CELL_MAGIC = re.compile(r"^%%[^\n]*\n?")
_SHELL_LINE = re.compile(r"^(\s*)(?:[\w, ]+=\s*)?(?:!!?|%(?:system|sx)\s+|%(?=pip\b|conda\b))\s*(.*)$")
_MAGIC_LINE = re.compile(
    r"^(\s*)(?:[\w, ]+=\s*)?%[a-zA-Z]\w*.*$|^(\s*)\?{1,2}\S+\s*$|^(\s*)[\w.]+\?{1,2}\s*$"
)
_SCRIPT = re.compile(r"<script\b|\bon(?:error|load|click|mouseover)\s*=|javascript:", re.IGNORECASE)
_CONTROLS = re.compile(
    r"kernel\.execute\s*\(|\.notebook\.kernel|/api/(?:kernels|terminals|contents)|document\.cookie|eval\s*\(\s*atob",
    re.IGNORECASE,
)
_ACTIVE = ("text/html", "image/svg+xml", "application/javascript", "text/javascript")
# What hides or steals has no ordinary use in a notebook; all else has.
_GRAVE = frozenset({code.OBFUSCATED.id, code.EXFILTRATE.id})


@dataclass(frozen=True, slots=True)
class _Cell:
    number: int
    python: str
    shell: str


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Judge a document that is a notebook."""
    cells = _cells(document)
    if cells is None:
        return
    if len(cells) > MAX_CELLS:
        inspection.skip(blob, f"the notebook has more than {MAX_CELLS:,} cells", SMALLER)
    spoken = _language(document)
    split = [_split(number, cell, spoken) for number, cell in enumerate(cells[:MAX_CELLS], 1)]
    if spoken not in {"python", "bash"}:
        inspection.skip(blob, f"cells in {spoken[:40]} are not judged", REVIEW)
    _shell(blob, split, inspection)
    _python(blob, [cell for cell in split if cell.python.strip()], inspection)
    _outputs(blob, cells, inspection)


def _cells(document: Any) -> list[dict[str, Any]] | None:
    """The cells of a notebook of format 3 or 4; None for any other document."""
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        return None
    sheets = document.get("worksheets")
    if isinstance(sheets, list):
        found = [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or ()]
    else:
        found = document.get("cells")  # type: ignore[assignment]
    return [cell for cell in found if isinstance(cell, dict)] if isinstance(found, list) else None


def _language(document: dict[str, Any]) -> str:
    metadata = document.get("metadata")
    for part, key in (
        (("kernelspec", "language"), ("language_info", "name")) if isinstance(metadata, dict) else ()
    ):
        section = metadata.get(part)  # type: ignore[union-attr]
        if isinstance(section, dict) and isinstance(section.get(key), str) and section[key]:
            return str(section[key]).lower().removeprefix("i")
    return "python"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _split(number: int, cell: dict[str, Any], spoken: str) -> _Cell:
    """A cell's Python and its shell; lines stay where they are."""
    text = _text(cell.get("source", cell.get("input"))) if cell.get("cell_type") == "code" else ""
    if spoken != "python":
        return _Cell(number, "", text)
    if _SHELL_CELL.match(text):
        return _Cell(number, "", _SHELL_CELL.sub("\n", text))
    if _OTHER_CELL.match(text):
        return _Cell(number, "", "")
    python, lines = [], []
    for line in _CELL_MAGIC.sub("\n", text).split("\n"):
        called = _SHELL_LINE.match(line)
        magic = called or _MAGIC_LINE.match(line)
        indent = next((group for group in magic.groups() if group is not None), "") if magic else ""
        python.append(f"{indent}pass" if magic else line)
        lines.append(called[2] if called else "")
    return _Cell(number, "\n".join(python), "\n".join(lines))


def _shell(blob: Blob, cells: list[_Cell], inspection: Inspection) -> None:
    found = ((cell, command) for cell in cells for command in commands.find(cell.shell, "unix"))
    for number, (cell, command) in enumerate(found):
        if number >= shell.MAX_FINDINGS:
            break
        severity = Severity.MEDIUM if command.severity.at_least(Severity.HIGH) else Severity.LOW
        inspection.report(shell.finding(blob, command, severity, f"cell {cell.number}"))


def _python(blob: Blob, cells: list[_Cell], inspection: Inspection) -> None:
    """All cells as one source, for names live on from cell to cell."""
    starts: list[tuple[int, int]] = []
    text, line = [], 1
    for cell in cells:
        try:
            parsing.parse(cell.python)
        except (LimitError, SubjectError) as error:
            inspection.skip(blob, f"cell {cell.number}: {error.cause}", REVIEW)
            continue
        starts.append((line, cell.number))
        text.append(cell.python)
        line += cell.python.count("\n") + 1
    try:
        reading = read("\n".join(text), VOCABULARY, main=True)
    except (LimitError, SubjectError) as error:
        inspection.skip(blob, f"the cells together: {error.cause}", REVIEW)
        return
    if not reading.complete:
        inspection.skip(blob, "its cells do too much to be followed to their end", REVIEW)
    found = [(event, lessened) for event in reading.events if (lessened := _lessened(effect(event)))]
    for event, judged in python_source.worst(found):
        start, cell_number = max(one for one in starts if one[0] <= event.line)
        place = (f"cell {cell_number}", event.line - start + 1)
        inspection.report(python_source.finding(blob, event, judged, *place))


def _lessened(judged: Effect | None) -> Effect | None:
    if judged is None or judged.severity is Severity.LOW:
        return None
    return Effect(judged.rule, Severity.MEDIUM if judged.rule.id in _GRAVE else Severity.LOW)


def _outputs(blob: Blob, cells: list[dict[str, Any]], inspection: Inspection) -> None:
    for number, cell in enumerate(cells[:MAX_CELLS], 1):
        for what, text in _shown(cell):
            controls = _CONTROLS.search(text)
            if not controls and "javascript" not in what and not _SCRIPT.search(text):
                continue
            does = f"reaches for {controls.group()[:40]!r}" if controls else "holds a script"
            place, severity = blob.at_line(1, f"cell {number}"), Severity.MEDIUM if controls else Severity.LOW
            finding = code.ACTIVE_OUTPUT.finding(f"Its {what} {does}.", place, severity=severity)
            inspection.report(finding)
            break


def _shown(cell: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a cell shows that a browser may run: MIME type and text."""
    for key, value in values([cell.get("outputs"), cell.get("attachments")]):
        if key in _ACTIVE and isinstance(value, str):
            yield key, value
    if cell.get("cell_type") == "markdown":
        yield "markdown", _text(cell.get("source"))
