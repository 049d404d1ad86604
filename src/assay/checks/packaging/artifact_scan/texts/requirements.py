"""Lists of packages, for pip and conda: where they have packages taken from."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.finding import Severity

MAX_TOLD = 20
_NAME = re.compile(r"(?:[\w.-]*requirements[\w.-]*\.(?:txt|in)|environment[\w.-]*\.ya?ml)", re.IGNORECASE)
_UNPROTECTED = re.compile(r"--trusted-host\b|(?:^|[\s@+=\"'])http://", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"(?:--(?:extra-)?index-url|--find-links|(?:^|\s)-[if])[\s=]*\S*https://"
    r"|(?:^|[\s@\"'])(?:git|hg|svn|bzr)\+|(?:^|[\s@\"'])(?:https|git|ssh|file|ftp)://",
    re.IGNORECASE,
)
_DEFAULT = re.compile(r"https://(?:pypi\.org/simple|conda\.anaconda\.org|repo\.anaconda\.com)(?:/|\s|$)")


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Report lines that name another index, a repository or an address."""
    if not _NAME.fullmatch(PurePosixPath(blob.name.rpartition("!/")[2]).name):
        return
    told = 0
    for number, line in enumerate(text.splitlines(), 1):
        plain = re.split(r"(?:^|\s)#", line, maxsplit=1)[0]
        severity = _severity(plain)
        if severity is not None and told < MAX_TOLD:
            told += 1
            message = f"Packages come from elsewhere: {plain.strip()[:120]!r}."
            place = blob.at_line(number)
            inspection.report(rules.media.PACKAGES.finding(message, place, severity=severity))


def _severity(line: str) -> Severity | None:
    if _UNPROTECTED.search(line):
        return Severity.MEDIUM
    return Severity.LOW if _ELSEWHERE.search(_DEFAULT.sub("", line)) else None
