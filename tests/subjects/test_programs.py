"""Native programs are told by their first bytes, whatever their headers say."""

from __future__ import annotations

import py_compile
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.subjects.programs import KINDS, Region, describe, recognise
from fixtures import programs

SAMPLES: list[tuple[bytes, str, str]] = [
    (programs.elf(), "elf", "ELF shared library for x86-64, linked to 2 libraries"),
    (programs.elf(needed=0, kind=2, machine=183), "elf", "ELF program for AArch64"),
    (programs.pe(), "pe", "Windows library (DLL) for x86-64, linked to 3 libraries"),
    (programs.pe(library=False, imports=0), "pe", "Windows program for x86-64"),
    (programs.macho(), "mach-o", "Mach-O shared library for AArch64, linked to 2 libraries"),
    (programs.fat_macho(), "mach-o", "Mach-O file for 2 architectures"),
    (programs.java(), "java-class", "Java class, version 61"),
    (programs.bytecode(), "python-bytecode", "Python byte code"),
    (programs.bytecode(flags=1), "python-bytecode", "Python byte code"),
    (b"\0asm\1\0\0\0", "wasm", "WebAssembly module"),
    (b"dex\n035\0" + bytes(20), "dex", "Android program (dex)"),
    (b"!<arch>\n", "static-library", "static library"),
    (b"MZ" + bytes(70), "dos-program", "DOS program"),
]


def _region(data: bytes) -> Region:
    return Region(data, 0, len(data))


@pytest.mark.parametrize(("data", "kind", "facts"), SAMPLES, ids=[facts for _, _, facts in SAMPLES])
def test_kind_and_facts(data: bytes, kind: str, facts: str) -> None:
    assert recognise(_region(data)) == kind
    assert describe(kind, _region(data)) == facts
    inside = Region(b"before" + data + b"after", 6, 6 + len(data))
    assert (recognise(inside), describe(kind, inside)) == (kind, facts)


@pytest.mark.parametrize("text", [b"MZ is how it starts", b"hi\r\nand c, c and c again", b"plain", b""])
def test_texts_are_none(text: bytes) -> None:
    assert recognise(_region(text)) == ""


def test_files_of_this_python_are_told(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    compiled = Path(py_compile.compile(str(source), str(tmp_path / "a.pyc")) or "")
    assert recognise(_region(compiled.read_bytes())) == "python-bytecode"
    own = Path(sys.executable).resolve().read_bytes()
    assert recognise(_region(own)) in KINDS


@pytest.mark.parametrize("make", [programs.elf, programs.pe, programs.macho])
def test_damaged_headers_are_described_all_the_same(make: Callable[[], bytes]) -> None:
    data = make()
    for size in range(4, len(data)):
        kind = recognise(_region(data[:size]))
        assert not kind or describe(kind, _region(data[:size]))


@given(st.binary(max_size=200), st.sampled_from([sample[0][:64] for sample in SAMPLES]))
def test_no_header_crashes_or_hangs(tail: bytes, head: bytes) -> None:
    region = _region(head + tail)
    kind = recognise(region)
    assert not kind or describe(kind, region)
