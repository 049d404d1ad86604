"""A scan that is interrupted leaves no process, no file and no half of a report, and says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.ends import ended
from fixtures.slow_pickles import slow

# Runs `assay` and tells of the processes that it started, once one of them has worked for 0.3 s. Tests that
# run in the background, or under nohup, ignore signals that are to be answered here.
TELLING = """
import glob, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
def worked(child):
    user, system = open(f"/proc/{child}/stat").read().rpartition(")")[2].split()[11:13]
    return int(user) + int(system)
def tell():
    children = []
    while not any(worked(child) >= 30 for child in children):
        told = [open(name).read() for name in glob.glob("/proc/self/task/*/children")]
        children = " ".join(told).split()
    print(*children, flush=True)
threading.Thread(target=tell, daemon=True).start()
from assay.cli import main
main()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux tells of other processes' ends")
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "assay: interrupted"),
        (signal.SIGTERM, 143, "assay: terminated"),
        (signal.SIGHUP, 129, "assay: terminated"),
        (signal.SIGKILL, -signal.SIGKILL, ""),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_nothing_is_left_of_a_scan_that_is_ended(
    number: signal.Signals, code: int, said: str, several: bool, tmp_path: Path
) -> None:
    folder, places = tmp_path / "m", tmp_path / "tmp"
    for made in (folder, places, tmp_path / "out"):
        made.mkdir()
    for name in ("a.pkl", "b.pkl", "c.pkl")[: 3 if several else 1]:
        (folder / name).write_bytes(slow())
    process = subprocess.Popen(
        [sys.executable, "-c", TELLING, "scan", folder, "-o", f"json={tmp_path / 'out' / 'r.json'}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(places)},
    )
    assert process.stdout is not None
    children = [int(child) for child in process.stdout.readline().split()]
    assert children
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (code, "", said)
    # Left to itself, it would take 5 s of processor time.
    assert all(ended(child, 3) for child in children)
    assert list((tmp_path / "out").iterdir()) == []
    if number is not signal.SIGKILL:
        assert list(places.iterdir()) == []
