"""Where a distribution came from: `direct_url.json` (PEP 610)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from assay.checks.packaging.sbom.rules import DIRECT_URL
from assay.core.errors import SubjectError
from assay.core.finding import Finding, Location, Severity
from assay.subjects.environment import Distribution

_COMMIT = re.compile(r"^[0-9a-f]{40,64}$")
MAX_JSON = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """Where a distribution was installed from, when not from an index.

    Attributes:
        url: without credentials.
        kind: `vcs`, `archive`, `folder` or `editable`.
        commit: of a repository, "" if it is not a full hash.
        sha256: of an archive, or "".
    """

    url: str
    kind: str
    commit: str = ""
    sha256: str = ""

    @property
    def pinned(self) -> bool:
        """Whether it names exact bytes."""
        return bool(self.commit or self.sha256)


def source_of(distribution: Distribution) -> Source | None:
    """The direct origin of a distribution, or None if it came from an index.

    Raises:
        SubjectError: `direct_url.json` is there and makes no sense.
    """
    raw = distribution.extra_file("direct_url.json", MAX_JSON) if distribution.info.is_dir() else None
    if raw is None:
        return None
    try:
        document = json.loads(raw)
        return _source(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SubjectError("its direct_url.json makes no sense", subject=distribution.name) from error


def _source(document: Mapping[str, Any]) -> Source:
    url = _without_credentials(str(document["url"]))
    if "vcs_info" in document:
        commit = str(document["vcs_info"].get("commit_id", ""))
        return Source(url, "vcs", commit=commit if _COMMIT.match(commit) else "")
    if "dir_info" in document:
        return Source(url, "editable" if document["dir_info"].get("editable") is True else "folder")
    info = document["archive_info"]
    sha256 = str((info.get("hashes") or {}).get("sha256", ""))
    legacy = str(info.get("hash") or "")
    if not sha256 and legacy.startswith("sha256="):
        sha256 = legacy.removeprefix("sha256=")
    return Source(url, "archive", sha256=sha256.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", sha256) else "")


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))[:500]


def source_finding(distribution: Distribution, source: Source) -> Finding:
    """What to say of a distribution that came from `source`."""
    severity = {"editable": Severity.INFO, "folder": Severity.LOW}.get(source.kind, DIRECT_URL.severity)
    if source.pinned:
        severity = Severity.LOW
    how = {"vcs": "a repository", "archive": "an archive", "folder": "a folder"}.get(source.kind)
    pin = "" if source.kind in {"editable", "folder"} else (", pinned" if source.pinned else ", not pinned")
    message = f"{distribution.name} {distribution.version} was installed from {how or 'a working tree'}{pin}"
    return DIRECT_URL.finding(
        message,
        Location(name=distribution.name),
        severity=severity,
        data={"url": source.url, "kind": source.kind, "commit": source.commit},
    )
