"""PE headers (Microsoft PE Format specification)."""

from __future__ import annotations

from assay.subjects.programs.region import Region

_MACHINES = {0x14C: "x86", 0x8664: "x86-64", 0x1C0: "ARM", 0x1C4: "ARM", 0xAA64: "AArch64", 0xEBC: "EFI"}
_LIBRARY = 0x2000  # IMAGE_FILE_DLL
_WIDE = 0x20B  # PE32+
MAX_SECTIONS = 96  # what Windows loads at most
MAX_IMPORTS = 4_096


def offset(region: Region) -> int | None:
    """Where the PE header starts; None where there is none."""
    place = region.read(0x3C, 4)
    start = int.from_bytes(place, "little")
    return start if len(place) == 4 and region.read(start, 4) == b"PE\0\0" else None  # noqa: PLR2004  a long


def describe(region: Region) -> str:
    """Type, machine and the number of libraries it imports from."""
    start = offset(region) or 0
    machine, sections = region.unpack("<HH", start + 4)
    size, flags = region.unpack("<HH", start + 20)
    kind = "library (DLL)" if flags & _LIBRARY else "program"
    imports = _imports(region, start + 24, size, min(sections, MAX_SECTIONS))
    libraries = f", linked to {imports} libraries" if imports else ""
    return f"Windows {kind} for {_MACHINES.get(machine, f'machine {machine:#x}')}{libraries}"


def _imports(region: Region, optional: int, size: int, sections: int) -> int:
    (magic,) = region.unpack("<H", optional)
    (address,) = region.unpack("<I", optional + (120 if magic == _WIDE else 104))
    for at in range(sections):
        virtual_size, virtual, raw_size, raw = region.unpack("<IIII", optional + size + at * 40 + 8)
        if virtual <= address < virtual + max(virtual_size, raw_size):
            return _count(region, raw + address - virtual)
    return 0


def _count(region: Region, start: int) -> int:
    for at in range(MAX_IMPORTS):
        if not region.read(start + at * 20, 20).strip(b"\0"):
            return at
    return MAX_IMPORTS
