"""Where reports go: devices, pipes, links and terminals; and paths that cannot be scanned."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assay.cli.app import run
from assay.cli.output import write_atomically
from fixtures.projects import make_project, write_model

PAYLOAD = b"cos\nsystem\n(S'touch tripwire'\ntR."


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    write_atomically(pipe, "whole")
    reader.join(10)
    assert got == ["whole"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_full_device_is_named_and_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(link, "text")
    assert caught.value.filename == str(link)
    assert link.is_symlink()
    assert stat.S_ISCHR(link.stat().st_mode)


def test_a_link_to_a_report_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    write_atomically(tmp_path / "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"
    assert {f.name for f in tmp_path.iterdir()} == {"real.json", "link.json"}


def test_an_error_names_the_users_path(tmp_path: Path) -> None:
    target = tmp_path / "none" / "x.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(target, "text")
    assert caught.value.filename == str(target)


def test_standard_output_by_its_device_name_follows_what_was_printed(tmp_path: Path) -> None:
    write_model(tmp_path / "m")
    code = "from assay.cli import main; main()"
    with (tmp_path / "out").open("w") as out:
        command = [sys.executable, "-c", code, "scan", "m", "-o", "json=/dev/stdout"]
        done = subprocess.run(command, cwd=tmp_path, stdout=out, check=False)
    assert done.returncode == 0
    text = (tmp_path / "out").read_text()
    document, end = json.JSONDecoder().raw_decode(text)
    assert document["tool"] == "assay"
    assert "1 pass" in text[end:]


def test_a_folder_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(tmp_path / "m")
    assert run(["scan", str(tmp_path / "m"), "-o", f"json={tmp_path}"]) == 2
    assert "is a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["scan", "m", "-o", "json=no/folder/x.json"],
        ["sign", "m", "-o", "no/folder/x.sig"],
        ["convert", "m", "-o", "no/folder/x.safetensors"],
        ["key", "export", "-o", "no/folder/x.pem"],
        ["snapshot", "m", "-o", "no/folder/x"],
        ["ledger", "head", "-o", "no/folder/x.head"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_makes_the_folder_of_its_output(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "m")
    assert run(command) == 2
    name = command[-1].removeprefix("json=")
    assert capsys.readouterr().err == (
        f"assay: -o {name}: there is no folder no/folder\n"
        "  → Correct the path, or make it: mkdir -p no/folder\n"
    )
    assert not (tmp_path / "no").exists()


def test_a_path_that_cannot_be_read_does_not_stop_the_scan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, missing = str(write_model(tmp_path / "good")), str(tmp_path / "missing")
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(PAYLOAD)
    assert run(["scan", missing, good, "-f", "json"]) == 2
    told = capsys.readouterr()
    assert missing in told.err
    assert [r["status"] for r in json.loads(told.out)["reports"]] == ["pass"]
    assert missing in json.loads(told.out)["notes"][0]
    assert run(["scan", good, missing, str(evil)]) == 1
    told = capsys.readouterr()
    assert missing in told.err
    assert "os.system" in told.out


def test_prove_as_json_holds_every_entry_and_the_root_and_a_run_its_declarations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path)
    assert run(["run", "--no-progress", "-f", "json", "--project", str(project.root)]) == 0
    declared = json.loads(capsys.readouterr().out)["declared"]
    assert [(d["check"], d["reason"]) for d in declared] == [
        ("model.behavior-diff", "this project serves no endpoint")
    ]
    assert run(["prove", str(tmp_path / "model"), "-f", "json", "--project", str(project.root)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(bytes.fromhex(told["head"]["root"])) == 32
    assert told["sound"] is True
    assert {"artifact.scan", "model.weights-diff"} <= {entry["what"] for entry in told["entries"]}


def terminal(folder: Path, *arguments: str, columns: int, errors: bool = False, **environment: str) -> str:
    """What the command prints on a terminal of that many columns, `errors` with what it prints on stderr."""
    main, secondary = pty.openpty()
    command = [sys.executable, "-c", "from assay.cli import main; main()", *arguments]
    variables = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"COLUMNS": str(columns)}
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=secondary,
        stderr=secondary if errors else subprocess.DEVNULL,
        env=variables | environment,
    )
    os.close(secondary)
    got = b""
    try:
        while part := os.read(main, 65536):
            got += part
    except OSError:
        pass  # the other end closed: how Linux tells the end of a terminal
    os.close(main)
    process.wait(60)
    return got.decode()


def test_colour_and_width_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "evil.pkl").write_bytes(PAYLOAD)
    assert "\x1b[" in terminal(tmp_path, "scan", "evil.pkl", columns=90)
    plain = terminal(tmp_path, "scan", "evil.pkl", columns=60, NO_COLOR="1")
    assert "\x1b[" not in plain
    assert 40 < max(len(line) for line in plain.splitlines()) <= 60


MOVES, COLORS = re.compile("\x1b\\[[0-9;?]*[A-LN-Za-ln-z]"), re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize(
    ("environment", "moves", "colors"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": ""}, False, False),
    ],
)
def test_a_terminal_gets_the_escapes_that_it_takes(
    environment: dict[str, str], moves: bool, colors: bool, tmp_path: Path
) -> None:
    (tmp_path / "evil.pkl").write_bytes(PAYLOAD)
    shown = terminal(tmp_path, "scan", "evil.pkl", columns=90, errors=True, **environment)
    assert bool(MOVES.search(shown)) is moves
    assert bool(COLORS.search(shown)) is colors
    silent = terminal(tmp_path, "scan", "evil.pkl", "--no-progress", columns=90, errors=True, **environment)
    assert not MOVES.search(silent)
    assert "pickle/dangerous-global" in shown
    assert "pickle/dangerous-global" in silent


def test_lines_of_a_run_and_small_tables_have_no_colour_where_none_is_wanted(tmp_path: Path) -> None:
    make_project(tmp_path)
    for arguments in (["run"], ["ledger", "show"], ["controls"]):
        shown = terminal(tmp_path, *arguments, columns=90, errors=True, TERM="xterm", NO_COLOR="1")
        assert not COLORS.search(shown)
    assert COLORS.search(terminal(tmp_path, "controls", columns=90, TERM="xterm"))


def test_nothing_but_text_goes_to_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "evil.pkl").write_bytes(PAYLOAD)
    command = [sys.executable, "-c", "from assay.cli import main; main()", "scan", "evil.pkl"]
    environment = {**os.environ, "TERM": "xterm", "FORCE_COLOR": "1"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, env=environment)
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout + done.stderr
