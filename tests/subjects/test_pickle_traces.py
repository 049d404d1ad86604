"""What the streaming machine says of a call: its source, its steps, and within which bounds."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.subjects.pickles.machine import Machine, MachinePool
from assay.subjects.pickles.records import Event

MAX_SOURCE, MAX_STEPS, MAX_STEP = 1_500, 13, 400


@pytest.fixture(name="machine", scope="module")
def _machine() -> Iterator[Machine]:
    with MachinePool(size=1) as pool, pool.lend() as machine:
        yield machine


def _events(machine: Machine, folder: Path, content: bytes) -> list[Event]:
    file = folder / "stream.pkl"
    file.write_bytes(content)
    with file.open("rb") as opened:
        return list(machine.read(opened.fileno(), 0, len(content), walk=True).events)


def _text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


@pytest.mark.parametrize(
    ("content", "source"),
    [
        (b"cos\nsystem\n" + _text("id") + b"\x85R", "os.system('id')"),
        (
            b"cbuiltins\ngetattr\ncos\n_wrap\n" + _text("system") + b"\x86R" + _text("id") + b"\x85R",
            "builtins.getattr(os._wrap, 'system')('id')",
        ),
        (
            b"csubprocess\nPopen\n]" + _text("id") + b"a\x85\x81",
            "subprocess.Popen.__new__(subprocess.Popen, ['id'])",
        ),
        (b"ca\nB\n)R}" + _text("k") + b"K\x01sb", "a.B()"),
        (b"cos\nsystem\n" + _text("a', 'b") + b"\x85R", "os.system(\"a', 'b\")"),
        (b"cos\nsystem\nC\x03\x00\xffA\x85R", r"os.system(b'\x00\xffA')"),
        (b"c\xd0\xbes\nsystem\n)R", r"getattr(import_module('\u043es'), 'system')()"),
        (b"cnot a module\nname\n)R", "getattr(import_module('not a module'), 'name')()"),
    ],
)
def test_a_call_reads_as_python(machine: Machine, tmp_path: Path, content: bytes, source: str) -> None:
    events = _events(machine, tmp_path, b"\x80\x03" + content + b".")
    calls = [event for event in events if event.kind in {"call", "computed-call"}]
    assert source in {call.source for call in calls}
    assert all(call.source.isascii() for call in calls)


def test_the_steps_are_the_opcodes_in_their_order(machine: Machine, tmp_path: Path) -> None:
    content = b"\x80\x03cbuiltins\nmap\ncos\nsystem\n]" + _text("id") + b"a\x86R."
    call = next(event for event in _events(machine, tmp_path, content) if event.kind == "call")
    assert call.steps == (
        (2, "GLOBAL imports builtins.map"),
        (16, "GLOBAL imports os.system"),
        (len(content) - 2, "REDUCE calls builtins.map"),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        _text("x" * 100_000) + b"\x85",
        _text("\x1b\u202e\ud800" * 5_000) + b"\x85",
        b"(" + (b"K\x01" * 10_000) + b"t",
        b"(" + b"cmine\nMade\n)R" * 200 + b"t",
        b"(" * 300 + b"t" * 300,
        b"]q\x00h\x00ah\x00a\x85",  # a list that holds itself
        b"B" + struct.pack("<I", 100_000) + b"\xff" * 100_000 + b"\x85",
        b"\x8a\xff" + b"\x7f" * 255 + b"\x85",
    ],
    ids=["long", "hidden", "many", "calls", "deep", "cycle", "bytes", "huge"],
)
def test_whatever_the_arguments_are_it_stays_short(
    machine: Machine, tmp_path: Path, arguments: bytes
) -> None:
    events = _events(machine, tmp_path, b"\x80\x03cos\nsystem\n" + arguments + b"R.")
    call = next(event for event in events if event.kind == "call" and event.what[0] == "os.system")
    assert call.source.startswith("os.system(")
    for event in events:
        assert len(event.source) <= MAX_SOURCE
        assert event.source.isascii()
        assert len(event.steps) <= MAX_STEPS
        assert all(len(text) <= MAX_STEP for _, text in event.steps)


def test_names_computed_of_computed_names_stay_short(machine: Machine, tmp_path: Path) -> None:
    content = b"\x80\x04K\x01" + (_text("x") + b"\x93") * 3_000 + b")R."
    events = _events(machine, tmp_path, content)
    assert any(event.kind == "computed-name" for event in events)
    assert all(len(event.source) <= 4 * MAX_SOURCE for event in events)
