"""The process in which MLflow's client downloads; started by `tracking`, told what to do on stdin.

It writes what it fetched to the folder `files` and what it learned to `answer.json`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assay.core.errors import AssayError, LimitError, RegistryError, SubjectError, UsageError
from assay.registries.mlflow_session import session, without_credentials
from assay.sources.workspace import place_of

ANSWER = "answer.json"
FILES = "files"
MAX_FOLDERS = 20_000
UNKNOWN = 0


def main() -> None:
    """Do what stdin says."""
    task = json.load(sys.stdin)
    folder = Path(task["folder"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (task["bytes"], task["bytes"]))
    try:
        answer = _fetch(task, folder)
    except AssayError as error:
        kind = next(k for k in (UsageError, SubjectError, RegistryError, AssayError) if isinstance(error, k))
        known = kind if kind is not AssayError else RegistryError
        answer = {"error": known.__name__, "cause": error.cause, "remedy": error.remedy}
    (folder / ANSWER).write_text(json.dumps(answer))


def _fetch(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    shown = without_credentials(task["uri"])
    (folder / FILES).mkdir()
    with session(shown):
        import mlflow  # noqa: PLC0415
        from mlflow.store.artifact.artifact_repository_registry import (  # noqa: PLC0415
            get_artifact_repository,
        )

        mlflow.set_tracking_uri(task["uri"])
        client = mlflow.MlflowClient()
        found = _located(client, *task["name"])
        _require_allowed(found["location"], task["uri"])
        store = get_artifact_repository(found.pop("location"))
        files = _listed(store, found["below"], shown, task)
        for name, _ in files:
            store.download_artifacts(name, str(folder / FILES))
    return {**found, "files": [(name, _known(size, folder / FILES / name)) for name, size in files]}


def _located(client: Any, model: str, alias: str, version: str, run: str, path: str) -> dict[str, Any]:
    """Where the artifacts lie, what pins them, and the digest that they were registered with, or ""."""
    if run:
        location = str(client.get_run(run).info.artifact_uri)
        pinned = f"mlflow:runs/{run}" + (f"/{path}" if path else "")
        return {"location": location, "below": path, "name": pinned, "digest": "", "kind": ""}
    if alias:
        version = str(client.get_model_version_by_alias(model, alias).version)
    known = client.get_model_version(model, version)
    tags = {str(key): str(value) for key, value in (known.tags or {}).items()}
    location = str(client.get_model_version_download_uri(model, version))
    if location.startswith("runs:/"):
        run, _, below = location.removeprefix("runs:/").partition("/")
        location = f"{client.get_run(run).info.artifact_uri}/{below}"
    elif location.startswith("models:/m-"):
        location = str(client.get_logged_model(location.removeprefix("models:/")).artifact_location)
    return {
        "location": location,
        "below": "",
        "name": f"mlflow:{model}/{version}",
        "digest": tags.get("assay.digest", ""),
        "kind": tags.get("assay.kind", ""),
    }


def _require_allowed(location: str, uri: str) -> None:
    """Refuse what a server on another machine has no business to make us read here.

    Raises:
        RegistryError: it is a path of this machine, or on another web server.
    """
    home, there = urlsplit(uri), urlsplit(location)
    if home.scheme == "sqlite" or home.hostname in {"127.0.0.1", "localhost", "::1"}:
        return
    local = there.scheme in {"", "file"}
    if local or (there.scheme in {"http", "https"} and there.netloc != home.netloc):
        raise RegistryError(
            f"the server says that the artifacts lie at {without_credentials(location)[:150]!r}, "
            + ("a path of this machine" if local else "on another server"),
            remedy="Let the server hand out artifacts itself (mlflow server --serve-artifacts).",
        )


def _listed(store: Any, below: str, shown: str, task: dict[str, Any]) -> list[tuple[str, int]]:
    """Every file with its size, folders followed."""
    if below:
        place_of(below, shown)
    files: list[tuple[str, int]] = []
    pending, seen = [below], {below}
    while pending:
        at = pending.pop()
        for entry in store.list_artifacts(at or None):
            name = str(entry.path)
            place_of(name, shown)
            if name in seen:
                continue
            seen.add(name)
            if entry.is_dir:
                pending.append(name)
            else:
                files.append((name, int(entry.file_size or 0)))
            if len(seen) > task["files"] + MAX_FOLDERS:
                raise LimitError(f"has more than {task['files']:,} files", remedy="Name a folder of it.")
    if not files and below:
        files = [(below, UNKNOWN)]  # a single file: its listing is empty
    total = sum(size for _, size in files)
    if total > task["bytes"]:
        raise LimitError(
            f"has {total:,} bytes, and {task['bytes']:,} are allowed",
            remedy="Name a folder of it, or allow more: --max-download GB.",
        )
    return files


def _known(size: int, path: Path) -> int:
    """The size that the server states; where it states none, that of what came."""
    return size or path.stat().st_size


if __name__ == "__main__":
    main()
