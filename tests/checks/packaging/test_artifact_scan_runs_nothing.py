"""A scan of every attack there is runs nothing of it: the kernel and Python's audit hooks bear witness.

Each payload writes a file, starts a program and reaches a server, and some read a secret. A control loads one
of them as its victim would, so that both witnesses are known to tell.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import assay
from fixtures import audited
from fixtures.attack_folder import write_attacks, write_ordinary
from fixtures.opcodes import PROTO_2, STOP, call, system, text
from fixtures.system_calls import SystemCall, traced
from fixtures.torch_pickles import entries, legacy, tensor, zipped
from fixtures.tripwires import Tripwire, laid_out

PACKAGE = Path(assay.__file__).parent
Event = list[Any]  # its name, then its arguments as texts or lists of texts
# Without the folder that it is started in among the places of modules, as the installed command is.
COMMAND = (sys.executable, "-P", "-c", "from assay.cli import main; main()")
CHILD = ("-I", "-S", "-c")  # isolated, without `site`, with code of ours
ALL = {"process", "file", "connection"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one scan happens.

    Attributes:
        trap: what nothing may touch.
        model: the folder of attacks.
        own: the only folder that the scan may write to.
        environment: of its process.
    """

    trap: Tripwire
    model: Path
    own: Path
    environment: dict[str, str]

    def attack(self) -> Path:
        """One payload that works with nothing but Python."""
        file = self.model.parent / "attack.pkl"
        file.write_bytes(PROTO_2 + system(self.trap.bait.command) + STOP)
        return file


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    model, own = tmp_path / "model", tmp_path / "own"
    model.mkdir()
    own.mkdir()
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(PACKAGE.parent),
        "HOME": str(own),
        "TMPDIR": str(own),
    }
    with laid_out(tmp_path / "trap") as trap:
        yield Place(trap, model, own, environment)


def _is_own(path: str, place: Place) -> bool:
    """Whether a scan may write there: its own folder, byte code of Assay, and nowhere."""
    byte_code = path.startswith(f"{PACKAGE}/") and "/__pycache__" in path
    return byte_code or Path(path).is_relative_to(place.own) or path == os.devnull


def _is_child(words: Sequence[str]) -> bool:
    """Whether a program and its arguments are this Python with code of ours: the command or a child of it."""
    program, options = words[0], tuple(word for word in words[2:6] if word != "-B")[:3]
    ours = options == CHILD or options[:2] == COMMAND[1:3]
    return ours and Path(program).resolve() == Path(sys.executable).resolve()


def _wrong(calls: list[SystemCall], place: Place) -> list[SystemCall]:
    """What no scan may ask of the kernel."""
    wrong = [call for call in calls if str(place.trap.folder) in call.arguments]
    wrong += [call for call in calls if call.starts_program and not _is_child(call.texts)]
    wrong += [call for call in calls if call.reaches_network]
    wrong += [call for call in calls if call.changes_files and not _is_own(call.texts[0], place)]
    return wrong + [
        call for call in calls if call.name in {"ptrace", "bpf", "memfd_create", "io_uring_setup"}
    ]


def _told(stdout: str) -> set[str]:
    """The files on which a scan found something, or of which it says that it could not."""
    (report,) = json.loads(stdout)["reports"]
    told = {finding["location"]["path"] for finding in report["findings"]}
    return told | {skipped["what"].split("!/")[0] for skipped in report["coverage"]["skipped"]}


def test_the_kernel_sees_nothing_run(place: Place) -> None:
    files = write_attacks(place.model, place.trap.bait)
    command = [*COMMAND, "scan", str(place.model), "-f", "json"]
    calls, done = traced(command, place.own / "strace.log", cwd=place.model, environment=place.environment)
    assert done.returncode == 1, done.stderr
    assert _wrong(calls, place) == []
    assert place.trap.sprung() == set()
    assert set(files) - _told(done.stdout) == set()
    assert sum(call.starts_program for call in calls) > 1  # it saw the children


def test_the_kernel_sees_nothing_run_by_a_conversion(place: Place) -> None:
    payload = call("posix.system", text(place.trap.bait.command)) + b"0"
    path, target = place.model / "m.pt", place.own / "m.safetensors"
    command = [*COMMAND, "convert", "--tensors-only", str(path), "-o", str(target)]
    for write in (zipped, legacy):
        write(path, payload + entries({"w": tensor()}))
        calls, done = traced(
            command, place.own / "strace.log", cwd=place.model, environment=place.environment
        )
        assert done.returncode == 0, done.stderr
        assert "left out, and never imported: posix.system" in done.stdout
        assert _wrong(calls, place) == []
        assert place.trap.sprung() == set()
        assert sum(one.starts_program for one in calls) > 1  # it saw the child
        assert len(target.read_bytes()) > 48
        target.unlink()


def test_the_kernel_sees_a_payload_that_runs(place: Place) -> None:
    load = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
    command = [sys.executable, "-P", "-c", load, str(place.attack())]
    calls, done = traced(command, place.own / "strace.log", cwd=place.model, environment=place.environment)
    assert done.returncode == 0, done.stderr
    assert place.trap.sprung() == ALL
    wrong = _wrong(calls, place)
    assert {"execve", "connect"} <= {call.name for call in wrong}
    assert any(call.changes_files and str(place.trap.written) in call.texts for call in wrong)


def _audit(place: Place, *words: str) -> tuple[list[Event], subprocess.CompletedProcess[str]]:
    """The events of a process that does what `audited` takes."""
    log = place.own / f"{Path(words[1]).name}.jsonl"
    command = [sys.executable, "-P", audited.__file__, str(log), *words]
    done = subprocess.run(
        command, cwd=place.model, env=place.environment, capture_output=True, text=True, check=False
    )
    return [json.loads(line) for line in log.read_text().splitlines()], done


NEVER = (
    "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.putenv", "os.startfile",
    "os.link", "os.symlink", "os.chmod", "os.truncate", "socket.connect", "socket.bind", "socket.getaddrinfo",
    "socket.gethostbyname", "socket.sendto", "urllib.", "http.", "ftplib.", "smtplib.", "sqlite3.",
    "webbrowser.", "pty.", "pickle.find_class", "code.__new__", "function.__new__", "ctypes.", "shutil.copy",
    "shutil.move", "shutil.unpack", "sys.setprofile", "sys.settrace",
)  # fmt: skip
TRUSTED = (str(PACKAGE), sys.prefix, *(str(Path(path).resolve()) for path in (sys.prefix, sys.base_prefix)))


WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "shutil.rmtree",
    "tempfile.mkdtemp",
    "tempfile.mkstemp",
}


def _alarming(events: list[Event], place: Place) -> list[Event]:
    """What no scan may have Python do."""
    return [event for event in events if str(place.trap.folder) in str(event[1:]) or _is_wrong(event, place)]


def _is_wrong(event: Event, place: Place) -> bool:
    name, *told = event
    if name == "open":
        is_descriptor = told[0].isdigit()  # of a pipe or a file that is open already
        return bool(int(told[2]) & WRITES) and not is_descriptor and not _is_own(told[0], place)
    if name == "exec":
        return told[0].endswith(".py") and not told[0].startswith(TRUSTED)
    if name == "subprocess.Popen":
        return not _is_child([told[0], *told[1]])
    return name.startswith(NEVER) or (name in CHANGES and not _is_own(told[0], place))


def _imports(events: list[Event]) -> set[str]:
    """The packages that were imported."""
    return {event[1].split(".")[0] for event in events if event[0] == "import"}


def test_audit_hooks_see_nothing_run(place: Place) -> None:
    twins = place.model.parent / "twins"
    write_ordinary(twins)
    ordinary = _imports(_audit(place, "scan", str(twins))[0])
    write_attacks(place.model, place.trap.bait)
    events, done = _audit(place, "scan", str(place.model), "-f", "json")
    assert done.returncode == 1, done.stderr
    assert _alarming(events, place) == []
    assert place.trap.sprung() == set()
    (report,) = json.loads(done.stdout)["reports"]
    named = {name.split(".")[0] for name in report["details"]["globals"]} - {"assay"}
    assert len(named) > 100
    assert (_imports(events) - ordinary) & named == set()


def test_audit_hooks_see_a_payload_that_runs(place: Place) -> None:
    events, done = _audit(place, "load", str(place.attack()))
    assert done.returncode == 0, done.stderr
    assert place.trap.sprung() == ALL
    assert {"os.system", "pickle.find_class"} <= {event[0] for event in _alarming(events, place)}
