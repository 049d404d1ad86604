"""What differs between the files that were signed and those that are there, as findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from assay.checks.packaging.artifact_signature.rules import (
    ADDED,
    CHANGED,
    IGNORED,
    LINK,
    REMOVED,
    UNSAFE_IGNORE,
)
from assay.core.finding import Finding, Location, Rule, Severity
from assay.subjects.model_signature import Comparison, SignedManifest

MAX_NAMED = 50
_PATTERN = re.compile(r"[*?\[\]{}]")
# What no loader of models reads. A configuration, a template, a list of words or a module is not among them.
_PLAIN = re.compile(
    r"(.*\.(md|rst|png|jpe?g|gif|webp|pdf|sig|sigstore|sha256|asc)|licen[cs]e(\.txt)?|notice(\.txt)?|\.keep)",
    re.IGNORECASE,
)
_WORDS: tuple[tuple[str, Rule, str], ...] = (
    ("changed", CHANGED, "{name} is not the file that was signed."),
    ("removed", REMOVED, "{name} was signed and is missing."),
    ("added", ADDED, "{name} is there and was not signed."),
)


def differences(comparison: Comparison) -> Iterator[Finding]:
    """A finding for each file that differs; the first 50 of a kind are named one by one."""
    for kind, rule, words in _WORDS:
        names: Sequence[str] = getattr(comparison, kind)
        yield from _capped(rule, names, words)


def left_out(
    manifest: SignedManifest, comparison: Comparison, accepted: Mapping[str, str]
) -> Iterator[Finding]:
    """Findings about what the signer left out: unsafe rules, and the files that lie under them."""
    for path in manifest.ignored:
        if unsafe(path):
            message = f"The signature passes over {path[:100]!r}, which is more than one path."
            yield UNSAFE_IGNORE.finding(message, data={"path": path[:200]})
    names = [name for name in comparison.ignored if not _accepted(name, accepted)]
    risky = [name for name in names if not _PLAIN.fullmatch(name.rpartition("/")[2])]
    plain = [name for name in names if name not in set(risky)]
    words = "{name} is there and the signer left it out: its bytes may be anything."
    yield from _capped(IGNORED, risky, words)
    yield from _capped(IGNORED, plain, words, severity=Severity.LOW)


def linked(manifest: SignedManifest, comparison: Comparison) -> Iterator[Finding]:
    """Findings about links, where the signer did not allow them."""
    if not manifest.links and not manifest.legacy:
        yield from _capped(LINK, comparison.links, "{name} is a link, and the signer allowed none.")


def unsafe(path: str) -> bool:
    """Whether a path to pass over is the whole folder, a pattern, or has a second spelling.

    One that leads out of the folder reaches nothing in it: nobody follows it, here or elsewhere.
    """
    if path.startswith(("/", "../")) or path == "..":
        return False
    parts = path.removeprefix("./").rstrip("/").split("/")
    return bool(_PATTERN.search(path)) or any(part in {"", ".", ".."} for part in parts)


def _accepted(name: str, accepted: Mapping[str, str]) -> bool:
    return any(reason.strip() and name == path for path, reason in accepted.items())


def _capped(
    rule: Rule, names: Sequence[str], words: str, *, severity: Severity | None = None
) -> Iterator[Finding]:
    for name in names[:MAX_NAMED]:
        yield rule.finding(words.format(name=repr(name[:150])), Location(name), severity=severity)
    left = len(names) - MAX_NAMED
    if left > 0:
        message = f"The same holds for {left:,} files more, {names[MAX_NAMED][:100]!r} among them."
        yield rule.finding(message, severity=severity, data={"files": left})
