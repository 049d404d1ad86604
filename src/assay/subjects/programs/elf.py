"""ELF headers (System V ABI, chapters 4 and 5)."""

from __future__ import annotations

from assay.subjects.programs.region import Region

_TYPES = {1: "object file", 2: "program", 3: "shared library", 4: "core dump"}
_MACHINES = {3: "x86", 8: "MIPS", 20: "PowerPC", 21: "PowerPC64", 22: "S390", 40: "ARM", 62: "x86-64",
             183: "AArch64",
             190: "CUDA", 224: "AMD GPU", 243: "RISC-V", 247: "BPF", 258: "LoongArch"}  # fmt: skip
_DYNAMIC, _NEEDED, _NULL = 2, 1, 0
MAX_HEADERS = 1_024  # program headers
MAX_ENTRIES = 10_000  # of the dynamic section


def describe(region: Region) -> str:
    """Type, machine and the number of libraries it needs."""
    wide = region.read(4, 1) == b"\2"
    order = ">" if region.read(5, 1) == b"\2" else "<"
    kind, machine = region.unpack(order + "HH", 16)
    needed = _needed(region, order, wide=wide)
    shown = _MACHINES.get(machine, f"machine {machine}")
    libraries = f", linked to {needed} libraries" if needed else ""
    return f"ELF {_TYPES.get(kind, f'file of type {kind}')} for {shown}{libraries}"


def _needed(region: Region, order: str, *, wide: bool) -> int:
    if wide:
        (table,), (size, count) = region.unpack(order + "Q", 32), region.unpack(order + "HH", 54)
    else:
        (table,), (size, count) = region.unpack(order + "I", 28), region.unpack(order + "HH", 42)
    for at in range(min(count, MAX_HEADERS)):
        header = table + at * size
        (kind,) = region.unpack(order + "I", header)
        if kind == _DYNAMIC:
            place = header + (8 if wide else 4)
            (offset,) = region.unpack(order + ("Q" if wide else "I"), place)
            return _count(region, order, offset, wide=wide)
    return 0


def _count(region: Region, order: str, offset: int, *, wide: bool) -> int:
    form, size = (order + "qQ", 16) if wide else (order + "iI", 8)
    needed = 0
    for at in range(MAX_ENTRIES):
        tag, _ = region.unpack(form, offset + at * size)
        if tag == _NULL:
            break
        needed += tag == _NEEDED
    return needed
