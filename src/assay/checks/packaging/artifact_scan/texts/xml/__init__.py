"""XML: what its declarations fetch, what its elements run, and the graphs of OpenVINO and PMML.

`code` elements and attributes that run something · `openvino` · `pmml`.
"""

from __future__ import annotations

import codecs
import re

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.members import leaves_folder
from assay.checks.packaging.artifact_scan.next_steps import AGAIN, SMALLER
from assay.checks.packaging.artifact_scan.texts.xml.code import judge_element, judge_instruction
from assay.checks.packaging.artifact_scan.texts.xml.collector import Collector
from assay.checks.packaging.artifact_scan.texts.xml.openvino import OpenVino
from assay.checks.packaging.artifact_scan.texts.xml.pmml import Pmml
from assay.core.errors import LimitError
from assay.core.finding import Severity
from assay.subjects.markup import Element, MarkupError, Prolog, read_elements, read_prolog

MAX_GROWTH = 1 << 20  # characters that an entity may come to and still be ordinary
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,200})[\s>/]")
_STARTS = ("<?xml", "<!DOCTYPE", "<!doctype")
# Document types that editors write everywhere, and that every catalogue has.
_KNOWN_PUBLIC = (
    "-//W3C//DTD ",
    "-//OASIS//DTD ",
    "-//freedesktop//DTD ",
    "-//Apple//DTD PLIST ",
    "-//Apple Computer//DTD PLIST ",
)
_UNICODE = frozenset({"utf-8", "utf-16", "utf-32", "ascii", "us-ascii", "utf-16le", "utf-16be", "iso-8859-1"})
_INCLUDE = re.compile(r"(?:^|:)include$")


def is_xml(text: str) -> bool:
    """Whether a text says it is XML, or is one well-formed element from its first to its last character."""
    head = text[:4096].lstrip()
    if head.startswith(_STARTS):
        return not head.lower().startswith("<!doctype html")
    root = _ROOT.match(text, _root_at(text))
    if root is None or not text.rstrip().endswith((f"</{root.group(1)}>", "/>")):
        return False
    try:
        read_elements(text, lambda _: None, lambda _: None)
    except (MarkupError, LimitError):
        return False
    return True


def _root_at(text: str) -> int:
    """Where the first element would begin: behind spaces and comments."""
    at = len(text) - len(text.lstrip())
    while text.startswith("<!--", at):
        end = text.find("-->", at)
        if end < 0:
            break
        at = end + 3
        while text[at : at + 1].isspace():
            at += 1
    return at


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Judge the declarations, then the elements where nothing declared stands in the way."""
    prolog = read_prolog(text)
    harmless = _judge_prolog(blob, prolog, inspection)
    if not _is_readable(prolog.encoding):
        reason = f"it declares the encoding {prolog.encoding[:40]!r}, in which it may read differently"
        inspection.skip(blob, reason, "Save it as UTF-8, and scan it again.")
    if not harmless:
        reason = "its elements were not read, for its declarations are not to be followed"
        inspection.skip(blob, reason, "Remove the document type and its entities, and scan it again.")
        return
    collector = Collector(blob, inspection)
    dialects = (OpenVino(collector), Pmml(collector))

    def element(one: Element) -> None:
        _judge_include(one, collector)
        judge_element(one, collector)
        for dialect in dialects:
            dialect.see(one)

    try:
        read_elements(text, element, lambda one: judge_instruction(one, collector))
    except MarkupError as error:
        inspection.skip(blob, f"the XML cannot be read to its end: {error.cause}", AGAIN)
    except LimitError as error:
        inspection.skip(blob, f"the XML is not followed: {error.cause}", SMALLER)
    for dialect in dialects:
        dialect.conclude()
    collector.report()


def _judge_prolog(blob: Blob, prolog: Prolog, inspection: Inspection) -> bool:
    """Report what is declared; whether the document can be read without following it."""
    external = [entity for entity in prolog.entities if entity.target]
    for entity in external[:10]:
        kind = "parameter entity" if entity.parameter else "entity"
        named = f"the {kind} {entity.name[:60]!r}"
        message = f"A parser that resolves entities would read {entity.target[:100]!r} for {named}."
        severity = Severity.MEDIUM if _lies_beside(entity.target) else None
        inspection.report(rules.markup.ENTITY.finding(message, blob.place(), severity=severity))
    if prolog.system and not prolog.public.startswith(_KNOWN_PUBLIC):
        message = f"A parser that loads document types would fetch {prolog.system[:120]!r}."
        severity = Severity.LOW if _lies_beside(prolog.system) else Severity.MEDIUM
        inspection.report(rules.markup.ENTITY.finding(message, blob.place(), severity=severity))
    if prolog.expansion > MAX_GROWTH:
        message = f"A parser that expands entities would make {prolog.expansion:,} characters of one."
        inspection.report(rules.markup.EXPANSION.finding(message, blob.place()))
    if not prolog.complete:
        inspection.skip(blob, "its document type could not be read to its end", AGAIN)
    parameters = any(entity.parameter for entity in prolog.entities)
    return not external and not parameters and prolog.complete and prolog.expansion <= MAX_GROWTH


def _lies_beside(target: str) -> bool:
    """Whether an identifier names a file in the same folder."""
    return not leaves_folder(target) and ":" not in target and "/" not in target and target != "?"


def _is_readable(encoding: str) -> bool:
    """Whether a declared encoding reads ASCII as we did: ours is found by the bytes."""
    if not encoding or encoding in _UNICODE:
        return True
    try:
        found = codecs.lookup(encoding)
        return (
            found.name not in {"utf-7", "hz"} and "<!DOCTYPE a>&%;".encode(found.name) == b"<!DOCTYPE a>&%;"
        )
    except (LookupError, UnicodeError, TypeError):
        return False


def _judge_include(element: Element, collector: Collector) -> None:
    """XInclude, and schemas that bring others in."""
    if _INCLUDE.search(element.name) and "href" in element.attributes and ":" in element.name:
        prefix = element.name.split(":")[0]
        if prefix not in {"xs", "xsd", "xsl"}:
            _include(f"`<{element.name[:40]}>`", element, collector)
    elif element.name == "include" and "XInclude" in element.attributes.get("xmlns", ""):
        _include("XInclude", element, collector)


def _include(shown: str, element: Element, collector: Collector) -> None:
    target = element.attributes.get("href", "")[:100]
    collector.add(
        rules.markup.ENTITY, f"A reader that follows inclusions would take in {target!r} for {shown}"
    )
