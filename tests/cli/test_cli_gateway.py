"""`assay gateway` and its keys, as people call them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

SMALLEST = "gateway:\n  upstreams:\n    - name: main\n      url: http://127.0.0.1:9/v1\n"


def gateway(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assay", "gateway", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(SMALLEST)
    return tmp_path


def test_keys_are_made_listed_and_revoked(folder: Path) -> None:
    made = gateway(
        folder, "key", "add", "support-bot", "--tenant", "acme", "--scope", "chat", "--model", "ti*"
    )
    assert made.returncode == 0, made.stderr
    found = re.fullmatch(r"sk-assay-([0-9a-f]{12})-[\w-]{43}\n", made.stdout)
    assert found is not None
    assert "the only time that it is shown" in made.stderr
    listed = gateway(folder, "key", "list")
    assert listed.stdout == f"{found[1]}  support-bot, tenant acme, chat, valid\n"
    assert (
        gateway(folder, "key", "revoke", found[1]).stdout
        == f"key {found[1]} (support-bot) is not taken any more\n"
    )
    assert "revoked" in gateway(folder, "key", "list").stdout
    stored = json.loads((folder / ".assay/gateway/keys.json").read_text())
    assert made.stdout.strip().rpartition("-")[2] not in json.dumps(stored)


def test_the_configuration_may_be_named_before_or_after_the_command(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file = str(folder / "gateway.yaml")
    assert gateway(elsewhere, "--config", file, "key", "add", "one").returncode == 0
    assert gateway(elsewhere, "key", "add", "two", "--config", file).returncode == 0
    assert len(gateway(folder, "key", "list").stdout.splitlines()) == 2


def test_a_check_says_what_is_in_order(folder: Path) -> None:
    refused = gateway(folder, "--check")
    assert refused.returncode == 2
    assert "there are no keys" in refused.stderr
    assert "assay gateway key add NAME" in refused.stderr
    gateway(folder, "key", "add", "one")
    assert gateway(folder, "--check").stdout.startswith("gateway.yaml: in order; upstreams main; policy ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALLEST + "  prot: 1\n", "unknown key 'gateway.prot'"),
        (SMALLEST.replace("http://", "ftp://"), "is not an http(s) address"),
        ("guard: {}\n", "gateway: Field required"),
        (SMALLEST + "  host: 0.0.0.0\n  auth: none\n", "anybody who reaches 0.0.0.0"),
        (SMALLEST + "  tls: {certificate: a.pem, key: b.pem}\n", "gateway.tls"),
        (SMALLEST + "guard: {packs: [absent.yaml]}\n", "absent.yaml"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_served(folder: Path, text: str, said: str) -> None:
    gateway(folder, "key", "add", "one")
    (folder / "gateway.yaml").write_text(text)
    done = gateway(folder, "--check")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_configuration_it_says_how_to_write_one(tmp_path: Path) -> None:
    done = gateway(tmp_path)
    assert done.returncode == 2
    assert "no gateway.yaml or assay.yaml here" in done.stderr


def test_an_address_that_is_taken_is_an_error(folder: Path) -> None:
    import socket  # noqa: PLC0415

    gateway(folder, "key", "add", "one")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (folder / "gateway.yaml").write_text(SMALLEST + f"  port: {taken.getsockname()[1]}\n")
        done = gateway(folder)
    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1" in done.stderr


@pytest.mark.parametrize("words", [("--scope", "everything"), ("--tenant", "a/b"), ("--expires", "soon")])
def test_a_key_that_cannot_be_is_refused(folder: Path, words: tuple[str, str]) -> None:
    done = gateway(folder, "key", "add", "one", *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
