"""Keys, tokens and passwords in any text, by the guard's `secret/*` rules; a finding never holds the secret.

Only the neighbourhood of a rule's literal is matched, so that a vocabulary of ten megabytes takes no second.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.finding import Severity
from assay.guard.match import Matcher, load_pack

MAX_FINDINGS = 20  # in one file
_BEFORE, _AFTER = 128, 1_024  # bytes around a literal that a pattern may take up
_SHOWN = 4  # characters of a secret that a finding quotes
_BLOB_AT_LEAST = 200  # characters of base64 in a row, in which anything turns up by chance
_BLOB = re.compile(r"[A-Za-z0-9+/=]*\Z")
# Addresses and accounts of documentation and of a developer's own machine.
_OWN_HOST = re.compile(
    r"@(?:localhost|127\.|0\.0\.0\.0|\[?::1|host\b|hostname|db\b|(?:[\w-]+\.)*example\b|proxy\b)",
    re.IGNORECASE,
)
_SAMPLE_TOKEN = re.compile(rb'"sub" ?: ?"1234567890"|John Doe|jwt\.io|example\.com', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text: what it is, how bad that is, and where it stands."""

    title: str
    rule_id: str
    severity: Severity
    text: str
    line: int

    @property
    def masked(self) -> str:
        """Enough of it to find it, too little to use it."""
        if self.rule_id == "secret/private-key":
            return "a key in PEM form"
        return f"{self.text[:_SHOWN]!r}… ({len(self.text)} characters)"


@lru_cache(maxsize=1)
def _matcher() -> tuple[Matcher, dict[str, str], tuple[bytes, ...]]:
    matcher = Matcher(load_pack("secrets"))
    literals = sorted({literal.encode() for rule in matcher.rules for literal in rule.literals})
    return matcher, {rule.id: rule.title for rule in matcher.rules}, tuple(literals)


def find(text: str) -> Iterator[Secret]:
    """The secrets in a text, in its order; each once."""
    matcher, titles, literals = _matcher()
    data = text.encode("utf-8", "replace")
    seen: set[str] = set()
    for start, end in _windows(data.lower(), literals):
        window = data[start:end].decode("utf-8", "ignore")
        for match in matcher.scan(window):
            found = window[match.start : match.end]
            if found not in seen and not _is_ordinary(match.rule_id, window, match.start, match.end):
                seen.add(found)
                line = data.count(b"\n", 0, start) + window.count("\n", 0, match.start) + 1
                yield Secret(titles[match.rule_id], match.rule_id, match.severity, found, line)


def _windows(lowered: bytes, literals: tuple[bytes, ...]) -> list[tuple[int, int]]:
    """Regions around literals, merged where they touch."""
    spots: list[int] = []
    for literal in literals:
        at = lowered.find(literal)
        while at >= 0:
            spots.append(at)
            at = lowered.find(literal, at + len(literal))
    merged: list[tuple[int, int]] = []
    for spot in sorted(spots):
        start, end = max(0, spot - _BEFORE), spot + _AFTER
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _is_ordinary(rule_id: str, window: str, start: int, end: int) -> bool:
    """Whether a match is a sample, a local address, or chance inside a long run of base64."""
    if rule_id == "secret/password-in-url":
        return _OWN_HOST.match(window, end) is not None
    if rule_id == "secret/json-web-token":
        payload = window[start:end].split(".")[1]
        return bool(_SAMPLE_TOKEN.search(_decoded(payload)))
    before = _BLOB.search(window, max(0, start - _BLOB_AT_LEAST), start)
    return before is not None and len(before.group()) >= _BEFORE - 1


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (ValueError, binascii.Error):
        return b""


def mask(text: str) -> str:
    """A text to quote in a finding, its secrets cut out."""
    for secret in find(text):
        text = text.replace(secret.text, f"{secret.text[:_SHOWN]}…")
    return text


def judge(blob: Blob, text: str, inspection: Inspection, *, lines: bool = True) -> None:
    """Report the secrets in a text. `lines`: its lines are those of the file."""
    known = {f.message for f in inspection.outcome.findings if f.rule == rules.repository.SECRET.id}
    for secret in find(text):
        message = f"{secret.title}: {secret.masked}."
        if message not in known and len(known) < MAX_FINDINGS:
            known.add(message)
            place = blob.at_line(secret.line) if lines else blob.place()
            data = {"kind": secret.rule_id}
            finding = rules.repository.SECRET.finding(message, place, severity=secret.severity, data=data)
            inspection.report(finding)
