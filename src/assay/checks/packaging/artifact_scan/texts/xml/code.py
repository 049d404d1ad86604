"""Elements and attributes that run something in one reader or another of XML."""

from __future__ import annotations

import re

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.texts.xml.collector import Collector
from assay.core.finding import Severity
from assay.subjects.markup import Element, Instruction

_LIBRARY = re.compile(r"\.(?:so(?:\.\d+)*|dll|dylib)$", re.IGNORECASE)
_LOOKUP = re.compile(r"\$\{(?:[^{}]*:)?(?:jndi|env|script|sys)\b", re.IGNORECASE)
_HANDLER = re.compile(r"on[a-z]{3,20}")
_SCRIPTS = frozenset({"script", "scriptlet", "groovy", "javascript", "vbscript"})
# How bad a script is by the root element: ordinary in a page, medium in an image that a page may show.
_SCRIPTED: dict[str, Severity | None] = {
    "svg": Severity.MEDIUM,
    **dict.fromkeys(("html", "head", "body", "div", "script", "template"), None),
}
# Classes whose making is known to run commands or load code, as object graphs name them.
_DANGEROUS = re.compile(
    r"\b(?:java\.lang\.(?:Runtime|ProcessBuilder|System|ClassLoader|reflect)|java\.net\.URLClassLoader"
    r"|javax\.(?:script|naming)|com\.sun\.(?:rowset|org\.apache)|java\.rmi|sun\.misc"
    r"|System\.Diagnostics\.Process|ObjectDataProvider|System\.Windows\.Data|org\.springframework)",
)
_CALLS = re.compile(r"\b(?:Runtime\.getRuntime|ProcessBuilder|__import__\s*\(|os\.system\s*\(|subprocess\.)")
_DECODER = "java.beans.XMLDecoder"


def judge_instruction(instruction: Instruction, collector: Collector) -> None:
    """Style sheets that a reader fetches, and code in processing instructions."""
    if instruction.target.lower() == "xml-stylesheet":
        plain = "text/css" in instruction.data
        message = f"A reader that styles it would fetch and apply {instruction.data[:120]!r}"
        collector.add(rules.markup.CODE, message, Severity.LOW if plain else Severity.MEDIUM)
    elif instruction.target.lower() in {"php", "python", "jsp", "import"}:
        collector.add(
            rules.markup.CODE, f"A reader of `{instruction.target}` instructions would run the code in one"
        )


def judge_element(element: Element, collector: Collector) -> None:
    """Scripts, classes to be made, native libraries and look-ups."""
    local = element.name.rsplit(":", 1)[-1].lower()
    shown = f"`<{element.name[:60]}>`"
    scripted = _SCRIPTED.get(element.root.rsplit(":", 1)[-1].lower(), Severity.HIGH)
    if local in _SCRIPTS and scripted:
        script = element.text.strip()[:80]
        message = f"A browser, or what else runs scripts, would run the one in {shown}: {script!r}"
        collector.add(rules.markup.CODE, message, scripted)
    if element.name == "java" and element.attributes.get("class") == _DECODER:
        collector.add(
            rules.markup.CODE,
            f"{_DECODER} would run the document, which is a program for it",
            Severity.CRITICAL,
        )
    if _DANGEROUS.search(element.name):
        collector.add(
            rules.markup.CODE,
            f"A reader that makes objects would make one for {shown}, whose class runs code",
            Severity.CRITICAL,
        )
    for name, value in element.attributes.items():
        _judge_value(f"{shown} attribute {name[:40]!r}", value, collector, library=True)
        if scripted and _HANDLER.fullmatch(name) and "(" in value:
            collector.add(
                rules.markup.CODE,
                f"A browser would run {value[:80]!r} upon {name[2:]!r} at {shown}",
                scripted,
            )
    if element.text and not element.text.isspace():
        _judge_value(shown, element.text, collector, library=False)


def _judge_value(where: str, value: str, collector: Collector, *, library: bool) -> None:
    dangerous = _DANGEROUS.search(value) or _CALLS.search(value)
    if dangerous:
        collector.add(
            rules.markup.CODE,
            f"A reader that makes what {where} names would run code: {dangerous.group()[:60]!r}",
        )
    lookup = _LOOKUP.search(value)
    if lookup:
        collector.add(
            rules.markup.CODE,
            f"A reader that resolves look-ups would follow {value[lookup.start() :][:80]!r} in {where}",
        )
    if library and "*" not in value and _LIBRARY.search(value):
        collector.add(
            rules.markup.CODE,
            f"A reader that loads what {where} names would load the native library {value[-80:]!r}",
        )
