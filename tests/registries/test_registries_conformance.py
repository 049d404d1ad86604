"""What every registry must do, asked of each: folder, MLflow on SQLite, MLflow's own server."""

from __future__ import annotations

import importlib.util
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.core.errors import ConflictError, RegistryError, TamperError, UsageError
from assay.core.subject import Subject
from assay.registries import Registry, open_registry
from assay.registries.folder import FolderRegistry
from fixtures.mlflow_server import running_server

CANDIDATES = [f"{number:x}" * 64 for number in range(1, 10)]
needs_mlflow = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed"
)


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One SQLite store a worker: MLflow takes seconds to lay out a new one."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow-sqlite')}/mlflow.db"


@pytest.fixture(
    params=[
        "folder",
        pytest.param("mlflow-sqlite", marks=needs_mlflow),
        pytest.param("mlflow-http", marks=needs_mlflow),
    ]
)
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if request.param == "folder":
        return "folder", str(tmp_path / "registry")
    fixture = "mlflow_database" if request.param == "mlflow-sqlite" else "mlflow_server"
    return "mlflow", request.getfixturevalue(fixture)


@pytest.fixture
def registry(uri: tuple[str, str]) -> Registry:
    return open_registry(*uri)


@pytest.fixture
def name() -> str:
    return f"bot-{uuid.uuid4().hex[:8]}"


def register(registry: Registry, name: str, source: Path, candidate: str, **annotations: str) -> str:
    digest = Subject.from_path(source).sha256
    return registry.create_version(name, source, digest, candidate, annotations).version


def test_nothing_is_there_at_first(registry: Registry, name: str) -> None:
    assert registry.versions(name) == ()
    assert registry.get_alias(name, "champion") is None


def test_a_folder_comes_back_as_it_was_given(registry: Registry, name: str, model_folder: Path) -> None:
    digest = Subject.from_path(model_folder).sha256
    before = datetime.now(UTC)
    made = registry.create_version(name, model_folder, digest, CANDIDATES[0], {"assay.data.sha256": "d" * 64})
    assert (made.model, made.version, made.digest, made.candidate) == (name, "1", digest, CANDIDATES[0])
    assert made.annotations["assay.data.sha256"] == "d" * 64
    assert abs((made.created_at - before).total_seconds()) < 3600
    assert registry.versions(name) == (made,)
    shutil.rmtree(model_folder)
    path = registry.resolve(name, "1")
    assert Subject.from_path(path).sha256 == digest
    assert (path / "sub/config.json").read_text() == "{}"


def test_a_single_file_comes_back_under_its_name(registry: Registry, name: str, tmp_path: Path) -> None:
    source = tmp_path / "model.gguf"
    source.write_bytes(b"GGUF" * 1000)
    assert register(registry, name, source, CANDIDATES[0]) == "1"
    path = registry.resolve(name, "1")
    assert path.name == "model.gguf"
    assert path.read_bytes() == source.read_bytes()


def test_what_the_digest_leaves_out_is_not_stored(registry: Registry, name: str, model_folder: Path) -> None:
    (model_folder / ".git").mkdir()
    (model_folder / ".git/secret").write_text("token")
    register(registry, name, model_folder, CANDIDATES[0])
    assert not (registry.resolve(name, "1") / ".git").exists()


def test_the_same_candidate_gives_the_same_version(
    registry: Registry, name: str, model_folder: Path, other_folder: Path
) -> None:
    assert register(registry, name, model_folder, CANDIDATES[0]) == "1"
    assert register(registry, name, model_folder, CANDIDATES[0]) == "1"
    assert register(registry, name, other_folder, CANDIDATES[1]) == "2"
    assert [one.version for one in registry.versions(name)] == ["1", "2"]


def test_a_source_that_is_not_what_was_checked_is_refused(
    registry: Registry, name: str, model_folder: Path
) -> None:
    digest = Subject.from_path(model_folder).sha256
    (model_folder / "weights.bin").write_text("changed since")
    with pytest.raises(RegistryError, match="is not what was checked"):
        registry.create_version(name, model_folder, digest, CANDIDATES[0], {})
    assert registry.versions(name) == ()


def test_aliases_move_by_compare_and_set(
    registry: Registry, name: str, model_folder: Path, other_folder: Path
) -> None:
    register(registry, name, model_folder, CANDIDATES[0])
    register(registry, name, other_folder, CANDIDATES[1])
    registry.set_alias(name, "champion", "1", expect=None)
    with pytest.raises(ConflictError, match="points at 1 and not at nothing"):
        registry.set_alias(name, "champion", "2", expect=None)
    with pytest.raises(ConflictError, match="points at 1 and not at 2"):
        registry.set_alias(name, "champion", "2", expect="2")
    standing = registry.get_alias(name, "champion")
    assert standing is not None
    assert standing.candidate == CANDIDATES[0]
    registry.set_alias(name, "champion", "2", expect="1")
    standing = registry.get_alias(name, "champion")
    assert standing is not None
    assert standing.version == "2"
    assert registry.get_alias(name, "candidate") is None
    with pytest.raises(ConflictError):
        registry.delete_alias(name, "champion", expect="1")
    registry.delete_alias(name, "champion", expect="2")
    assert registry.get_alias(name, "champion") is None


def test_of_those_who_move_at_once_one_wins(uri: tuple[str, str], name: str, model_folder: Path) -> None:
    registry = open_registry(*uri)
    for place in range(4):
        (model_folder / "weights.bin").write_text(str(place))
        register(registry, name, model_folder, CANDIDATES[place])
    won: list[str] = []
    lost: list[Exception] = []
    start = threading.Barrier(4)

    def move(version: str) -> None:
        mine = open_registry(*uri)
        start.wait()
        try:
            mine.set_alias(name, "champion", version, expect=None)
            won.append(version)
        except ConflictError as error:
            lost.append(error)

    threads = [threading.Thread(target=move, args=(str(place),)) for place in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    standing = registry.get_alias(name, "champion")
    assert standing is not None
    assert won == [standing.version]
    assert len(lost) == 3


def test_annotations_and_lineage(
    registry: Registry, name: str, model_folder: Path, other_folder: Path
) -> None:
    register(registry, name, model_folder, CANDIDATES[0])
    tags = {"assay.base": "1", "assay.data.sha256": "d" * 64, "assay.verdict.sha256": "e" * 64}
    register(registry, name, other_folder, CANDIDATES[1], **tags)
    registry.annotate(name, "2", "team", "search")
    registry.annotate(name, "2", "team", "support")
    lineage = registry.lineage(name, "2")
    assert lineage.version.annotations["team"] == "support"
    assert lineage.base is not None
    assert lineage.base.candidate == CANDIDATES[0]
    assert lineage.subjects == {"data": "d" * 64}
    assert registry.lineage(name, "1").base is None


def test_identity_cannot_be_annotated_over(registry: Registry, name: str, model_folder: Path) -> None:
    register(registry, name, model_folder, CANDIDATES[0])
    for key in ("assay.digest", "assay.candidate", "assay.kind", "a b", ""):
        with pytest.raises(UsageError):
            registry.annotate(name, "1", key, "x")


@pytest.mark.parametrize("bad", ["..", "../x", "a/b", "", ".hidden", "a\nb", "x" * 101, "a' or '1'='1", "ü"])
def test_attack_names_stay_names(registry: Registry, name: str, model_folder: Path, bad: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: registry.versions(bad),
        lambda: registry.resolve(bad, "1"),
        lambda: registry.get_alias(name, bad),
        lambda: register(registry, bad, model_folder, CANDIDATES[0]),
        lambda: registry.set_alias(bad, "champion", "1", expect=None),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="is not a valid"):
            call()


@pytest.mark.parametrize("bad", ["0", "-1", "../1", "1/../2", "", "one", "1" * 30])
def test_attack_versions_stay_versions(registry: Registry, name: str, bad: str) -> None:
    with pytest.raises(UsageError, match="is not a version"):
        registry.resolve(name, bad)


def test_what_is_not_there_is_told(registry: Registry, name: str, model_folder: Path) -> None:
    register(registry, name, model_folder, CANDIDATES[0])
    calls: list[Callable[[], object]] = [
        lambda: registry.resolve(name, "7"),
        lambda: registry.set_alias(name, "champion", "7", expect=None),
        lambda: registry.annotate(name, "7", "k", "v"),
        lambda: registry.lineage(name, "7"),
    ]
    for call in calls:
        with pytest.raises(RegistryError, match="there is no version 7") as caught:
            call()
        assert caught.value.remedy == "Registered versions: 1."


def test_attack_changed_bytes_are_not_handed_out(
    uri: tuple[str, str],
    name: str,
    model_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    registry = open_registry(*uri)
    marker = uuid.uuid4().hex
    (model_folder / "weights.bin").write_text(marker)
    register(registry, name, model_folder, CANDIDATES[0])
    shutil.rmtree(model_folder)
    root = tmp_path_factory.getbasetemp()
    stored = {p for p in root.rglob("weights.bin") if p.is_file() and p.read_text() == marker}
    assert len(stored) == 1
    path = stored.pop()
    path.chmod(0o644)
    path.write_text("evil")
    with pytest.raises(TamperError, match="regist"):
        registry.resolve(name, "1")


def test_versions_tell_the_time_they_were_made(tmp_path: Path, model_folder: Path) -> None:
    registry = FolderRegistry(tmp_path / "r", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    register(registry, "bot", model_folder, CANDIDATES[0])
    assert registry.versions("bot")[0].created_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="no registry of kind 'floppy'"):
        open_registry("floppy", "")
