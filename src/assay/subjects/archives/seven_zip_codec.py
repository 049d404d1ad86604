"""Unpacks a folder of a 7z archive, a piece at a time, with what Python brings along.

Method ids: Methods.txt of the LZMA SDK. Filters (branch converters, delta) run in liblzma: it has them only
in front of its own codecs, so their input is handed to it as stored LZMA2 chunks.
"""

from __future__ import annotations

import bz2
import lzma
import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from assay.core.errors import LimitError, SubjectError
from assay.subjects.archives.optional_codecs import zstd_decompressor
from assay.subjects.archives.seven_zip import SevenZipFolder

CHUNK = 1 << 20
STORED_CHUNK = 1 << 16  # bytes that one stored LZMA2 chunk can hold
MAX_DICTIONARY = 512 << 20
Pieces = Iterator[bytes]
_NAMES = {
    "06f10701": "7zAES, which is encryption", "030401": "PPMd", "0303011b": "BCJ2", "040109": "Deflate64",
    "04f71104": "LZ4", "04f71102": "Brotli", "0a": "ARM64 filter", "0b": "RISC-V filter",
}  # fmt: skip
_FILTERS = {
    "04": lzma.FILTER_X86, "03030103": lzma.FILTER_X86, "05": lzma.FILTER_POWERPC,
    "03030205": lzma.FILTER_POWERPC, "06": lzma.FILTER_IA64, "03030401": lzma.FILTER_IA64,
    "07": lzma.FILTER_ARM, "03030501": lzma.FILTER_ARM, "08": lzma.FILTER_ARMTHUMB,
    "03030701": lzma.FILTER_ARMTHUMB,
    "09": lzma.FILTER_SPARC, "03030805": lzma.FILTER_SPARC,
}  # fmt: skip


def unpack_folder(data: mmap.mmap | bytes, folder: SevenZipFolder) -> Pieces:
    """What a folder unpacks to, in pieces of about a megabyte; exactly as many bytes as it states.

    Raises:
        SubjectError: a method is not known or encrypts, or the data are damaged.
        LimitError: its dictionary is larger than 512 MB.
        MissingCodecError: the library for a method is not installed.
    """
    unknown = [_name(method) for method in folder.methods if not _is_known(method)]
    if unknown:
        raise SubjectError(f"it is packed by {', '.join(dict.fromkeys(unknown))}")
    if not folder.coders:
        raise SubjectError("its coders do not follow each other in a line")
    pieces: Pieces = _packed(data, folder)
    for coder, size in folder.coders:
        pieces = _exactly(_step(coder.method.hex(), coder.properties, pieces), size)
    return pieces


def unpack_bounded(data: mmap.mmap | bytes, folder: SevenZipFolder, most: int) -> bytes:
    """All of a folder in memory.

    Raises:
        SubjectError, LimitError, MissingCodecError: as `unpack_folder`; or it has more than `most` bytes.
    """
    if folder.size > most:
        raise LimitError(f"it unpacks to more than {most:,} bytes")
    return b"".join(unpack_folder(data, folder))


def _is_known(method: bytes) -> bool:
    known = method.hex()
    return known in _FILTERS or known in _CODECS or known in {"00", "03", "21", "030101", ""}


def _name(method: bytes) -> str:
    return _NAMES.get(method.hex(), f"method {method.hex() or 'none'}")


def _packed(data: mmap.mmap | bytes, folder: SevenZipFolder) -> Pieces:
    end = folder.start + folder.packed
    for at in range(folder.start, end, CHUNK):
        yield bytes(data[at : min(at + CHUNK, end)])


def _exactly(pieces: Pieces, size: int) -> Pieces:
    """No more than `size` bytes of `pieces`, and an error where there are fewer."""
    left = size
    try:
        for piece in pieces:
            if left <= 0:
                break
            yield piece[:left]
            left -= len(piece)
    except (lzma.LZMAError, zlib.error, OSError, EOFError, ValueError, MemoryError) as error:
        raise SubjectError(f"its data are damaged: {error or type(error).__name__}") from error
    if left > 0:
        raise SubjectError("its data end too early")


def _step(method: str, properties: bytes, pieces: Pieces) -> Pieces:
    if method in {"00", ""}:
        return pieces
    if method == "030101":
        return _run(_lzma1(properties), pieces)
    if method == "21":
        return _run(_raw([{"id": lzma.FILTER_LZMA2, "dict_size": _dictionary(properties)}]), pieces)
    if method == "03":
        distance = properties[0] + 1 if properties else 1
        return _filtered({"id": lzma.FILTER_DELTA, "dist": distance}, pieces)
    if method in _FILTERS:
        start = int.from_bytes(properties[:4], "little")
        return _filtered({"id": _FILTERS[method], "start_offset": start}, pieces)
    return _run(_CODECS[method](), pieces)


def _filtered(filter_: dict[str, int], pieces: Pieces) -> Pieces:
    machine = _raw([filter_, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    return _run(machine, _as_stored_lzma2(pieces))


def _as_stored_lzma2(pieces: Pieces) -> Pieces:
    control = 1  # resets the dictionary; 2 goes on with it
    for piece in pieces:
        for at in range(0, len(piece), STORED_CHUNK):
            part = piece[at : at + STORED_CHUNK]
            yield bytes([control]) + struct.pack(">H", len(part) - 1) + part
            control = 2
    yield b"\0"


def _run(machine: Any, pieces: Pieces) -> Pieces:
    """Feed a decompressor like those of `bz2` and `lzma`, or like zlib's."""
    for piece in pieces:
        data = piece
        while not machine.eof:
            out = machine.decompress(data, CHUNK)
            if out:
                yield out
            data = getattr(machine, "unconsumed_tail", b"")
            if not data and len(out) < CHUNK:
                break
        if machine.eof:
            return


def _raw(filters: list[dict[str, int]]) -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)


def _lzma1(properties: bytes) -> lzma.LZMADecompressor:
    if len(properties) < 5 or properties[0] >= 9 * 5 * 5:  # noqa: PLR2004  one byte of lc, lp, pb; a long
        raise SubjectError("its LZMA properties are wrong")
    rest, lc = divmod(properties[0], 9)
    size = _bounded(int.from_bytes(properties[1:5], "little"))
    return _raw([{"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": rest % 5, "pb": rest // 5}])


def _dictionary(properties: bytes) -> int:
    """Of LZMA2: one byte, mantissa of two bits and exponent."""
    bits = properties[0] if properties else 41
    if bits > 40:  # noqa: PLR2004  40 stands for 4 GiB
        raise SubjectError("its LZMA2 properties are wrong")
    return _bounded((2 | bits & 1) << (bits // 2 + 11) if bits < 40 else (1 << 32) - 1)  # noqa: PLR2004


def _bounded(size: int) -> int:
    if size > MAX_DICTIONARY:
        raise LimitError(f"its dictionary has {size:,} bytes")
    return max(size, 1 << 12)


_CODECS: dict[str, Callable[[], Any]] = {
    "040108": lambda: zlib.decompressobj(-15),
    "040202": bz2.BZ2Decompressor,
    "04f71101": zstd_decompressor,
}
