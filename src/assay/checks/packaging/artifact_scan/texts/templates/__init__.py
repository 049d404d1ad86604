"""Jinja templates: what rendering one would reach, cost and say. None is ever rendered.

`values` what an expression may come to · `operations`, `calls`, `folding` working it out · `assignments` what
names stand for · `tree` walking a template · `names`, `gadgets` ways into Python · `bombs` what it
costs · `instructions` what it says behind the user's back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import REVIEW
from assay.checks.packaging.artifact_scan.texts import hidden
from assay.checks.packaging.artifact_scan.texts.templates.assignments import assignments
from assay.checks.packaging.artifact_scan.texts.templates.bombs import ROUNDS, bombs, doubled, rounds
from assay.checks.packaging.artifact_scan.texts.templates.folding import Folder
from assay.checks.packaging.artifact_scan.texts.templates.gadgets import Gadget, gadgets
from assay.checks.packaging.artifact_scan.texts.templates.instructions import hints
from assay.checks.packaging.artifact_scan.texts.templates.names import INTERNALS
from assay.checks.packaging.artifact_scan.texts.templates.tree import expressions, visit
from assay.core.errors import LimitError
from assay.core.explanation import Explanation, Step
from assay.core.finding import Rule, Severity
from assay.subjects.jinja import Block, Broken, Item, Template, parse

MAX_EXPRESSION = 400  # characters that an explanation shows
MAX_STEPS = 8
FILES = (".jinja", ".jinja2", ".j2")
KEYS = ("chat_template", "chat_templates")
_DOCUMENTS = (".md", ".markdown", ".rst", ".html", ".htm", ".ipynb", ".bib", ".tex")
_PROGRAMS = (".py", ".pyi", ".js", ".ts", ".c", ".cc", ".cpp", ".h", ".hpp", ".go", ".rs", ".java", ".ipynb")
_LOST = re.compile(r"\b(?:popen|subprocess)\b|__(?:import|class|globals|subclasses|builtins|mro|base)__")
_LINKING = frozenset({"include", "import", "from", "extends"})


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Judge whatever templates stand in a text, which need not be one."""
    if ("{{" not in text and "{%" not in text) or blob.name.lower().endswith((*_PROGRAMS, *FILES)):
        return  # programs have judges of their own, and template files are judged whole
    document = blob.name.lower().endswith(_DOCUMENTS)
    try:
        template = _parse_escaped(text)
    except LimitError as error:
        inspection.skip(blob, f"its templates are not followed: {error.cause}", REVIEW)
        return
    folder = assignments(template.items)
    _report(blob, text, template, folder, inspection, limit=Severity.LOW if document else None)
    if template.whole and "{%" in text and not document:
        _report_hints(blob, template, folder, inspection, "")


def judge_template(blob: Blob, text: str, inspection: Inspection, where: str = "") -> None:
    """Judge a text that is rendered as a template; `where`: the key it stands under."""
    try:
        template = parse(text)
    except LimitError as error:
        inspection.skip(blob, f"the template is not followed: {error.cause}", REVIEW)
        return
    if not template.whole:
        reason = f"the template{f' in {where}' if where else ''} is not Jinja that can be read"
        inspection.skip(blob, reason, REVIEW)
    folder = assignments(template.items)
    _report(blob, text, template, folder, inspection, where=where)
    _report_hints(blob, template, folder, inspection, where)
    hidden.judge_characters(blob, text, inspection, rules.repository.TEMPLATE_HIDDEN, Severity.HIGH)


def is_template_file(blob: Blob) -> bool:
    """Whether a file is rendered as a template, by its name."""
    return PurePosixPath(blob.name.lower()).name.endswith(FILES)


def _parse_escaped(text: str) -> Template:
    """Parse a text in which templates may stand inside quoted strings, as in YAML or JSON lines."""
    template = parse(text)
    if template.whole or "\\" not in text:
        return template
    plain = parse(_unescaped(text))
    if plain.whole:
        return plain
    items: list[Item] = []
    for item in template.items:
        inner = isinstance(item, Broken) and "\\" in item.text
        items += parse(_unescaped(item.text)).items if inner and isinstance(item, Broken) else [item]
    return Template(tuple(items), whole=False)


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def _report(
    blob: Blob,
    text: str,
    template: Template,
    folder: Folder,
    inspection: Inspection,
    *,
    where: str = "",
    limit: Severity | None = None,
) -> None:
    found = sorted(_gadgets(template, folder), key=lambda one: -one.severity.rank)
    inside = f" in {where}" if where else ""
    if found:
        worst = found[0]
        message = f"A template{inside} {worst.does}: {_quote(text, worst.at)!r}."
        _found(
            blob,
            rules.repository.TEMPLATE,
            message,
            inspection,
            limit or worst.severity,
            [one.does for one in found],
            Explanation(_expression(text, worst.at), tuple(_steps(text, found))),
        )
    costs = list(_costs(template, folder))
    if costs:
        message = f"Rendering the template{inside} would make {costs[0][0]}: {_quote(text, costs[0][1])!r}."
        _found(blob, rules.repository.TEMPLATE_BOMB, message, inspection, limit, [one[0] for one in costs])
    for one in visit(template.items):
        if isinstance(one.item, Block) and one.item.keyword in _LINKING:
            message = f"A template{inside} takes in another file: {_quote(text, one.item.at)!r}."
            # Pages of web programs are made of parts; a template of a chat is not.
            severity = None if where or is_template_file(blob) else Severity.LOW
            _found(blob, rules.repository.TEMPLATE_INCLUDE, message, inspection, limit or severity, [])
            break
    if folder.cut:
        inspection.skip(blob, f"the template{inside} assigns more than is followed", REVIEW)


def _found(
    blob: Blob,
    rule: Rule,
    message: str,
    inspection: Inspection,
    severity: Severity | None,
    all_of: list[str],
    explanation: Explanation | None = None,
) -> None:
    data = {"all": list(dict.fromkeys(all_of))[:10]}
    inspection.report(
        rule.finding(message, blob.place(), severity=severity, data=data, explanation=explanation)
    )


def _expression(text: str, at: int) -> str:
    """The whole expression or statement around a place, cut where it is long."""
    start = max(text.rfind("{{", 0, at + 1), text.rfind("{%", 0, at + 1), at - MAX_EXPRESSION, 0)
    ends = [end for mark in ("}}", "%}") if (end := text.find(mark, at)) >= 0]
    end = min(ends, default=len(text)) + 2
    shown = " ".join(text[start : min(end, start + MAX_EXPRESSION)].split())
    return f"{shown}..." if end - start > MAX_EXPRESSION else shown


def _steps(text: str, found: list[Gadget]) -> Iterator[Step]:
    told = {one.does: text.count("\n", 0, one.at) + 1 for one in reversed(found[:MAX_STEPS])}
    for does, line in sorted(told.items(), key=lambda pair: pair[1]):
        yield Step(f"line {line} of the template {does}")


def _gadgets(template: Template, folder: Folder) -> Iterator[Gadget]:
    for one in visit(template.items):
        for node in expressions(one.item):
            yield from gadgets(node, folder)
        if isinstance(one.item, Broken):
            lost = _LOST.search(one.item.text)
            if lost:
                yield Gadget(
                    Severity.HIGH, f"has a block that cannot be read and names {lost.group()!r}", one.item.at
                )
    if folder.gave_up:
        yield Gadget(Severity.HIGH, "nests an expression deeper than can be followed", 0)
    for name, held in folder.known.items():
        for value in held.strings:
            if value.startswith("__") and value in INTERNALS:
                yield Gadget(Severity.HIGH, f"puts the name {value!r} together in `{name}`", 0)


def _costs(template: Template, folder: Folder) -> Iterator[tuple[str, int]]:
    for one in visit(template.items):
        for node in expressions(one.item):
            yield from bombs(node, folder)
        if isinstance(one.item, Block) and one.item.keyword == "for":
            total = 1
            for loop in (*one.loops, one.item):
                total *= rounds(loop.branches[0].expressions[0], folder)
            if total > ROUNDS and one.loops:
                yield "loops within loops run more than a million times", one.item.at
        if isinstance(one.item, Block) and one.loops and doubled(one.item):
            yield "a string grow twice as long in every round of a loop", one.item.at


def _report_hints(blob: Blob, template: Template, folder: Folder, inspection: Inspection, where: str) -> None:
    found = sorted(hints(template.items, folder), key=lambda one: -one.severity.rank)
    if found:
        message = f"A template{f' in {where}' if where else ''} {found[0].what}."
        rule = rules.repository.TEMPLATE_HIDDEN
        _found(blob, rule, message, inspection, found[0].severity, [one.what for one in found])


def _quote(text: str, at: int) -> str:
    start = max(text.rfind("{{", 0, at + 1), text.rfind("{%", 0, at + 1), at - 60, 0)
    return " ".join(text[start : start + 110].split())
