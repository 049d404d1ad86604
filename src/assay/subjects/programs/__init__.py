"""Native programs and byte code: told by their first bytes, with the facts their headers give cheaply.

`elf`,
`pe` and `macho` read headers; `recognise` and `describe` are the face. Nothing is loaded or unmarshalled,
and every count is bounded: a header is written by whoever wrote the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from assay.subjects.programs import elf, macho, pe
from assay.subjects.programs.region import Region

KINDS = frozenset({
    "elf", "pe", "dos-program", "mach-o", "wasm", "java-class", "dex", "static-library", "python-bytecode",
})  # fmt: skip
_JAVA_1 = 45  # the major version of the first class files; a fat Mach-O has fewer architectures
_MAGIC = (
    (b"\x7fELF", "elf"), (b"\0asm", "wasm"), (b"dex\n0", "dex"), (b"!<arch>\n", "static-library"),
    (b"\xfe\xed\xfa\xce", "mach-o"), (b"\xfe\xed\xfa\xcf", "mach-o"), (b"\xce\xfa\xed\xfe", "mach-o"),
    (b"\xcf\xfa\xed\xfe", "mach-o"), (b"\xca\xfe\xba\xbf", "mach-o"),
)  # fmt: skip
_CODE = 0x63  # marshal's TYPE_CODE, without its reference flag
# Where marshal's data starts: PEP 552 (3.7), size beside time (3.3), time alone.
_CODE_AT = (16, 12, 8)


def recognise(region: Region) -> str:
    """A kind of `KINDS`; "" where the first bytes are none of them."""
    head = region.read(0, 64)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"\xca\xfe\xba\xbe") and len(head) >= 8:  # noqa: PLR2004  magic and count
        return "java-class" if int.from_bytes(head[6:8]) >= _JAVA_1 else "mach-o"
    if head.startswith(b"MZ"):
        if pe.offset(region) is not None:
            return "pe"
        return "dos-program" if b"\0" in head else ""
    return "python-bytecode" if _is_bytecode(head) else ""


def _is_bytecode(head: bytes) -> bool:
    number = int.from_bytes(head[:2], "little")
    # CPython 3, CPython 2, PyPy: none of them spells two characters of a text.
    plausible = 3_000 <= number < 4_500 or 50_000 <= number < 63_000 or number < 512  # noqa: PLR2004
    return (
        plausible
        and head[2:4] == b"\r\n"
        and any(len(head) > at and head[at] & 0x7F == _CODE for at in _CODE_AT)
    )


def describe(kind: str, region: Region) -> str:
    """What the header says, for people; only the kind where the header says nothing sensible."""
    try:
        return _DESCRIBE[kind](region)
    except (struct.error, LookupError, ValueError):
        return f"{kind} with a damaged header"


def _java(region: Region) -> str:
    return f"Java class, version {int.from_bytes(region.read(6, 2))}"


def _named(text: str) -> Callable[[Region], str]:
    return lambda _: text


_DESCRIBE: Mapping[str, Callable[[Region], str]] = {
    "elf": elf.describe,
    "pe": pe.describe,
    "mach-o": macho.describe,
    "python-bytecode": _named("Python byte code"),
    "java-class": _java,
    "dos-program": _named("DOS program"),
    "wasm": _named("WebAssembly module"),
    "dex": _named("Android program (dex)"),
    "static-library": _named("static library"),
}

__all__ = ["KINDS", "Region", "describe", "recognise"]
