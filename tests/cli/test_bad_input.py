"""Bad input, end to end: a clear message with cause and next step, the right exit code, no traceback."""

from __future__ import annotations

import json
import os
import pickle
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import chat_server
from fixtures.mounts import mounted
from fixtures.projects import make_project, write_model

EVERYTHING = ("Traceback", "Error(", "object at 0x")


def assay(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from assay.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, timeout=120)
    for sign in EVERYTHING:
        assert sign not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


def words(done: subprocess.CompletedProcess[str]) -> str:
    """What was printed, with line breaks of tables undone."""
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("arguments", [("scan",), ("convert", "-o", "out.safetensors")])
def test_an_error_shows_what_a_terminal_would_obey(arguments: tuple[str, ...], tmp_path: Path) -> None:
    name = "no\x1b[2J\u202efile\udc80.pt"
    done = assay(*arguments, name, cwd=tmp_path)
    assert done.returncode == 2
    assert "no\\x1b[2J\\u202efile\\udc80.pt" in done.stderr
    (tmp_path / "no\x1b[2Jfile.pt").write_bytes(b"")
    done = assay(*arguments, "no\x1b[2Jfile.pt", cwd=tmp_path)
    assert "\x1b" not in done.stdout + done.stderr


def test_an_unreadable_file(tmp_path: Path) -> None:
    # Readable by no one, root included: reads of it fail with EIO.
    done = assay("scan", "/proc/self/mem", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be read" in words(done)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    done = assay("scan", "model.safetensors", cwd=tmp_path)
    assert done.returncode in (1, 4)
    assert "empty" in words(done) or "too short" in words(done)


def test_a_truncated_safetensors(tmp_path: Path) -> None:
    file = write_model(tmp_path / "model") / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    done = assay("scan", file, cwd=tmp_path)
    assert done.returncode in (1, 4)
    assert "outside the" in words(done)
    diff = assay("diff", file, file, cwd=tmp_path)
    assert diff.returncode == 2
    assert "outside the" in words(diff)


def test_a_header_of_2_to_the_63_bytes(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", 1 << 63) + b"{}")
    done = assay("scan", file, cwd=tmp_path)
    assert done.returncode in (1, 4)
    assert "9,223,372,036,854,775,808 bytes" in words(done)


def test_unknown_keys_in_assay_yaml(tmp_path: Path) -> None:
    make_project(tmp_path)
    with (tmp_path / "assay.yaml").open("a") as file:
        file.write("polcy: {packs: [strict]}\n")
    done = assay("run", cwd=tmp_path)
    assert done.returncode == 2
    assert "unknown key 'polcy'" in words(done)
    assert "docs/configuration.md" in words(done)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_endpoint_that_is_down(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = assay("check", "model.behavior-diff", f"http://127.0.0.1:{port}/v1", cwd=tmp_path)
    assert done.returncode == 2
    assert "127.0.0.1" in words(done)
    assert "→" in done.stdout or "; " in done.stdout


def test_an_endpoint_that_does_not_answer(tmp_path: Path, silent_port: int) -> None:
    options = ("--option", "timeout=0.2", "--option", "retries=0")
    url = f"http://127.0.0.1:{silent_port}/v1"
    done = assay("check", "model.behavior-diff", url, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{url}: the candidate answered none of" in words(done)
    assert "no complete answer within 0.2 s; Look at the endpoint's own log" in words(done)


def test_a_full_disk(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "size=4k") as small:
        (tmp_path / "m").mkdir()
        write_model(tmp_path / "m")
        (small / "filler").write_bytes(b"")
        target = f"html={small / 'report.html'}"
        done = assay("scan", tmp_path / "m", "-o", target, cwd=tmp_path)
        assert done.returncode == 2
        assert "no space left" in words(done).lower()
        assert [f.name for f in small.iterdir()] == ["filler"]


def test_a_read_only_folder(tmp_path: Path) -> None:
    make_project(tmp_path / "project")
    (tmp_path / "project" / ".assay").mkdir()
    with mounted(tmp_path / "project" / ".assay", "ro"):
        done = assay("run", "--no-progress", cwd=tmp_path / "project")
        assert done.returncode == 2
        assert "read-only" in words(done).lower()


def test_a_wrong_key(tmp_path: Path) -> None:
    make_project(tmp_path)
    key = tmp_path / ".assay" / "keys" / "signing.pem"
    key.parent.mkdir(parents=True, mode=0o700)
    key.write_text("not a key")
    key.chmod(0o600)
    done = assay("run", "--no-progress", cwd=tmp_path)
    assert done.returncode == 2
    assert "signing.pem" in words(done)


def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert assay("run", "--no-progress", cwd=tmp_path).returncode == 0
    (tmp_path / ".assay" / "keys" / "signing.pem").chmod(0o644)
    done = assay("run", "--no-progress", cwd=tmp_path)
    assert done.returncode == 2
    assert "signing.pem" in words(done)


def test_a_ledger_that_is_not_one(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / ".assay").mkdir()
    (tmp_path / ".assay" / "ledger.db").write_bytes(b"not a database" * 100)
    done = assay("run", "--no-progress", cwd=tmp_path)
    assert done.returncode == 2
    assert "ledger.db" in words(done)


def test_a_data_set_with_broken_lines_is_counted_not_dropped(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"row {i} of ordinary words", "label": i % 2}) for i in range(50)]
    (tmp_path / "d.jsonl").write_text("\n".join([*lines, "{broken", *lines]) + "\n")
    done = assay("check", "data.hygiene", "d.jsonl", cwd=tmp_path)
    assert done.returncode == 4
    assert "incomplete" in words(done)


def test_names_that_try_to_write_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m\x1b]0;title\x07.bin").write_bytes(b"\x00\x01\x02" * 50)
    done = assay("scan", ".", cwd=tmp_path)
    assert "\x1b" not in done.stdout + done.stderr
    assert done.returncode == 1  # such a name is a finding
    assert "repository/misleading-name" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("scan", "m"),
        ("scan", "m", "-f", "json"),
        ("--help",),
        ("scan", "--help"),
        ("explain", "m"),
        ("controls",),
    ],
)
def test_a_reader_that_went_away_gets_the_code_that_shells_give(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    write_model(tmp_path / "m")
    code = "from assay.cli import main; main()"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_endpoint_that_answers_nonsense(tmp_path: Path) -> None:
    def nonsense(_system: str, _user: str) -> chat_server.Raw:
        return chat_server.Raw(body=b"<html>welcome</html>")

    with chat_server.ChatServer(nonsense) as server:
        done = assay("check", "model.behavior-diff", server.url, cwd=tmp_path)
    assert done.returncode in (2, 4)
    assert "JSON" in words(done)


@pytest.mark.skipif(os.geteuid() == 0, reason="the permissions of a file do not bind root")
def test_one_unreadable_file_does_not_hide_what_the_others_hold(tmp_path: Path) -> None:
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'x'\ntR.")
    (tmp_path / "weights.bin").write_bytes(b"x")
    (tmp_path / "weights.bin").chmod(0)
    done = assay("scan", tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "pickle/dangerous-global" in done.stdout
    assert "weights.bin" in done.stderr


def test_a_folder_with_a_pipe_is_scanned_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'x'\ntR.")
    os.mkfifo(tmp_path / "pipe.bin")
    done = assay("scan", tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "pickle/dangerous-global" in done.stdout
    assert "not a regular file" in done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (pickle.dumps([1, "two"])[:-1], "ends before its STOP"),
        (b"PK\x03\x04\x14\0\0\0\0\0 and no more", "no end of central directory"),
    ],
)
def test_a_file_that_is_cut_off_is_said_to_be(content: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    file.write_bytes(content)
    done = assay("scan", file, cwd=tmp_path)
    assert done.returncode == 4
    assert told in " ".join(done.stdout.split())
    assert "Get it again from its source" in done.stdout
