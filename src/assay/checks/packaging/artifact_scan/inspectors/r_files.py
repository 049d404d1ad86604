"""R's `rds` and `RData` files: numbers and texts pass; what is code, or runs when it is touched, is told."""

from __future__ import annotations

from collections.abc import Iterator

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import AGAIN
from assay.core.errors import SubjectError
from assay.core.finding import Finding, Severity
from assay.subjects.rdata import RContent, read_rdata

# Functions of base R, utils and methods that run programs, evaluate text, or read and write files.
_DANGEROUS = {
    "system", "system2", "shell", "shell.exec", "eval", "evalq", "parse", "str2lang", "str2expression",
    "source", "sys.source", "do.call", "match.fun", "dyn.load", "library.dynam", "download.file", "url",
    "socketConnection", "unlink", "file.remove", "file.copy", "file.rename", "writeLines", "writeBin",
    "readRDS", "unserialize", "load", "attach", "Sys.setenv", "install.packages", "loadNamespace",
    "requireNamespace", "library", "require",
    "assignInNamespace", "delayedAssign", "makeActiveBinding", "reg.finalizer", "setHook",
    "addTaskCallback", "pipe", "fifo",
}  # fmt: skip
_PARTS = {"closure": "function", "bytecode": "block of byte code", "language": "expression"}
_NAMED_ONLY = {"system", "system2", "shell.exec", "download.file", "dyn.load", "install.packages"}
_OWN_CLASSES = ("base::compact_", "base::deferred_string", "base::wrap_")
_QUIET = {
    "environment": "environments", "external pointer": "external pointers", "dots": "arguments of a call",
    "weak reference": "weak references", "forced promise": "promises that have run",
    "persistent name": "names that a hook of the reader's looks up", "builtin": "built-in functions",
}  # fmt: skip


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Read the structure, and report what in it is more than data."""
    try:
        content = read_rdata(blob.data, blob.start, blob.end)
    except SubjectError as error:
        inspection.skip(blob, f"the R file cannot be read: {error.cause}", AGAIN)
        return
    for finding in _findings(blob, content):
        inspection.report(finding)
    if content.unread:
        inspection.skip(blob, f"the R file was not read to its end: {content.unread}", AGAIN)
    elif content.end < blob.end:
        size = blob.end - content.end
        message = f"{size:,} bytes follow the end of the R value."
        inspection.report(rules.files.TRAILING.finding(message, blob.place()))
        inspection.examine(blob.member_at("(after the value)", content.end, size))


def _findings(blob: Blob, content: RContent) -> Iterator[Finding]:
    kinds, place = content.kinds, blob.place()
    called = sorted(content.called & _DANGEROUS | content.mentioned & _NAMED_ONLY)
    names = f"; it calls {', '.join(called)[:150]}" if called and kinds["language"] else ""
    if kinds["promise"]:
        message = f"Touching the value would run {_counted(kinds['promise'], 'promise')}{names}."
        yield rules.classical.R_PROMISE.finding(message, place)
    if kinds["active binding"]:
        bindings = _counted(kinds["active binding"], "active binding")
        message = f"Reading the value would run the function of {bindings}{names}."
        yield rules.classical.R_PROMISE.finding(message, place)
    yield from _code(blob, content, names)
    quiet = [text for kind, text in _QUIET.items() if kinds[kind]]
    if quiet:
        message = f"Reading it would make more than data: {', '.join(quiet)}."
        yield rules.classical.R_CODE.finding(message, place, severity=Severity.LOW)


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def _code(blob: Blob, content: RContent, names: str) -> Iterator[Finding]:
    code = {kind: content.kinds[kind] for kind in ("closure", "bytecode", "language") if content.kinds[kind]}
    if code:
        parts = ", ".join(_counted(count, _PARTS[kind]) for kind, count in code.items())
        inert = Severity.LOW if set(code) == {"language"} else None
        severity = Severity.HIGH if names else inert
        message = f"Calling or evaluating what is in the value would run its code: {parts}{names}."
        yield rules.classical.R_CODE.finding(message, blob.place(), severity=severity)
    foreign = sorted(name for name in content.classes if not name.startswith(_OWN_CLASSES))
    if foreign:
        message = (
            f"Reading it would hand data to native code of the ALTREP classes {', '.join(foreign)[:150]}."
        )
        yield rules.classical.R_CODE.finding(message, blob.place())
