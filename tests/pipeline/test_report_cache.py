"""Reports of earlier scans: when they count, and everything that makes them not count."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.checks.packaging.artifact_scan import ArtifactScan
from assay.cli import caching, scan
from assay.cli.app import run
from assay.core.errors import UsageError
from assay.core.ignoring import IgnoreEntry
from assay.core.report import Report, Status
from assay.core.subject import Subject
from assay.pipeline.report_cache import cache, tool
from assay.pipeline.report_cache.cache import ReportCache
from assay.pipeline.report_cache.facts import facts_of
from assay.pipeline.runner import Task, run_task

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
BENIGN = pickle.dumps({"a": [1.0]})
ACME = b"\x80\x02cacme.layers\nDense\n)R."


class Scanning:
    """Scans through a cache of its own, and counts how often it had to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = 0
        self.during: Callable[[], object] = lambda: None

    def __call__(self, path: Path, **changes: Any) -> Report:
        kept = ReportCache(self.folder, clock=lambda: NOON)
        facts = facts_of(path)
        assert facts is not None
        kept.look(path, facts)
        return kept.report(replace(Task(ArtifactScan(), Subject.from_path(path)), **changes), self._run)

    def _run(self, task: Task) -> Report:
        self.runs += 1
        report = run_task(task).report
        self.during()
        return report


@pytest.fixture
def scanning(tmp_path: Path) -> Scanning:
    return Scanning(tmp_path / "cache")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "m.pkl").write_bytes(BENIGN)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.mark.parametrize(("content", "status"), [(BENIGN, Status.PASS), (ACME, Status.FAIL)])
def test_the_same_bytes_are_scanned_once(
    content: bytes, status: Status, scanning: Scanning, model: Path
) -> None:
    (model / "m.pkl").write_bytes(content)
    first, second = scanning(model), scanning(model)
    assert scanning.runs == 1
    assert (first.status, second.status) == (status, status)
    assert second.findings == first.findings
    assert second.details == json.loads(json.dumps(first.details))
    assert second.metrics == {**first.metrics, "cached": True, "scanned_at": NOON.isoformat()}
    note = f"from cache: scanned at {NOON.isoformat()}; bytes, rules and options are the same"
    assert second.coverage == replace(first.coverage, notes=(*first.coverage.notes, note))
    assert scanning.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in scanning.folder.iterdir()} == {0o600}


def test_a_copy_elsewhere_is_known_by_its_bytes(scanning: Scanning, model: Path, tmp_path: Path) -> None:
    scanning(model)
    other = tmp_path / "other"
    other.mkdir()
    for path in model.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    assert scanning(other).subject.name == str(other)
    assert scanning.runs == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda model: (model / "m.pkl").write_bytes(BENIGN + b"."),
        lambda model: (model / "m.pkl").rename(model / "n.pkl"),
        lambda model: (model / "m.pkl").chmod(0o755),
        lambda model: os.link(model / "m.pkl", model.parent / "outside"),
        lambda model: (model / "m.pkl").symlink_to((model / "m.pkl").rename(model.parent / "moved.pkl")),
        lambda model: (model / "torch.py").write_text(""),
        lambda model: (model / "model.sig").write_bytes(ACME),
        lambda model: (model / ".gitignore").write_text("other"),
    ],
    ids=["bytes", "name", "executable", "hard link", "link", "another file", "signature", "in no digest"],
)
def test_what_a_scan_judges_is_looked_at_anew(
    change: Callable[[Path], object], scanning: Scanning, model: Path
) -> None:
    (model / ".gitignore").write_text("a.txt")
    scanning(model)
    change(model)
    assert "cached" not in scanning(model).metrics
    assert scanning.runs == 2


def test_what_git_stores_makes_no_difference(scanning: Scanning, model: Path) -> None:
    (model / ".git" / "objects").mkdir(parents=True)
    (model / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (model / ".git" / "index").write_bytes(b"DIRC1")
    scanning(model)
    (model / ".git" / "objects" / "aa").write_bytes(b"x")
    assert scanning(model).metrics["cached"]
    (model / ".git" / "config").write_text("[core]\n\tfsmonitor = ./x\n")
    assert scanning(model).status is Status.FAIL


def test_the_name_of_a_single_file_counts(scanning: Scanning, tmp_path: Path) -> None:
    for name in ("m.pkl", "m.safetensors", "m.pkl"):
        (tmp_path / name).write_bytes(BENIGN)
        scanning(tmp_path / name)
    assert scanning.runs == 2


def test_options_rules_and_python_count(
    scanning: Scanning, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanning(model)
    scanning(model, options={"max_depth": 3})
    assert scanning.runs == 2
    monkeypatch.setattr(ArtifactScan, "info", replace(ArtifactScan.info, version="other"))
    scanning(model)
    assert scanning.runs == 3
    monkeypatch.setattr(tool, "TREES", ("core",))
    tool.tool_digest.cache_clear()
    scanning(model)
    assert scanning.runs == 4
    monkeypatch.setattr(sys, "version", "another")
    tool.environment.cache_clear()
    scanning(model)
    assert scanning.runs == 5
    monkeypatch.undo()
    tool.tool_digest.cache_clear()
    tool.environment.cache_clear()


def test_every_rule_file_counts(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from assay.pipeline.report_cache.tool import tool_digest; print(tool_digest())"
    )
    copy = tmp_path / "copy" / "assay"
    shutil.copytree(Path(assay.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def digest() -> str:
        command = [sys.executable, "-c", code, str(copy.parent)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    seen = {digest()}
    for name in ("checks/packaging/artifact_scan/deny.yaml", "subjects/pickles/child/inert.py"):
        with (copy / name).open("a") as file:
            file.write("\n# changed\n")
        seen.add(digest())
    (copy / "guard" / "more.yaml").write_text("[]")
    assert len(seen | {digest()}) == 4


def test_a_scan_is_made_of_nothing_that_does_not_count(model: Path) -> None:
    code = (
        "import sys, tempfile; from pathlib import Path\n"
        "from assay.checks.packaging.artifact_scan import ArtifactScan\n"
        "from assay.core.check import Context; from assay.core.subject import Subject\n"
        "ArtifactScan().run(Subject.from_path(sys.argv[1]), Context(Path(tempfile.mkdtemp())))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('assay.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True
    )
    trees = tuple(f"assay.{tree.replace('/', '.')}" for tree in tool.TREES)
    assert [
        name for name in done.stdout.split() if not name.startswith(trees) and not trees[0].startswith(name)
    ] == []


def test_what_is_not_whole_is_not_kept(scanning: Scanning, model: Path) -> None:
    (model / "unknown.blob").write_bytes(bytes(range(256)) * 40)
    assert scanning(model).status is Status.INCOMPLETE
    assert scanning(model).status is Status.INCOMPLETE
    assert scanning(model, options={"no": "such"}).status is Status.ERROR
    assert (scanning.runs, list(scanning.folder.iterdir())) == (3, [])


def test_what_changes_while_it_is_scanned_is_not_kept(scanning: Scanning, model: Path) -> None:
    file = model / "m.pkl"
    before = file.stat()

    def swap() -> None:
        # The bytes and the times that they had: only the time of change tells.
        file.write_bytes(ACME)
        file.write_bytes(BENIGN)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    scanning.during = swap
    scanning(model)
    assert list(scanning.folder.iterdir()) == []


def test_ignore_entries_are_applied_anew(scanning: Scanning, model: Path) -> None:
    (model / "m.pkl").write_bytes(ACME)
    entry = IgnoreEntry("ours and reviewed", date(2999, 1, 1), rule="pickle/*")
    assert scanning(model, ignores=(entry,)).status is Status.PASS
    assert scanning(model).status is Status.FAIL
    again = scanning(model, ignores=(entry,))
    assert (again.status, len(again.ignored), scanning.runs) == (Status.PASS, 1, 1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes().replace(b"pickle/", b"pickle-")),
        lambda path: path.write_bytes(path.read_bytes()[:-10]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"x" * (cache.MAX_ENTRY + 1)),
        lambda path: path.rename(path.with_name("away")) and path.symlink_to("away"),
        lambda path: (path.unlink(), os.mkfifo(path)),  # type: ignore[func-returns-value]
    ],
    ids=["changed", "short", "empty", "long", "link", "pipe"],
)
def test_a_damaged_entry_does_not_count(
    damage: Callable[[Path], object], scanning: Scanning, model: Path
) -> None:
    (model / "m.pkl").write_bytes(ACME)
    first = scanning(model)
    (entry,) = scanning.folder.glob("*.json")
    damage(entry)
    assert scanning(model) == first
    assert scanning(model).metrics["cached"] is True
    assert scanning.runs == 2


def test_what_was_used_longest_ago_is_evicted(
    scanning: Scanning, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MAX_ENTRIES", 5)
    for number in range(6):
        (model / "config.json").write_text(f"[{number}]")
        scanning(model)
        for age, path in enumerate(sorted(scanning.folder.iterdir(), key=lambda p: p.stat().st_mtime_ns)):
            os.utime(path, ns=(age, age))
    assert len(list(scanning.folder.iterdir())) == 4
    (model / "config.json").write_text("[5]")
    assert "cached" in scanning(model).metrics


@pytest.mark.parametrize("mode", [0o777, 0o750, 0o701])
def test_a_folder_that_others_may_use_is_refused(mode: int, scanning: Scanning, model: Path) -> None:
    scanning.folder.mkdir()
    scanning.folder.chmod(mode)
    with pytest.raises(UsageError, match="others may use it"):
        scanning(model)


def test_a_folder_that_is_a_link_or_somebody_elses_is_refused(
    scanning: Scanning, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    scanning.folder.symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="is not a folder of yours"):
        scanning(model)
    scanning.folder.unlink()
    if os.geteuid() == 0:
        scanning.folder.mkdir(mode=0o700)
        os.chown(scanning.folder, 12345, 12345)
        with pytest.raises(UsageError, match="is not a folder of yours"):
            scanning(model)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path) -> Path:
    """The command line's cache with no subject too small for it, and hashing beside from a byte on."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(caching, "LEAST", 0)
    monkeypatch.setattr(scan, "LARGE", 1)
    monkeypatch.chdir(tmp_path)
    return model


def cached(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[bool]:
    capsys.readouterr()
    run([*arguments, "-f", "json"])
    return ["cached" in r["metrics"] for r in json.loads(capsys.readouterr().out)["reports"]]


def test_scan_uses_it_unless_told_otherwise(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(small), str(small / "m.pkl")]
    assert cached(capsys, "scan", *words) == [False, False]
    assert cached(capsys, "scan", *words) == [True, True]
    assert cached(capsys, "scan", "--no-cache", *words) == [False, False]
    assert cached(capsys, "check", "artifact.scan", str(small)) == [False]
    assert run(["scan", str(small)]) == 0
    assert "from cache: scanned at" in capsys.readouterr().out


def test_scan_goes_on_without_it(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "xdg" / "assay" / "reports"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert run(["scan", str(small), str(small / "m.pkl")]) == 0
    assert capsys.readouterr().err.count("earlier reports are not used") == 1
    assert list(folder.iterdir()) == []


def test_a_small_subject_is_not_kept(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cached(capsys, "scan", str(model), str(model / "m.pkl")) == [False, False]
    assert not (tmp_path / "xdg").exists()
