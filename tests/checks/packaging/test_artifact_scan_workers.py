"""Many files on all cores: what is found does not depend on who examined it, and no death reads as clean."""

from __future__ import annotations

import gzip
import os
import pickle
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.checks.packaging.artifact_scan import ArtifactScanOptions, policy
from assay.checks.packaging.artifact_scan.blob import Outcome
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.checks.packaging.artifact_scan.workers import FEW, File, Task, Workers
from assay.subjects.pickles.machine import MachinePool
from fixtures.baits import touching
from fixtures.ends import ended
from fixtures.pickle_attacks import attacks


@pytest.fixture
def files(tmp_path: Path) -> list[File]:
    """An attack, a benign pickle, a text, an archive and a program, each several times."""
    contents = {
        "attack.pkl": next(iter(attacks(touching(tmp_path / "tripwire")).values())),
        "data.pkl": pickle.dumps({"weights": [1.0, 2.0]}),
        "notes.txt": b"nothing to see\n",
        "packed.gz": gzip.compress(pickle.dumps([0] * 1000)),
        "setup.py": b"import os\nos.system('id')\n",
    }
    made = []
    for number in range(4):
        for name, content in contents.items():
            path = tmp_path / f"{number}-{name}"
            path.write_bytes(content)
            made.append((path, path.name))
    return made


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[Scanner]:
    (tmp_path / "workspace").mkdir()
    with MachinePool(size=1, shapes=policy.shapes) as pool:
        yield Scanner(pool, ArtifactScanOptions(), tmp_path / "workspace")


def workers(scanner: Scanner, tmp_path: Path, files: int = 100, alone: float = 0) -> Workers:
    task = Task(ArtifactScanOptions(), tmp_path / "workspace", None)
    return Workers(scanner, task, files, alone=alone)


def test_a_process_finds_what_this_one_does(files: list[File], scanner: Scanner, tmp_path: Path) -> None:
    here = [scanner.file(*file) for file in files]
    left = scanner.unpackable
    with workers(scanner, tmp_path) as others:
        there = others.examine(files)
        assert len(others.pids) == 1
    assert there == here
    assert any(outcome.findings for outcome in there)
    assert left - scanner.unpackable == ArtifactScanOptions().max_unpacked - left > 0


def test_no_process_is_started_for_a_moment_or_a_few_files(
    files: list[File], scanner: Scanner, tmp_path: Path
) -> None:
    with workers(scanner, tmp_path, alone=60) as early, workers(scanner, tmp_path, files=FEW) as few:
        assert early.examine(files[:2]) == few.examine(files[:2])
        assert early.pids == few.pids == []


def test_files_of_a_process_that_was_killed_are_examined_by_another(
    files: list[File], scanner: Scanner, tmp_path: Path
) -> None:
    here = [scanner.file(*file) for file in files]
    with workers(scanner, tmp_path) as others:
        others.examine(files[:1])
        os.kill(others.pids[0], signal.SIGKILL)
        assert others.examine(files) == here
        assert len(others.pids) == 2


def test_a_file_that_every_process_dies_of_is_not_examined(
    files: list[File], scanner: Scanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "dies"
    dying.write_text(
        f"#!{sys.executable}\nimport sys\nsys.stdin.readline()\nprint('{{}}', flush=True)\n"
        "sys.stdin.readline()\nsys.exit(9)\n"
    )
    dying.chmod(dying.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(dying))
    with workers(scanner, tmp_path) as others:
        outcomes = others.examine(files[:2])
    assert [outcome.skipped[0].what for outcome in outcomes] == [name for _, name in files[:2]]
    assert all("died (exit 9)" in outcome.skipped[0].reason for outcome in outcomes)


def test_where_none_can_be_started_this_process_goes_on(
    files: list[File], scanner: Scanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here: list[Outcome] = [scanner.file(*file) for file in files]
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with workers(scanner, tmp_path) as others:
        assert others.examine(files) == here
        assert others.pids == []


# Starts a worker, lets it examine a file, and tells of it and of the processes that it started.
STARTING = """
import glob, sys
from pathlib import Path
from assay.checks.packaging.artifact_scan import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.workers import Task, Worker
worker = Worker(Task(ArtifactScanOptions(), Path(sys.argv[1]), None))
worker.examine([(Path(sys.argv[2]), "data.pkl")], 1000)
children = [open(name).read() for name in glob.glob(f"/proc/{worker.pid}/task/*/children")]
print(worker.pid, *" ".join(children).split(), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux tells of other processes' ends")
def test_workers_and_what_they_started_end_with_their_parent(tmp_path: Path) -> None:
    (tmp_path / "data.pkl").write_bytes(pickle.dumps([1.0]))
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTING, tmp_path, tmp_path / "data.pkl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    started = [int(number) for number in parent.stdout.readline().split()]
    assert len(started) == 2
    parent.kill()
    parent.communicate()
    assert all(ended(number) for number in started)
