"""Releases of what `assay.yaml` names by source: fetched, pinned, verified, judged, and removed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.cli.app import run
from assay.core.errors import ConfigError, SubjectError
from assay.core.release import Decision
from assay.pipeline.candidate import opened_parts
from assay.pipeline.journal import Journal
from assay.pipeline.project import LoadedProject, load_project
from assay.pipeline.release import conclude_release, open_project_registry, run_release
from fixtures.baits import touching
from fixtures.hub_server import COMMIT, HubRepository, HubServer
from fixtures.pickle_attacks import attacks
from fixtures.projects import CONFIG, make_project, write_model

PINNED = f"hf://acme/bot@{COMMIT}"
FROM_HUB = CONFIG.replace("path: model}", "path: hf://acme/bot}")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return tmp_path / "cache" / "assay" / "sources"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    folder = write_model(tmp_path / "published")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    files["README.md"] = b"---\nlicense: mit\nbase_model: acme/base\n---\n"
    with HubServer({"acme/bot": HubRepository(files, {"model.safetensors"})}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def project(tmp_path: Path) -> LoadedProject:
    return make_project(tmp_path / "project", config=FROM_HUB)


def left_in(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir()]


def test_a_model_on_the_hub_is_released_by_its_commit(
    project: LoadedProject, hub: HubServer, cache: Path
) -> None:
    released = run_release(project)
    assert released.decided.final.decision is Decision.PASS, released.decided.final.reasons
    assert released.candidate.subjects["model"].name == PINNED
    assert released.reports["model.origin"].metrics["revision"] == COMMIT
    scan = released.reports["artifact.scan"]
    assert (scan.subject.name, scan.subject.location) == (PINNED, PINNED)
    assert left_in(cache) == ["lock"]
    registry = open_project_registry(project)
    stored = registry.resolve("bot", released.move.version if released.move else "")
    assert (stored / "model.safetensors").read_bytes() == hub.repositories["acme/bot"].files[
        "model.safetensors"
    ]
    journal = Journal.of_project(project)
    logged = journal.evidence(released.candidate.digest)
    assert str(cache) not in json.dumps([item.value.report.subject.location for item in logged.values()])
    journal.close()


def test_attack_a_poisoned_model_on_the_hub_is_refused(
    project: LoadedProject, hub: HubServer, cache: Path, tmp_path: Path
) -> None:
    tripwire = tmp_path / "tripwire"
    hub.repositories["acme/bot"].files["head.pkl"] = attacks(touching(tripwire))["global-reduce"]
    released = run_release(project)
    assert released.decided.final.decision is Decision.FAIL
    assert released.move is None
    assert not tripwire.exists()
    assert left_in(cache) == ["lock"]


def test_attack_a_download_that_is_cut_short_decides_nothing(
    project: LoadedProject, hub: HubServer, cache: Path
) -> None:
    hub.repositories["acme/bot"].content = lambda _, content: content[:-1]
    with pytest.raises(SubjectError, match="ended after"):
        run_release(project)
    assert left_in(cache) == ["lock"]


def test_attack_what_was_not_checked_is_not_promoted_under_the_same_name(
    project: LoadedProject, hub: HubServer
) -> None:
    checked = run_release(project, promote_it=False)
    assert checked.decided.final.decision is Decision.PASS
    weights = hub.repositories["acme/bot"].files
    honest = weights["model.safetensors"]
    weights["model.safetensors"] = honest[:-1] + bytes([honest[-1] ^ 1])
    other = conclude_release(project)
    assert other.decided.final.decision is Decision.FAIL
    assert other.move is None
    weights["model.safetensors"] = honest
    assert conclude_release(project).move is not None


@pytest.mark.usefixtures("hub")
def test_the_command_line_releases_a_model_by_name(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_project(tmp_path / "project").root
    command = ["run", "--project", str(root), "--model", "HF://acme/bot", "--no-promote", "-f", "json"]
    assert run(command) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["candidate"]["subjects"]["model"]["name"] == PINNED
    assert "fetching HF://acme/bot\n" in told.err
    assert str(cache) not in told.out
    assert run(["promote", "--project", str(root), "--model", PINNED]) == 0


@pytest.mark.usefixtures("hub")
def test_a_check_finds_the_projects_model_by_name(
    project: LoadedProject,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project.root)
    assert run(["check", "artifact.scan", "-f", "json"]) == 0
    subject = json.loads(capsys.readouterr().out)["reports"][0]["subject"]
    assert (subject["name"], subject["location"]) == (PINNED, PINNED)


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("hf:/acme/bot", "Write hf://ORG/NAME@REVISION."),
        ("nowhere", "Correct the path, or make the file first."),
    ],
)
def test_a_part_that_is_not_there_is_told(path: str, remedy: str, tmp_path: Path) -> None:
    config = CONFIG.replace("path: model}", f"path: '{path}'}}")
    broken = make_project(tmp_path / "project", config=config)
    with pytest.raises(ConfigError, match=r"model\.path") as caught, opened_parts(broken):
        pass
    assert caught.value.remedy == remedy


def test_data_in_a_bucket_is_fetched_too(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    for name, value in {
        "AWS_ENDPOINT_URL": "http://{}:{}".format(*running.get_host_and_port()),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    project = make_project(tmp_path / "project")
    client = boto3.session.Session().client("s3")
    client.create_bucket(Bucket="training")
    client.put_object(Bucket="training", Key="data.jsonl", Body=(project.root / "data.jsonl").read_bytes())
    local = CONFIG.replace("data: {path: data.jsonl}", "data: {path: s3://training/data.jsonl}")
    (project.root / "assay.yaml").write_text(local)
    with opened_parts(project) as here, opened_parts(load_project(project.root)) as there:
        data = there.candidate().subjects["data"]
        assert data.sha256 == here.candidate().subjects["data"].sha256
        assert data.name.startswith("s3://training/data.jsonl")
    running.stop()
    assert left_in(cache) == ["lock"]
