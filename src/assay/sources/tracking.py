"""`mlflow:NAME@ALIAS`: a model version, or a run's artifacts, from the server of MLFLOW_TRACKING_URI.

MLflow's client downloads by the store's own rules (its server, S3, a folder), prints, retries and holds no
bounds. So it works in a process of its own (`tracking_child`), whose files may not grow beyond what is
allowed, and which is killed when its time is up or all files together are too large.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from assay.core.errors import RegistryError, SubjectError, TamperError, UsageError
from assay.core.folders import walk
from assay.core.subject import Subject
from assay.registries.mlflow_session import without_credentials
from assay.sources.fetching import Fetched
from assay.sources.names import TrackedName
from assay.sources.tracking_child import ANSWER, FILES
from assay.sources.workspace import Expected, Workspace, too_many_files
from assay.subjects.hub.files import read_small

LOOK = 0.2  # seconds between looks at how much is there
MAX_ANSWER = 16 << 20


def fetch_tracked(name: TrackedName, workspace: Workspace) -> Fetched:
    """Fetch what a model version or a run holds.

    A version that Assay registered must have the digest that was registered.

    Raises:
        UsageError: MLFLOW_TRACKING_URI is not set, or no address that is taken.
        RegistryError: MLflow is not installed, refuses, or cannot be reached.
        TamperError: the bytes are not those that were registered.
        SubjectError: what came is not what the server listed.
        LimitError: it is larger than the workspace's bounds, or slower.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri.startswith(("http://", "https://", "sqlite:///")):
        raise UsageError(
            f"MLFLOW_TRACKING_URI is {without_credentials(uri)!r}, no server and no database"
            if uri
            else "MLFLOW_TRACKING_URI is not set, so there is no server to ask",
            subject=workspace.source,
            remedy="Set it to http://HOST:PORT, https://HOST or sqlite:////absolute/path.db.",
        )
    answer = _ask(name, uri, workspace)
    files = [Expected(str(path), int(size)) for path, size in answer["files"]]
    _require_all(files, workspace)
    pinned = str(answer["name"])
    single = len(files) == 1 and answer["kind"] == "file"
    path = workspace.folder / FILES / (files[0].name if single else answer["below"])
    if answer["digest"] and Subject.from_path(path).sha256 != answer["digest"]:
        raise TamperError(
            "what MLflow stores is not what was registered",
            subject=pinned,
            remedy="Do not use it. Register the model again from a source you trust.",
        )
    return Fetched(path, pinned, (f"from {without_credentials(uri)}",))


def _ask(name: TrackedName, uri: str, workspace: Workspace) -> dict[str, Any]:
    """Let the child work; its answer, once it is done."""
    task = {
        "uri": uri,
        "name": [name.model, name.alias, name.version, name.run, name.path],
        "folder": str(workspace.folder),
        "bytes": workspace.bounds.bytes,
        "files": workspace.bounds.files,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "assay.sources.tracking_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    try:
        assert child.stdin is not None  # noqa: S101  for the type
        with child.stdin as stdin:
            stdin.write(json.dumps(task).encode())
        while True:
            try:
                child.wait(LOOK)
                break
            except subprocess.TimeoutExpired:
                _look(workspace)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    _look(workspace)
    return _answer(workspace, child.returncode)


def _look(workspace: Workspace) -> None:
    sizes = [size for path in _regular(workspace.folder / FILES) if (size := _size(path)) is not None]
    if len(sizes) > workspace.bounds.files:
        raise too_many_files(workspace.source, workspace.bounds)
    workspace.tell(sum(sizes), None, "")


def _size(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except OSError:
        return None  # MLflow renames its unfinished files


def _regular(folder: Path) -> list[Path]:
    return [here / name for here, _, names in walk(folder, unlisted=lambda _: None) for name in names]


def _answer(workspace: Workspace, code: int) -> dict[str, Any]:
    raw = read_small(workspace.folder / ANSWER, MAX_ANSWER)
    if code or raw is None:
        raise RegistryError(
            f"MLflow's client ended early (exit status {code})",
            subject=workspace.source,
            remedy="Look at the memory and disk that are left, then run it again.",
        )
    answer: dict[str, Any] = json.loads(raw)
    if "cause" in answer:
        raise _ERRORS[answer["error"]](answer["cause"], subject=workspace.source, remedy=answer["remedy"])
    return answer


_ERRORS = {"RegistryError": RegistryError, "SubjectError": SubjectError, "UsageError": UsageError}


def _require_all(files: list[Expected], workspace: Workspace) -> None:
    """Require that what lies there is what was listed, each in its size, and nothing else."""
    workspace.expect(files)
    folder = workspace.folder / FILES
    there = {path.relative_to(folder).as_posix(): path for path in _regular(folder)}
    for file in files:
        path = there.pop(file.name, None)
        if path is None or path.is_symlink() or path.stat().st_size != file.size:
            raise SubjectError(
                f"{file.name[:150]!r} did not come as the server lists it",
                subject=workspace.source,
                remedy="Run it again; if it stays so, look at the server's artifact store.",
            )
    if there:
        raise SubjectError(
            f"{min(there)[:150]!r} came without being listed",
            subject=workspace.source,
            remedy="Do not use it; tell whoever runs the server.",
        )
