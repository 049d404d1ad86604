"""Python beside the weights: what it does when it is imported, used, or called."""

from __future__ import annotations

import re
import unicodedata

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import REVIEW
from assay.checks.packaging.artifact_scan.rules import code
from assay.checks.packaging.artifact_scan.siblings import MAX_CALLS
from assay.checks.packaging.artifact_scan.texts import secrets
from assay.checks.packaging.artifact_scan.texts.python_calls import VOCABULARY, through
from assay.checks.packaging.artifact_scan.texts.python_effect import Effect
from assay.checks.packaging.artifact_scan.texts.python_effects import effect
from assay.core.errors import LimitError, SubjectError
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Severity
from assay.guard.unicode import hidden_spans
from assay.subjects.python_source import Event, Time, Value, alternatives, cookie, is_plain, read

MAX_FINDINGS = 25  # in one file: the worst of them
_QUOTED = 100  # characters
_WHEN = {
    Time.IMPORT: "runs when the file is imported",
    Time.USE: "runs when an object of the class is made or called",
    Time.DEFINED: "runs when its function is called",
}
# Run by Python when it starts, whatever it was started for.
_AT_START = ("sitecustomize.py", "usercustomize.py")
# Run by who builds or tests a package, and by nobody who loads a model.
_PROGRAMS = ("setup.py", "conftest.py", "noxfile.py", "fabfile.py", "tasks.py")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_TEXT = re.compile(r"#[^\n]*|\"[^\"\n]*\"|'[^'\n]*'")
# Names that a reader must recognise: an identifier that folds to one of them hides it.
_TELLING = frozenset({
    "exec", "eval", "compile", "open", "getattr", "setattr", "globals", "import", "os", "sys", "system",
    "popen",
    "subprocess", "socket", "builtins", "importlib", "base64", "marshal", "pickle", "loads", "ctypes", "run",
    "call", "Popen", "urlopen", "requests", "post", "get", "input", "vars", "__import__", "__builtins__",
})  # fmt: skip


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Judge a whole source."""
    name = blob.name.rsplit("/", 1)[-1].lower()
    if name in _AT_START:
        message = f"Python runs {name} whenever it starts with this folder on its path."
        inspection.report(code.AUTORUN.finding(message, blob.place(), severity=Severity.HIGH))
    _disguises(blob, text, inspection)
    try:
        reading = read(text, VOCABULARY, main=name == "setup.py")
    except (LimitError, SubjectError) as error:
        inspection.skip(blob, f"Python source: {error.cause}", REVIEW)
        return
    if not reading.complete:
        inspection.skip(blob, "Python source: it does too much to be followed to its end", REVIEW)
    called = [event.name for event in reading.events if event.kind == "call" and event.time is Time.IMPORT]
    inspection.outcome.imported += [(blob.name, one) for one in called if _may_be_own(one)][:MAX_CALLS]
    program = name in _PROGRAMS
    found = [(event, judged) for event in reading.events if (judged := effect(event, program=program))]
    for event, judged in worst(found):
        inspection.report(finding(blob, event, judged))


def _may_be_own(name: str) -> bool:
    return "." in name and "()" not in name and not name.startswith(("builtins.", "?"))


def worst(found: list[tuple[Event, Effect]]) -> list[tuple[Event, Effect]]:
    """The worst of what was found, in the order of its lines."""
    ranked = sorted(found, key=lambda pair: -pair[1].severity.rank)[:MAX_FINDINGS]
    return sorted(ranked, key=lambda pair: pair[0].line)


def finding(blob: Blob, event: Event, judged: Effect, name: str = "", line: int | None = None) -> Finding:
    """The finding that says what an event would do, and when."""
    message = f"{_when(event)} {_what(event)}."
    place = blob.at_line(line or event.line, name)
    data = {"call": event.name, "time": event.time.name.lower(), "function": event.function}
    explanation = Explanation(_called(event), (Step(f"line {place.line}: {_WHEN[event.time]}"),))
    return judged.rule.finding(message, place, severity=judged.severity, data=data, explanation=explanation)


def _called(event: Event) -> str:
    """The call as the source, with its names resolved, would make it."""
    name = through(event.name).removeprefix("builtins.")[-80:]
    if event.kind == "call":
        return f"{name}({', '.join(quoted(value) for value in event.args[:4])})"
    return f"{name} = ..." if event.kind == "assign" else name


def _when(event: Event) -> str:
    shown = event.function.replace("'", "")[-80:]
    if event.time is Time.IMPORT:
        return "Importing it would"
    if event.time is Time.USE:
        return f"Making or calling its object ({shown}) would"
    return "Running it as a program would" if shown == "__main__" else f"Calling {shown or 'its code'} would"


def _what(event: Event) -> str:
    given = ", ".join(filter(None, (quoted(value) for value in event.args[:4])))
    inside = " (in text that it executes)" if event.nested else ""
    name = through(event.name).removeprefix("builtins.")[-80:]
    if event.kind == "assign":
        return f"replace {name}{inside}"
    if event.kind == "reference":
        return f"hand on {name} to be called{inside}"
    if name.endswith(".?"):
        return f"call a computed attribute of {name[:-2]}{inside}"
    return f"call {name}({given}){inside}"


def quoted(value: Value) -> str:
    """An argument as a finding shows it, or as it may be instead: short, printable and without secrets."""
    others = [repr(secrets.mask(text[:60])) for text in alternatives(value)[:2]]
    return " or ".join([_quoted(value), *others]) if value.text or value.items else _quoted(value)


def _quoted(value: Value) -> str:
    if value.items is not None and value.items:
        return "[" + ", ".join(quoted(item) for item in value.items[:6])[:_QUOTED] + "]"
    if value.shape and value.constant is None:
        return repr(secrets.mask(value.shape[:_QUOTED]))
    if value.constant is not None:
        text = value.constant[:400] if isinstance(value.constant, str | bytes) else value.constant
        shown = repr(secrets.mask(text) if isinstance(text, str) else text)
        return shown if len(shown) <= _QUOTED else shown[: _QUOTED - 1] + "…"
    if "decoded" in value.marks:
        return "decoded text"
    return "what came over the network" if "network" in value.marks else "…"


def _disguises(blob: Blob, text: str, inspection: Inspection) -> None:
    declared = cookie(blob.head(1_000))
    if not is_plain(declared):
        message = (
            f"It declares the encoding {declared[:40]!r}, in which Python reads other code than is shown."
        )
        inspection.report(code.OBFUSCATED.finding(message, blob.place()))
    if text.isascii():
        return
    for span in hidden_spans(text):
        if span.kind in {"bidi", "tag"}:
            line = text.count("\n", 0, span.start) + 1
            message = f"Hidden {span.kind} characters: the line is not what it looks like (CVE-2021-42574)."
            inspection.report(code.OBFUSCATED.finding(message, blob.at_line(line)))
            break
    _look_alikes(blob, text, inspection)


def _look_alikes(blob: Blob, text: str, inspection: Inspection) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if line.isascii() or unicodedata.is_normalized("NFKC", line):
            continue
        for match in _IDENTIFIER.finditer(_TEXT.sub("", line[:2_000])):
            folded = unicodedata.normalize("NFKC", match.group())
            if folded in _TELLING and not match.group().isascii():
                shown = ascii(match.group())[:80]
                message = f"{shown} is an identifier that Python reads as {folded!r} (PEP 3131)."
                inspection.report(code.OBFUSCATED.finding(message, blob.at_line(number)))
                return
