"""Which files Python source opens, reads and changes: those of users' keys, those outside of its folder."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.checks.packaging.artifact_scan.rules import code
from assay.checks.packaging.artifact_scan.texts.python_effect import Effect
from assay.core.finding import Severity
from assay.subjects.python_source import Event, Time, Value, alternatives

_PRIVATE = re.compile(
    r"\.ssh\b|\.aws\b|\.netrc|\.bashrc|\.bash_profile|\.zshrc|\.profile|authorized_keys|\.git-credentials"
    r"|\.kube\b|\.gnupg|\.npmrc|\.pypirc|/etc/(?:passwd|shadow|cron|sudoers|ld\.so)|crontab"
    r"|huggingface/(?:stored_)?tokens?\b|Login Data|wallet\.dat|site-packages|sitecustomize"
    r"|\bid_(?:rsa|ed25519|ecdsa)\b|\.docker/config\.json|\.config/(?:gcloud|gh/hosts)|\.azure/|\.pgpass"
    r"|/proc/[^/]+/environ"
)
_OUTSIDE = re.compile(r"^(?:/|~|[A-Za-z]:[\\/]|\\\\|\.\.)")
# Flags of `os.open` with which a file can be changed.
_CHANGES = frozenset(f"os.{flag}" for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND", "O_TRUNC"))
_TEMPORARY = "/tmp/\u2026"  # noqa: S108  what `tempfile` gives
_OF_PATH = "pathlib.Path()."
_KEYS = ("file", "path", "filename", "name", "src", "dst", "target")


def outside(value: Value) -> bool:
    """Whether a path leads out of the folder that the source is in, and is not one made to be thrown away."""
    return bool(_OUTSIDE.match(value.text)) and not value.text.startswith(_TEMPORARY)


def opened(event: Event, what: str) -> Effect | None:  # noqa: ARG001  the table's shape
    """Opening a file."""
    private = _private(event)
    if private or event.time is not Time.IMPORT or not _writes(event):
        return private
    path = next(iter(_paths(event)), Value())
    return Effect(code.WRITE, Severity.HIGH if outside(path) else Severity.MEDIUM)


def _writes(event: Event) -> bool:
    mode = event.args[1] if len(event.args) > 1 else event.keywords.get("mode", Value())
    if event.name == "os.open":
        flags = event.args[1] if len(event.args) > 1 else event.keywords.get("flags", Value())
        return bool(flags.names & _CHANGES)
    return isinstance(mode.constant, str) and bool(set(mode.constant) & set("wax+"))


def written(event: Event, what: str) -> Effect | None:  # noqa: ARG001  the table's shape
    """Writing, moving or removing a file."""
    private = _private(event)
    if private or event.time is not Time.IMPORT:
        return private
    if event.name.endswith("rmtree") or (_places(event) and any(map(outside, _paths(event)))):
        return Effect(code.WRITE, Severity.HIGH)
    return Effect(code.WRITE, Severity.MEDIUM)


def _places(event: Event) -> bool:
    """Whether it puts something where a path says, and does not only take it away."""
    return event.name.startswith((_OF_PATH, "shutil.", "os.rename", "os.replace", "os.symlink", "os.link"))


def read(event: Event, what: str) -> Effect | None:  # noqa: ARG001  the table's shape
    """Reading a file or a folder."""
    return _private(event)


def _private(event: Event) -> Effect | None:
    texts = [text for path in _paths(event) for text in (path.text, *alternatives(path))]
    if not any(map(_PRIVATE.search, texts)):
        return None
    return Effect(code.PRIVATE, Severity.HIGH if event.time is Time.IMPORT else Severity.MEDIUM)


def _paths(event: Event) -> Iterator[Value]:
    """The paths among the arguments: the first two at most, and those by keyword."""
    for value in event.args[:2]:
        if value.text:
            yield value
    for key in _KEYS:
        if key in event.keywords:
            yield event.keywords[key]
