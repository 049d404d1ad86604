"""What the process that reads pickles may no longer do, were it taken over."""

from __future__ import annotations

import json
import platform
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.subjects.pickles import child
from assay.subjects.pickles.asking import Reader
from assay.subjects.pickles.limits import Limits

PACKAGE = Path(child.__file__).parent
LINUX = sys.platform == "linux" and platform.machine() in {"x86_64", "aarch64"}
# Tries one thing after the confinement, and says what became of it on a descriptor that it had before.
TRIAL = """
import sys, types, json, os, socket, subprocess, ctypes
package = types.ModuleType('assay_child'); package.__path__ = [sys.argv[1]]
sys.modules['assay_child'] = package
from assay_child import confine
path, port = sys.argv[2], int(sys.argv[3])
readable = os.open(path, os.O_RDONLY)
out = os.open(sys.argv[4], os.O_WRONLY)
def attempt(what):
    try:
        exec(what)
    except BaseException as error:
        return f'{type(error).__name__} {getattr(error, "errno", None)}'
    return 'done'
link = socket.socket()
confine.limits()
note = confine.seccomp() if sys.argv[5] == 'seccomp' else 'none'
tried = [] if sys.argv[5] == 'seccomp' and note else map(attempt, sys.argv[6:])
os.write(1, json.dumps([note, *tried]).encode())
"""
TGKILL = 234 if platform.machine() == "x86_64" else 131
ATTEMPTS = {
    "execve": "os.execv('/bin/true', ['true'])",
    "process": "subprocess.run(['/bin/true'])",
    "fork": "os.fork()",
    "shell": "ctypes.CDLL(None).system(b'true') == 0 or os.execv('/bin/true', ['true'])",
    "connect": "link.connect(('127.0.0.1', port))",
    "socket": "socket.socket()",
    "bind": "link.bind(('127.0.0.1', 0))",
    "open": "os.open(path, os.O_RDONLY)",
    "create": "os.open(path + '.new', os.O_WRONLY | os.O_CREAT)",
    "unlink": "os.unlink(path)",
    "rename": "os.rename(path, path + '.new')",
    "directory": "os.mkdir(path + '.new')",
    "signal": "os.kill(os.getppid(), 0)",
    "thread-signal": f"ctypes.CDLL(None, use_errno=True).syscall({TGKILL}, os.getppid(), os.getppid(), 0)"
    " == 0 or 1 / (ctypes.get_errno() - 1)",
    "other-limits": "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)",
    "trace": "ctypes.CDLL(None, use_errno=True).ptrace(16, os.getppid(), 0, 0) == 0 or os.mkdir('/x')",
}


def _tried(tmp_path: Path, how: str, *attempts: str) -> list[str]:
    secret, out = tmp_path / "secret", tmp_path / "out"
    secret.write_text("secret")
    out.touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        where = [str(PACKAGE), str(secret), str(server.getsockname()[1]), str(out), how]
        command = [sys.executable, "-I", "-S", "-c", TRIAL, *where, *attempts]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert secret.read_text() == "secret"
    assert not (tmp_path / "secret.new").exists()
    assert out.read_bytes() == b""
    note, *told = json.loads(done.stdout)
    if how == "seccomp" and note:
        pytest.skip(note)
    return list(told)


@pytest.mark.skipif(not LINUX, reason="seccomp is Linux's")
@pytest.mark.parametrize("name", ATTEMPTS)
def test_the_kernel_refuses(name: str, tmp_path: Path) -> None:
    refused = "ZeroDivisionError None" if name == "thread-signal" else "PermissionError 1"
    assert _tried(tmp_path, "seccomp", ATTEMPTS[name]) == [refused]


def test_reading_what_was_open_goes_on(tmp_path: Path) -> None:
    own = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (9, 9))"
    assert _tried(tmp_path, "seccomp", "os.read(readable, 9)", own) == ["done", "done"]


def test_without_seccomp_limits_still_hold(tmp_path: Path) -> None:
    many = "for _ in range(99): os.dup(1)"
    assert _tried(tmp_path, "limits", "os.write(out, b'x')", many) == ["OSError 27", "OSError 24"]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """One that has read a pickle."""
    made = Reader(Limits(memory=1 << 30, seconds=9), "")
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04N.")
    with (tmp_path / "a.pkl").open("rb") as file:
        assert made.read(file.fileno(), 0, 4, probe=False, walk=False).is_pickle
    yield made
    made.close()


@pytest.mark.skipif(not LINUX, reason="/proc is Linux's")
def test_the_process_that_reads_is_confined(reader: Reader) -> None:
    process = reader._child._process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "NoNewPrivs:\t1\n" in status
    assert "Seccomp:\t2\n" in status or reader._child.note
    limits = {
        "RLIMIT_FSIZE": 0, "RLIMIT_NPROC": 0, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 32,
    }  # fmt: skip
    for name, most in limits.items():
        assert resource.prlimit(process.pid, getattr(resource, name)) == (most, most), name
    assert resource.prlimit(process.pid, resource.RLIMIT_AS)[0] <= (1 << 30) + 4
    assert resource.prlimit(process.pid, resource.RLIMIT_CPU)[0] <= 9 + 2
    assert Path(f"/proc/{process.pid}/environ").read_bytes() == b""
    assert Path(f"/proc/{process.pid}/cwd").readlink() == Path("/")
