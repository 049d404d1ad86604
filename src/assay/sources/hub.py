"""`hf://ORG/NAME@REVISION`: a model repository by the Hugging Face Hub's HTTP API.

Asked in turn (https://huggingface.co/docs/hub/api): `/api/models/ID/revision/REVISION` for the commit,
`/api/models/ID/tree/COMMIT?recursive=true` for files with sizes and digests, a page at a time, and
`/ID/resolve/COMMIT/PATH` for each file, which redirects to a content network for large ones. Why not by
huggingface_hub: docs/adr/008-hub-by-httpx.md.

The files land as huggingface_hub lays its cache out, `models--ORG--NAME/snapshots/COMMIT`, which
`model.origin` reads the source and its commit from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from assay.core.errors import SubjectError, UsageError
from assay.sources.fetching import Fetched
from assay.sources.names import HubName
from assay.sources.web import Web
from assay.sources.workspace import Expected, Workspace, place_of, too_many_files

ENDPOINT = "https://huggingface.co"
MAX_PAGES = 1_000
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TOKEN = "It is private, gated or not there: check the name, or set HF_TOKEN to a token that may read it."  # noqa: S105
_REMEDIES = {
    401: _TOKEN,
    403: _TOKEN,
    404: "Check the name and the revision.",
    429: "The server wants us to wait; set HF_TOKEN for a higher limit, or run it again later.",
}


def fetch_repository(name: HubName, workspace: Workspace) -> Fetched:
    """Fetch a repository, or a file or folder of it, at the commit that its revision points to now.

    Every file is verified by the digest that the API gives: SHA-256 for large files, git's SHA-1 for others.

    Raises:
        UsageError: HF_ENDPOINT is no URL.
        SubjectError: it cannot be fetched in full, or is not what the API said.
        LimitError: it is larger than the workspace's bounds, or slower.
    """
    base = _endpoint()
    with Web(base, os.environ.get("HF_TOKEN", ""), workspace, _REMEDIES) as web:
        api = f"{base}/api/models/{name.repository}"
        document, _ = web.document(f"{api}/revision/{quote(name.revision, safe='')}")
        commit = _text(document, "sha")
        if not _COMMIT.fullmatch(commit):
            raise _unexpected(workspace)
        listed = list(_files(web, f"{api}/tree/{commit}?recursive=true", workspace))
        wanted = [file for file in listed if _below(file.name, name.path)]
        workspace.enter("models--" + name.repository.replace("/", "--"), "snapshots", commit)
        workspace.expect(wanted)
        for file in wanted:
            address = f"{base}/{name.repository}/resolve/{commit}/{quote(file.name)}"
            workspace.write(file, web.content(address))
    pinned = f"hf://{name.repository}@{commit}"
    if not name.path:
        return Fetched(workspace.folder, pinned, _renamed(document, name))
    return Fetched(workspace.folder / name.path, f"{pinned}/{name.path}", _renamed(document, name))


def _endpoint() -> str:
    base = os.environ.get("HF_ENDPOINT", "") or ENDPOINT
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise UsageError(
            "HF_ENDPOINT is not the address of a hub", remedy="Write it as https://HOST, or unset it."
        )
    return base.rstrip("/")


def _files(web: Web, url: str, workspace: Workspace) -> Iterator[Expected]:
    count = 0
    for _ in range(MAX_PAGES):
        page, url = web.document(url)
        if not isinstance(page, list):
            raise _unexpected(workspace)
        for entry in page:
            kind = _text(entry, "type")
            if kind == "directory":
                continue
            if kind != "file":
                raise _unexpected(workspace)
            count += 1
            if count > workspace.bounds.files:
                raise too_many_files(workspace.source, workspace.bounds)
            yield _file(entry, workspace)
        if not url:
            return
    raise too_many_files(workspace.source, workspace.bounds)


def _file(entry: dict[str, Any], workspace: Workspace) -> Expected:
    """A file of the list; one without a size and a digest cannot be verified and is refused."""
    name, size, large = _text(entry, "path"), entry.get("size"), entry.get("lfs")
    place_of(name, workspace.source)
    sha256 = _text(large, "oid") if large is not None else ""
    git = "" if sha256 else _text(entry, "oid")
    if isinstance(large, dict):
        size = large.get("size")
    known = _SHA256.fullmatch(sha256) if large is not None else _COMMIT.fullmatch(git)
    if not known or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _unexpected(workspace)
    return Expected(name, size, sha256, git)


def _below(name: str, path: str) -> bool:
    return not path or name == path or name.startswith(f"{path}/")


def _renamed(document: Any, name: HubName) -> tuple[str, ...]:
    """A repository that answers under another name than it was asked for by."""
    current = document.get("id")
    if not isinstance(current, str) or current == name.repository:
        return ()
    return (f"{name.repository} is called {ascii(current)[1:100].rstrip(chr(39))} on the hub",)


def _text(document: Any, key: str) -> str:
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _unexpected(workspace: Workspace) -> SubjectError:
    return SubjectError(
        "the server does not answer as the Hub does, with a commit, sizes and digests",
        subject=workspace.source,
        remedy="Check HF_ENDPOINT; a mirror must speak the Hub's API.",
    )
