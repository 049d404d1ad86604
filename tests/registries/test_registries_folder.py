"""What only the folder registry promises: it survives kills, crowds, full and read-only disks."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.core.errors import RegistryError, SubjectError
from assay.core.subject import Subject
from assay.registries.folder import FolderRegistry

WRITER = """
import sys
from pathlib import Path
from assay.core.canonical import canonical_digest
from assay.core.subject import Subject
from assay.registries.folder import FolderRegistry

root, source, first = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
registry = FolderRegistry(root)
digest = Subject.from_path(source).sha256
for number in range(first, first + 1000):
    made = registry.create_version("bot", source, digest, canonical_digest(number), {"n": str(number)})
    print("version", made.version, flush=True)
    standing = registry.get_alias("bot", "champion")
    registry.set_alias("bot", "champion", made.version, expect=standing.version if standing else None)
    print("alias", made.version, flush=True)
"""
RACER = """
import sys
from pathlib import Path
from assay.core.errors import ConflictError
from assay.registries.folder import FolderRegistry

registry = FolderRegistry(Path(sys.argv[1]))
sys.stdin.readline()
for _ in range(50):
    standing = registry.get_alias("bot", "turn")
    try:
        registry.set_alias("bot", "turn", sys.argv[2], expect=standing.version if standing else None)
        print("moved", standing.version if standing else "none", sys.argv[2])
    except ConflictError:
        print("conflict")
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )


@pytest.mark.parametrize("lines", [1, 2, 3, 4, 5, 8, 11, 14])
def test_a_kill_leaves_the_old_state_or_the_new_one(tmp_path: Path, lines: int) -> None:
    source = tmp_path / "model"
    source.mkdir()
    for number in range(20):
        (source / f"part-{number}").write_bytes(os.urandom(50_000))
    digest = Subject.from_path(source).sha256
    root = tmp_path / "registry"
    acknowledged: dict[str, str] = {}
    for turn in range(3):
        writer = start(WRITER, str(root), str(source), str(turn * 1000))
        assert writer.stdout is not None
        for _ in range(lines + turn):
            what, version = writer.stdout.readline().split()
            acknowledged[what] = version
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:  # what was acknowledged before the signal arrived
            if line.endswith("\n"):
                what, version = line.split()
                acknowledged[what] = version
        writer.wait()
        writer.stdout.close()
        if writer.stdin:
            writer.stdin.close()

    registry = FolderRegistry(root)
    versions = registry.versions("bot")
    assert [one.version for one in versions] == [str(n) for n in range(1, len(versions) + 1)]
    assert len(versions) >= int(acknowledged["version"])
    for one in versions:
        assert Subject.from_path(registry.resolve("bot", one.version)).sha256 == digest
    standing = registry.get_alias("bot", "champion")
    reached = int(standing.version) if standing else 0
    assert int(acknowledged.get("alias", "0")) <= reached <= len(versions)
    # What the killed left behind is cleared away by the next writer, and numbers go on without a gap.
    made = registry.create_version("bot", source, digest, "f" * 64, {})
    assert made.version == str(len(versions) + 1)
    assert not list(root.rglob(".incoming-*/content"))


def test_moves_of_many_processes_form_one_chain(tmp_path: Path, model_folder: Path) -> None:
    registry = FolderRegistry(tmp_path / "registry")
    digest = Subject.from_path(model_folder).sha256
    for number in range(3):
        registry.create_version("bot", model_folder, digest, f"{number}" * 64, {})
    racers = [start(RACER, str(tmp_path / "registry"), str(number + 1)) for number in range(3)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.communicate()[0].splitlines() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    moves = [line.split()[1:] for lines in told for line in lines if line.startswith("moved")]
    # Every state but the last was left as often as it was entered, counting the empty start as entered once.
    entered = ["none"] + [target for _, target in moves]
    left = [origin for origin, _ in moves]
    standing = registry.get_alias("bot", "turn")
    assert standing is not None
    assert sorted(entered) == sorted([*left, standing.version])


def test_a_reader_never_sees_half_a_move(tmp_path: Path, model_folder: Path) -> None:
    registry = FolderRegistry(tmp_path / "registry")
    digest = Subject.from_path(model_folder).sha256
    for number in range(3):
        registry.create_version("bot", model_folder, digest, f"{number}" * 64, {})
    registry.set_alias("bot", "turn", "3", expect=None)
    writers = [start(RACER, str(tmp_path / "registry"), str(number + 1)) for number in range(2)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    seen = set()
    while any(writer.poll() is None for writer in writers):
        standing = registry.get_alias("bot", "turn")
        assert standing is not None
        seen.add(standing.version)
    assert [writer.communicate() and writer.returncode for writer in writers] == [0, 0]
    assert seen <= {"1", "2", "3"}


def test_racing_processes_register_a_candidate_once(tmp_path: Path, model_folder: Path) -> None:
    digest = Subject.from_path(model_folder).sha256
    script = (
        "import sys; from pathlib import Path; from assay.registries.folder import FolderRegistry\n"
        "sys.stdin.readline()\n"
        "registry, source = FolderRegistry(Path(sys.argv[1])), Path(sys.argv[2])\n"
        "made = registry.create_version('bot', source, sys.argv[3], 'a' * 64, {})\n"
        "print(made.version)"
    )
    racers = [start(script, str(tmp_path / "r"), str(model_folder), digest) for _ in range(3)]
    assert {racer.communicate("go\n")[0] for racer in racers} == {"1\n"}
    assert len(FolderRegistry(tmp_path / "r").versions("bot")) == 1


def test_a_later_change_of_the_source_does_not_reach_the_copy(tmp_path: Path, model_folder: Path) -> None:
    registry = FolderRegistry(tmp_path / "r")
    digest = Subject.from_path(model_folder).sha256
    registry.create_version("bot", model_folder, digest, "a" * 64, {})
    with (model_folder / "weights.bin").open("r+") as file:
        file.write("evil")
    assert (registry.resolve("bot", "1") / "weights.bin").read_text() == "one"
    assert (registry.resolve("bot", "1") / "weights.bin").stat().st_nlink == 1


def test_a_registry_without_permission_to_write_still_reads(tmp_path: Path, model_folder: Path) -> None:
    registry = FolderRegistry(tmp_path / "r")
    digest = Subject.from_path(model_folder).sha256
    registry.create_version("bot", model_folder, digest, "a" * 64, {})
    registry.set_alias("bot", "champion", "1", expect=None)
    (tmp_path / "r/bot/lock").unlink()
    for folder in ("r", "r/bot", "r/bot/versions", "r/bot/aliases"):
        (tmp_path / folder).chmod(0o555)
    try:
        assert registry.get_alias("bot", "champion") is not None
        assert registry.resolve("bot", "1").is_dir()
        if os.geteuid() != 0:  # root may write everywhere
            with pytest.raises(RegistryError, match="cannot be used: permission denied"):
                registry.set_alias("bot", "champion", "1", expect="1")
    finally:
        for folder in ("r", "r/bot", "r/bot/versions", "r/bot/aliases"):
            (tmp_path / folder).chmod(0o755)


def test_a_full_disk_changes_nothing_and_is_told(tmp_path: Path, model_folder: Path) -> None:
    (model_folder / "weights.bin").write_bytes(b"x" * 100_000)
    digest = Subject.from_path(model_folder).sha256
    registry = FolderRegistry(tmp_path / "r")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(RegistryError, match="file too large") as caught:
            registry.create_version("bot", model_folder, digest, "a" * 64, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "has room" in caught.value.remedy
    assert registry.versions("bot") == ()
    assert not list((tmp_path / "r").rglob(".incoming-*"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 3}', '{"version": "9"}', '{"version": "../1"}'])
def test_a_damaged_alias_is_an_error_not_an_absence(tmp_path: Path, model_folder: Path, text: str) -> None:
    registry = FolderRegistry(tmp_path / "r")
    registry.create_version("bot", model_folder, Subject.from_path(model_folder).sha256, "a" * 64, {})
    registry.set_alias("bot", "champion", "1", expect=None)
    (tmp_path / "r/bot/aliases/champion").write_text(text)
    with pytest.raises(RegistryError):
        registry.get_alias("bot", "champion")


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises((SubjectError, RegistryError)):
        FolderRegistry(tmp_path / "r").create_version("bot", tmp_path / "none", "a" * 64, "a" * 64, {})
    assert FolderRegistry(tmp_path / "r").versions("bot") == ()
