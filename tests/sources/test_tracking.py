"""`mlflow:` against MLflow's own server, and what of its answers is not followed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.core.errors import LimitError, RegistryError, TamperError, UsageError
from assay.core.subject import Subject
from assay.registries import open_registry
from assay.sources.fetching import fetched
from assay.sources.workspace import Bounds
from fixtures.mlflow_server import running_server
from fixtures.refusals import refusal

pytest.importorskip("mlflow.tracking", reason="mlflow is not installed", exc_type=ImportError)
CANDIDATE = "c" * 64


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("tracking")
    with running_server(root) as url:
        yield url, root / "a"


@pytest.fixture
def artifacts(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server[0])
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return server[1]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"w" * 10_000)
    (folder / "sub" / "config.json").write_text("{}")
    return folder


def registered(url: str, source: Path) -> str:
    name = f"bot-{uuid.uuid4().hex[:8]}"
    registry = open_registry("mlflow", url)
    made = registry.create_version(name, source, Subject.from_path(source).sha256, CANDIDATE, {})
    registry.set_alias(name, "champion", made.version, expect=None)
    return name


def test_an_alias_a_version_and_a_run(
    server: tuple[str, Path], artifacts: Path, model: Path, cache: Path
) -> None:
    name = registered(server[0], model)
    with fetched(f"mlflow:{name}@champion") as found:
        assert found.name == f"mlflow:{name}/1"
        assert found.subject().sha256 == Subject.from_path(model).sha256
        assert found.notes == (f"from {server[0]}",)
    run = next(path.name for path in artifacts.glob("*/*") if (path / "artifacts/model/sub").is_dir())
    with fetched(f"mlflow:runs/{run}/model/sub/config.json") as found:
        assert (found.name, found.path.read_text()) == (f"mlflow:runs/{run}/model/sub/config.json", "{}")
    with fetched(f"mlflow:runs:/{run}/model") as found:
        assert found.subject().sha256 == Subject.from_path(model).sha256
    assert [path.name for path in cache.iterdir()] == ["lock"]


@pytest.mark.usefixtures("artifacts")
def test_a_single_file(server: tuple[str, Path], model: Path) -> None:
    name = registered(server[0], model / "weights.bin")
    with fetched(f"mlflow:{name}/1") as found:
        assert found.path.name == "weights.bin"
        assert found.path.read_bytes() == b"w" * 10_000


def test_bytes_that_were_changed_in_the_store(server: tuple[str, Path], artifacts: Path, model: Path) -> None:
    (model / "marker").write_text(marker := uuid.uuid4().hex)
    name = registered(server[0], model)
    (stored,) = (path for path in artifacts.rglob("marker") if path.read_text() == marker)
    stored.write_text(marker[::-1])
    error = refusal(f"mlflow:{name}@champion")
    assert isinstance(error, TamperError)
    assert error.subject == f"mlflow:{name}/1"


@pytest.mark.usefixtures("artifacts")
@pytest.mark.parametrize(
    ("bounds", "cause"),
    [(Bounds(bytes=9_999), "9,999 are allowed"), (Bounds(files=1), "more than 1 files")],
)
def test_bounds(bounds: Bounds, cause: str, server: tuple[str, Path], model: Path, cache: Path) -> None:
    error = refusal(f"mlflow:{registered(server[0], model)}/1", bounds)
    assert cause in error.cause
    assert [path.name for path in cache.iterdir()] == ["lock"]


@pytest.mark.usefixtures("artifacts")
def test_time_that_is_up(cache: Path) -> None:
    # MLflow takes longer than this to import.
    error = refusal("mlflow:bot/1", Bounds(seconds=0.1))
    assert isinstance(error, LimitError)
    assert [path.name for path in cache.iterdir()] == ["lock"]


@pytest.mark.usefixtures("artifacts")
@pytest.mark.parametrize("name", ["mlflow:none@champion", "mlflow:runs/" + "0" * 32])
def test_what_is_not_there(name: str) -> None:
    error = refusal(name)
    assert isinstance(error, RegistryError)
    assert "not found" in error.cause


def test_a_server_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    error = refusal("mlflow:bot/1")
    assert "cannot be reached" in error.cause
    assert "secret" not in error.diagnostics()


@pytest.mark.parametrize("uri", ["", "file:///x", "databricks"])
def test_no_server_to_ask(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    error = refusal("mlflow:bot/1")
    assert isinstance(error, UsageError)
    assert "MLFLOW_TRACKING_URI" in error.cause


@pytest.mark.parametrize(
    ("location", "uri", "refused"),
    [
        ("file:///home/user/.ssh", "https://mlflow.example", True),
        ("/home/user/.ssh", "https://mlflow.example", True),
        ("http://169.254.169.254/latest", "https://mlflow.example", True),
        ("mlflow-artifacts:/0/a", "https://mlflow.example", False),
        ("s3://bucket/0/a", "https://mlflow.example", False),
        ("https://mlflow.example/api/a", "https://mlflow.example", False),
        ("file:///srv/a", "sqlite:////srv/db", False),
        ("file:///srv/a", "http://127.0.0.1:5000", False),
    ],
)
def test_where_a_server_may_say_that_artifacts_lie(location: str, uri: str, refused: bool) -> None:
    from assay.sources.tracking_child import _require_allowed  # noqa: PLC0415

    if refused:
        with pytest.raises(RegistryError, match="says that the artifacts lie"):
            _require_allowed(location, uri)
    else:
        _require_allowed(location, uri)
