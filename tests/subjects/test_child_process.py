"""A child process that answers, dies, floods or never starts."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from assay.core.errors import SubjectError
from assay.subjects.child_process import ChildDiedError, ChildProcess

READY = 'import os;os.write(0,b\'["ready",null,"noted"]\\n\');'


def child(code: str, *, seconds: int = 30, most: int = 1 << 20) -> ChildProcess:
    return ChildProcess([sys.executable, "-I", "-S", "-c", code], {}, seconds=seconds, most=most)


def test_lines_are_put_together_from_what_arrives() -> None:
    process = child(READY + "os.read(0,9);os.write(0,b'one\\ntw');os.write(0,b'o\\n'+b'3'*200000+b'\\nrest')")
    process.start()
    process.start()
    assert process.note == "noted"
    process.send("go", 2)
    lines = process.lines()
    assert list(islice(lines, 3)) == [b"one", b"two", b"3" * 200_000]
    with pytest.raises(ChildDiedError, match="died"):
        next(lines)
    process.close()


def test_flood_is_cut_off() -> None:
    process = child(READY + "os.read(0,9);\nwhile True: os.write(0,b'x'*1000)", most=100_000)
    process.start()
    process.send("go", 2)
    with pytest.raises(ChildDiedError):
        next(process.lines())
    process.close()


@pytest.mark.parametrize("code", ["", "raise SystemExit(3)", "import os;os.write(0,b'no json\\n')"])
def test_child_that_does_not_get_ready(code: str) -> None:
    with pytest.raises(SubjectError, match="can be started"):
        child(code).start()


def test_command_that_is_not_there() -> None:
    with pytest.raises(SubjectError, match="can be started"):
        ChildProcess(["/nowhere/python"], {}, seconds=1, most=10).start()


def test_send_to_nobody() -> None:
    with pytest.raises(ChildDiedError):
        child(READY).send("go", 2)


def test_a_child_that_another_thread_waits_for_can_be_ended() -> None:
    process = child(READY + "os.read(0,9);os.read(0,9)")
    process.start()
    process.send("go", 2)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(next, process.lines())
        process.close()
        process.close()
        with pytest.raises(ChildDiedError):
            waiting.result(30)


def test_how_a_child_ended_is_told_in_words() -> None:
    process = child(READY + "import signal;os.read(0,9);os.kill(os.getpid(),signal.SIGXCPU)")
    process.start()
    process.send("go", 2)
    with pytest.raises(ChildDiedError, match="used up its processor time"):
        next(process.lines())
    process.close()
