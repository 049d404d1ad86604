"""What a download left behind: which revision it was, and the digest that the hub gave for each file.

Two layouts of huggingface_hub (https://huggingface.co/docs/huggingface_hub/guides/manage-cache):
`models--ORG--NAME/snapshots/REVISION/…`, whose files are links to `blobs/DIGEST`; and a folder of one's own
with `.cache/huggingface/download/FILE.metadata`, three lines: revision, digest, time. A digest of 64 digits
is SHA-256; one of 40 is git's SHA-1 over the file with its header.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.core.errors import SubjectError
from assay.subjects.hub.files import read_small
from assay.subjects.hub.names import REVISION, Repository, repository_in

METADATA = Path(".cache") / "huggingface" / "download"
MAX_METADATA = 4096
MAX_GIT_BLOB = 64 * 1024 * 1024  # larger files are not kept by git itself
_REPOSITORY = re.compile(r"models--(.+)")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Download:
    """What is known of a download.

    Attributes:
        repository: where it came from, at which revision; None where the layout does not say.
        revisions: commit hashes that its files were fetched at.
        digests: file to the digest that the hub gave.
    """

    repository: Repository | None = None
    revisions: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether a download left anything behind."""
        return self.repository is not None or bool(self.revisions)


def download_of(folder: Path, names: Sequence[str]) -> Download:
    """What a download left behind in or around `folder`.

    Args:
        folder: the model.
        names: its files.
    """
    snapshot = _snapshot(folder)
    if snapshot:
        digests = {name: digest for name in names if (digest := _blob(folder / name))}
        return Download(snapshot, (snapshot.revision,) if snapshot.pinned else (), digests)
    found = {name: pair for name in names if (pair := _metadata(folder, name))}
    revisions = tuple(sorted({revision for revision, _ in found.values()}))
    return Download(None, revisions, {name: digest for name, (_, digest) in found.items() if digest})


def is_metadata(name: str) -> bool:
    """Whether a file of the folder belongs to the download and not to the model."""
    return name.startswith(".cache/huggingface/")


def altered(folder: Path, download: Download, sha256: dict[str, str]) -> Iterator[str]:
    """The files that are not what the hub gave.

    Args:
        folder: the model.
        download: what the download left behind.
        sha256: file to SHA-256, as it is now.
    """
    for name, expected in download.digests.items():
        if name not in sha256:
            continue
        actual = sha256[name] if len(expected) == 64 else _git_digest(folder / name)  # noqa: PLR2004  hex digits
        if actual and actual != expected:
            yield name


def _snapshot(folder: Path) -> Repository | None:
    resolved = folder.absolute()
    place = _REPOSITORY.fullmatch(resolved.parent.parent.name)
    if resolved.parent.name != "snapshots" or not place:
        return None
    found = repository_in(place[1].replace("--", "/", 1))
    return found.at(resolved.name) if found else None


def _blob(path: Path) -> str:
    try:
        target = Path(os.readlink(path))  # noqa: PTH115  the link's own text
    except OSError:
        return ""
    digest = target.name
    return digest if target.parent.name == "blobs" and _DIGEST.fullmatch(digest) else ""


def _metadata(folder: Path, name: str) -> tuple[str, str] | None:
    try:
        raw = read_small(folder / METADATA / f"{name}.metadata", MAX_METADATA)
    except SubjectError:
        return None
    lines = (raw or b"").decode("ascii", "replace").split("\n")
    if len(lines) < 2 or not REVISION.fullmatch(lines[0].strip()):  # noqa: PLR2004  revision and digest
        return None
    digest = lines[1].strip()
    return lines[0].strip(), digest if _DIGEST.fullmatch(digest) else ""


def _git_digest(path: Path) -> str:
    try:
        raw = read_small(path, MAX_GIT_BLOB)
    except SubjectError:
        return ""
    if raw is None:
        return ""
    return hashlib.sha1(b"blob %d\0%b" % (len(raw), raw), usedforsecurity=False).hexdigest()
