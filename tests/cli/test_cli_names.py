"""File names as attackers choose them: bytes that are no UTF-8, escapes, line ends, directions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

import pytest

from assay.cli.app import run

ATTACK = b"cos\nsystem\n(S'x'\ntR."
NAMES = (
    b"byte\xff.pkl",
    b"escape\x1b[2J\x1b]0;owned\x07.pkl",
    b"line\n  \xe2\x86\x92 All is well.pkl",
    b"c1\xc2\x9b2J.pkl",
    b"percent%20#?&<.pkl",
    "turned\u202elkp.txt".encode(),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    for name in NAMES:
        (
            Path(os.fsencode(tmp_path / "m").decode("utf-8", "surrogateescape")) / os.fsdecode(name)
        ).write_bytes(ATTACK)
    return tmp_path / "m"


def shown(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(list(arguments)) == 1
    out = capsys.readouterr().out
    assert out.isascii() or not any(c != "\n" and not c.isprintable() for c in out)
    out.encode("utf-8")
    return out


@pytest.mark.parametrize("fmt", ["table", "json", "sarif", "junit", "markdown", "html"])
def test_every_format_writes_out_what_would_not_show(
    fmt: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown("scan", folder.name, "-f", fmt, capsys=capsys)
    assert ("&#92;udcff" if fmt == "markdown" else "\\udcff") in out
    if fmt == "junit":
        ET.fromstring(out)
    # The line end in a name begins no line of its own, save where a table folds.
    assert "line\n" not in out


def test_json_holds_no_lone_surrogates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown("scan", folder.name, "-f", "json", capsys=capsys)
    json.dumps(json.loads(out), ensure_ascii=False).encode("utf-8")
    assert "m/byte\\udcff.pkl" in {report["subject"]["name"] for report in json.loads(out)["reports"]}


def test_uris_of_sarif_are_the_bytes_of_the_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_ = json.loads(shown("scan", folder.name, "-f", "sarif", capsys=capsys))["runs"][0]
    places = [result["locations"][0]["physicalLocation"] for result in run_["results"]]
    uris = {place["artifactLocation"]["uri"] for place in places}
    assert all(uri.isascii() and not set(uri) & set(' "<>\\^`{|}\n\x1b') for uri in uris)
    assert {unquote_to_bytes(uri) for uri in uris} == {b"m/" + name for name in NAMES}


def test_a_name_that_is_known_stays_known(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.json"
    shown("scan", folder.name, "-o", f"json={known}", capsys=capsys)
    assert run(["scan", folder.name, "--known", str(known)]) == 0


def test_a_word_of_the_command_line_is_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", "--\x1b[2J\u202e"]) == 2
    assert r"No such option '--\x1b[2J\u202e'" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_errors_on_the_terminal_write_names_out(encoding: str, folder: Path) -> None:
    code = "import sys; sys.stderr.isatty = lambda: True; from assay.cli import main; main()"
    missing = [name.replace(b"?", b"").replace(b"[", b"") + b"-missing" for name in NAMES]
    done = subprocess.run(
        [sys.executable, "-c", code, "scan", "--no-progress", os.fsencode(folder), *missing],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 1
    told = done.stderr.decode("utf-8")
    assert not any(char != "\n" and not char.isprintable() for char in told)
    assert told.count("\n") == 2 * len(NAMES)
    assert r"escape\x1b2J\x1b]0;owned\x07.pkl-missing: cannot be read: no such file" in told
    assert r"byte\udcff.pkl-missing: cannot be read" in told
