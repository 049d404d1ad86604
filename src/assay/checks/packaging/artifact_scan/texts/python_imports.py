"""Python source that lets other code in: folders of modules, and flags that trust a repository."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.checks.packaging.artifact_scan.rules import code
from assay.checks.packaging.artifact_scan.texts.python_effect import Effect
from assay.core.finding import Severity
from assay.subjects.python_source import Event, Time, Value

# Absolute, or in the home of whoever imports it; a relative folder is most often the source's own.
_ELSEWHERE = re.compile(r"^(?:/|~|[A-Za-z]:[\\/]|\\\\)")
_TRUSTS = "trust_remote_code"
_PATHS = frozenset({"sys.path", "sys.path[]"})


def folder(event: Event, what: str) -> Effect | None:  # noqa: ARG001  the table's shape
    """Adding folders that modules are imported from."""
    return _added(event, (*event.args, *event.keywords.values()))


def assigned(event: Event) -> Effect | None:
    """Replacing the folders that modules are imported from, or trusting repositories by a variable."""
    if event.name in _PATHS:
        return _added(event, event.args[:1])
    if event.name == "os.environ[]" and len(event.args) > 1 and _on(event.args[0]):
        return _trusted(event) if _TRUSTS.upper() in event.args[1].text.upper() else None
    return None


def trusting(event: Event) -> Effect | None:
    """A call that is told to run whatever code a repository brings."""
    flag = event.keywords.get(_TRUSTS)
    return _trusted(event) if flag is not None and _on(flag) and event.kind == "call" else None


def _on(flag: Value) -> bool:
    return flag.constant not in (None, 0, "", "0", "false", "False")


def _trusted(event: Event) -> Effect:
    return Effect(code.EXECUTE, Severity.LOW if event.time is Time.DEFINED else Severity.MEDIUM)


def _added(event: Event, values: tuple[Value, ...]) -> Effect | None:
    if not any(_ELSEWHERE.match(one.text) for value in values for one in _folders(value)):
        return None
    return Effect(code.PATCH, Severity.MEDIUM if event.time is Time.IMPORT else Severity.LOW)


def _folders(value: Value) -> Iterator[Value]:
    yield value
    yield from value.items or (one for _, one in value.table or ())
