"""`assay sign` and `assay verify`, as users run them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from fixtures.projects import make_project, write_model
from fixtures.signers import Authority, key_files


def assay(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from assay.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "ASSAY_KEY": str(cwd / "keys" / "user.pem")}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, env=environment)


def test_sign_then_verify_then_change(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    unsigned = assay("verify", "model", cwd=tmp_path)
    assert unsigned.returncode == 1
    assert "signature/missing" in unsigned.stdout
    done = assay("sign", "model", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wrote model/model.sig" in done.stdout
    assert "2 files" in done.stdout
    assert assay("verify", "model", cwd=tmp_path).returncode == 0
    again = assay("sign", "model", cwd=tmp_path)
    assert again.returncode == 2
    assert "there is a signature already" in again.stderr
    assert assay("sign", "model", "--force", cwd=tmp_path).returncode == 0
    (tmp_path / "model" / "config.json").write_text("{}")
    changed = assay("verify", "model", "-f", "json", cwd=tmp_path)
    assert changed.returncode == 1
    (report,) = json.loads(changed.stdout)["reports"]
    assert [finding["rule"] for finding in report["findings"]] == ["signature/file-changed"]


def test_the_model_signing_tool_verifies_what_assay_signed(tmp_path: Path) -> None:
    pytest.importorskip("model_signing")
    write_model(tmp_path / "model")
    keys = key_files(tmp_path / "release")
    assert assay("sign", "model", "--key", keys.private, cwd=tmp_path).returncode == 0
    tool = [sys.executable, "-m", "model_signing", "verify", "key", "model", "--signature", "model/model.sig"]
    tool += ["--public_key", str(keys.public)]
    done = subprocess.run(tool, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert assay("verify", "model", "--key", keys.public, cwd=tmp_path).returncode == 0


def test_assay_verifies_what_the_model_signing_tool_signed(tmp_path: Path) -> None:
    pytest.importorskip("model_signing")
    write_model(tmp_path / "model")
    keys = key_files(tmp_path / "release")
    tool = [sys.executable, "-m", "model_signing", "sign", "key", "model", "--signature", "model/model.sig"]
    done = subprocess.run(
        [*tool, "--private_key", str(keys.private)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert assay("verify", "model", "--key", keys.public, cwd=tmp_path).returncode == 0
    other = key_files(tmp_path / "release", "other")
    assert assay("verify", "model", "--key", other.public, cwd=tmp_path).returncode == 1


def test_a_certificate_goes_into_the_bundle(tmp_path: Path) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    from fixtures.signers import NOW  # noqa: PLC0415

    today = (datetime.now(UTC) - NOW).days
    days = (today - 1, today + 30)
    write_model(tmp_path / "model")
    root = Authority(tmp_path / "ca", "root", days=days)
    signer = root.issue("release", days=days, email="release@example.org")
    signing = ["sign", "model", "--key", signer.keys.private, "--certificate", signer.path]
    assert assay(*signing, cwd=tmp_path).returncode == 0
    verifying = ["verify", "model", "--certificate", root.own.path, "--identity"]
    assert assay(*verifying, "release@example.org", cwd=tmp_path).returncode == 0
    assert assay(*verifying, "other@example.org", cwd=tmp_path).returncode == 1
    wrong = ["sign", "model", "--force", "--key", key_files(tmp_path / "x").private]
    refused = assay(*wrong, "--certificate", signer.path, cwd=tmp_path)
    assert refused.returncode == 2
    assert "the certificate is of another key" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sign", "nowhere"], "there is no such file or folder"),
        (["sign", "model", "--chain", "x.pem"], "--chain needs --certificate"),
        (["sign", "model", "--key", "nowhere.pem"], "cannot be read"),
        (["verify", "nowhere"], "cannot be read"),
        (["verify", "model", "--key", "nowhere.pub"], "cannot be read"),
        (["verify", "model", "--signature", "nowhere.sig"], "there is no such file"),
    ],
)
def test_a_mistake_is_exit_code_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    write_model(tmp_path / "model")
    assert assay("sign", "model", cwd=tmp_path).returncode == 0 or "nowhere.pem" in arguments
    (tmp_path / "model" / "model.sig").unlink()
    (tmp_path / "model" / "model.sig").write_text("{}")
    done = assay(*arguments, *(["--force"] if arguments[0] == "sign" else []), cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr


def test_inside_a_project_its_key_counts_and_its_ledger_speaks(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert assay("sign", "model", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "keys").exists()  # the project names a key of its own
    assert assay("verify", "model", cwd=tmp_path).returncode == 0
    assert assay("run", "--no-progress", cwd=tmp_path).returncode == 0
    done = assay("verify", "model", "-f", "json", cwd=tmp_path)
    assert done.returncode == 0
    (note,) = json.loads(done.stdout)["notes"]
    assert note.startswith("the ledger here knows these bytes: ")
    assert note.endswith("entries, all verified (assay prove)")
    (tmp_path / "model" / "config.json").write_text("{}")
    unknown = assay("verify", "model", "-f", "json", cwd=tmp_path)
    assert unknown.returncode == 1
    assert json.loads(unknown.stdout)["notes"] == ["the ledger here does not know these bytes"]
    with closing(sqlite3.connect(tmp_path / ".assay" / "ledger.db")) as connection, connection:
        connection.execute("UPDATE entries SET envelope = x'7b7d' WHERE \"index\" = 0")
    tampered = assay("verify", "model", "-f", "json", cwd=tmp_path)
    assert tampered.returncode == 2  # a ledger that is not intact is neither a yes nor a no
    assert "knows these bytes" not in tampered.stdout
    assert "ledger" in tampered.stderr
