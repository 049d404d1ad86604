"""Mach-O headers, single and of several architectures (Apple's <mach-o/loader.h> and <mach-o/fat.h>)."""

from __future__ import annotations

from assay.subjects.programs.region import Region

_MACHINES = {7: "x86", 12: "ARM", 18: "PowerPC", 0x1000007: "x86-64", 0x100000C: "AArch64"}
_TYPES = {1: "object file", 2: "program", 6: "shared library", 8: "bundle", 10: "debug symbols"}
_FAT = {b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"}
_LOADS = {0xC, 0x80000018, 0x8000001F, 0x80000023}  # LC_LOAD_DYLIB, weak, reexported, upward
MAX_COMMANDS = 10_000


def describe(region: Region) -> str:
    """Type, machine and the number of libraries it loads."""
    magic = region.read(0, 4)
    if magic in _FAT:
        (count,) = region.unpack(">I", 4)
        return f"Mach-O file for {count} architectures"
    order = "<" if magic[3:] == b"\xfe" else ">"
    machine, _, kind, commands = region.unpack(order + "IIII", 4)
    wide = magic in {b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf"}
    loads = _count(region, order, 32 if wide else 28, min(commands, MAX_COMMANDS))
    libraries = f", linked to {loads} libraries" if loads else ""
    shown = _MACHINES.get(machine, f"machine {machine:#x}")
    return f"Mach-O {_TYPES.get(kind, f'file of type {kind}')} for {shown}{libraries}"


def _count(region: Region, order: str, at: int, commands: int) -> int:
    loads = 0
    for _ in range(commands):
        command, size = region.unpack(order + "II", at)
        loads += command in _LOADS
        if size < 8:  # noqa: PLR2004  command and size themselves
            break
        at += size
    return loads
