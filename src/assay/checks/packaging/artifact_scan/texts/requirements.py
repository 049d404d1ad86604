"""Lists of packages, for pip, conda, uv, Poetry and others: where they have packages taken from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.finding import Severity

MAX_TOLD = 20
_NAME = re.compile(
    r"[\w.-]*requirements[\w.-]*\.(?:txt|in)|(?:environment|conda|bentofile)[\w.-]*\.ya?ml|python_env\.ya?ml",
    re.IGNORECASE,
)
_UNPROTECTED = re.compile(r"--trusted-host\b|^\s*trusted_host\s*:|(?:^|[\s@+=\"'])http://", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"(?:--(?:extra-)?index-url|--find-links|(?:^|\s)-[if])[\s=]*\S*https://"
    r"|(?:^|[\s@\"'])(?:git|hg|svn|bzr)\+|(?:^|[\s@\"'])(?:https|git|ssh|file|ftp)://",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:^|\s)#")
_DEFAULT = re.compile(r"https://(?:pypi\.org/simple|conda\.anaconda\.org|repo\.anaconda\.com)(?:/|\s|$)")


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Report lines that name another index, a repository or an address."""
    base = PurePosixPath(blob.name.rpartition("!/")[2]).name
    named: Iterator[tuple[int, str]]
    if _NAME.fullmatch(base):
        named = ((number, _COMMENT.split(line, maxsplit=1)[0]) for number, line in _numbered(text))
    elif base.lower() == "pyproject.toml":
        from assay.checks.packaging.artifact_scan.texts import pyproject  # noqa: PLC0415  start-up

        named = pyproject.requirements(text) or _numbered(text)
    else:
        return
    told = 0
    for number, line in named:
        severity = _severity(line)
        if severity is not None and told < MAX_TOLD:
            told += 1
            message = f"Packages come from elsewhere: {line.strip()[:120]!r}."
            place = blob.at_line(number)
            inspection.report(rules.media.PACKAGES.finding(message, place, severity=severity))


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(text.splitlines(), 1)


def _severity(line: str) -> Severity | None:
    if _UNPROTECTED.search(line):
        return Severity.MEDIUM
    return Severity.LOW if _ELSEWHERE.search(_DEFAULT.sub("", line)) else None
