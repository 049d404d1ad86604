"""`assay scan` and `assay check` on patterns and on names of sources."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from assay.cli.app import run
from fixtures.baits import touching
from fixtures.hub_server import COMMIT, HubRepository, HubServer
from fixtures.pickle_attacks import attacks

PINNED = f"hf://acme/bot@{COMMIT}"
BENIGN = {"README.md": b"---\nlicense: mit\n---\n", "config.json": b"{}", "m.pkl": pickle.dumps({"a": [1.0]})}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "assay" / "sources"


def hub(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> HubServer:
    server = HubServer({"acme/bot": HubRepository(files, {"m.pkl"})})
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    return server


def reports(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run([*arguments, "-f", "json"])
    document = json.loads(capsys.readouterr().out)
    return code, {report["subject"]["name"]: report for report in document["reports"]}


def test_a_payload_on_the_hub_is_found_and_its_twin_is_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cache: Path
) -> None:
    tripwire = tmp_path / "tripwire"
    with hub(monkeypatch, BENIGN | {"m.pkl": attacks(touching(tripwire))["global-reduce"]}):
        code, found = reports(capsys, "scan", "hf://acme/bot")
    assert (code, list(found)) == (1, [PINNED])
    assert [finding["rule"] for finding in found[PINNED]["findings"]] == ["pickle/dangerous-global"]
    assert not tripwire.exists()
    with hub(monkeypatch, BENIGN):
        code, found = reports(capsys, "scan", "hf://acme/bot")
    assert (code, found[PINNED]["status"]) == (0, "pass")
    assert str(tmp_path) not in json.dumps(found)
    assert [path.name for path in cache.iterdir()] == ["lock"]


def test_what_cannot_be_fetched_is_never_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with hub(monkeypatch, BENIGN) as server:
        server.repositories["acme/bot"].content = lambda _, content: content[:-1]
        code, found = reports(capsys, "scan", "hf://acme/bot", __file__)
        assert (code, list(found)) == (2, [__file__])
        assert run(["scan", "hf://acme/bot"]) == 2
        assert "ended after" in capsys.readouterr().err
        assert run(["check", "artifact.scan", "hf://acme/bot"]) == 2


def test_checks_take_sources_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with hub(monkeypatch, BENIGN):
        code, found = reports(capsys, "check", "model.origin", "hf://acme/bot")
        assert code == 0
        metrics = found[PINNED]["metrics"]
        assert (metrics["source"], metrics["revision"], metrics["pinned"]) == ("acme/bot", COMMIT, True)
        code, found = reports(capsys, "check", "artifact.scan", "hf://acme/bot/m.pkl")
        assert (code, list(found)) == (0, [f"{PINNED}/m.pkl"])


def test_nothing_is_fetched_unless_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text('{"_name_or_path": "hf://acme/bot"}')
    local = tmp_path / "hf:" / "acme"
    local.mkdir(parents=True)
    (local / "bot").write_bytes(BENIGN["m.pkl"])
    with hub(monkeypatch, BENIGN) as server:
        code, found = reports(capsys, "scan", "config.json", "./hf://acme/bot")
        assert (code, sorted(found)) == (0, ["config.json", "hf:/acme/bot"])
        assert server.requests == []


@pytest.mark.parametrize("command", [["scan"], ["explain"], ["check", "artifact.scan"], ["diff", "."]])
def test_a_name_that_is_none_is_told_how_to_write_it(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "s3:/bucket/model.pt"]) == 2
    said = "assay: s3:/bucket/model.pt: does not name what can be fetched\n  → Write s3://BUCKET/KEY.\n"
    assert said in capsys.readouterr().err


def test_a_file_by_such_a_name_is_scanned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ftp:" / "h").mkdir(parents=True)
    (tmp_path / "ftp:" / "h" / "m.pkl").write_bytes(BENIGN["m.pkl"])
    code, found = reports(capsys, "scan", "ftp://h/m.pkl")
    assert (code, list(found)) == (0, ["ftp:/h/m.pkl"])


def test_schemes_may_be_written_in_capitals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with hub(monkeypatch, BENIGN):
        code, found = reports(capsys, "scan", "HF://acme/bot")
    assert (code, list(found)) == (0, [PINNED])


def test_patterns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs" / "1").mkdir(parents=True)
    (tmp_path / "runs" / "1" / "m.pkl").write_bytes(attacks(touching(tmp_path / "tripwire"))["global-reduce"])
    (tmp_path / "m[0].pkl").write_bytes(BENIGN["m.pkl"])
    code, found = reports(capsys, "scan", "runs/**/*.pkl", "m[0].pkl")
    assert (code, sorted(found)) == (1, ["m[0].pkl", "runs/1/m.pkl"])
    assert run(["scan", "*.pt"]) == 2
    assert "*.pt: no file or folder matches\n  → Correct the pattern" in capsys.readouterr().err


def test_a_download_that_was_killed_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cache: Path
) -> None:
    with hub(monkeypatch, BENIGN) as server:
        server.hang_at = "m.pkl"
        command = [sys.executable, "-c", "from assay.cli import main; main()", "scan", "hf://acme/bot"]
        killed = subprocess.Popen(command, env=os.environ, stderr=subprocess.DEVNULL)
        pause = threading.Event()
        for _ in range(600):
            if any(path.startswith("/cdn/") for path, _ in server.requests):
                break
            pause.wait(0.05)
        killed.kill()
        killed.wait()
        assert len(list(cache.iterdir())) == 2
        server.hang_at = ""
        assert reports(capsys, "scan", "hf://acme/bot")[0] == 0
    assert [path.name for path in cache.iterdir()] == ["lock"]
