"""How members of a zip may be packed, by the method number of their header (APPNOTE 4.4.5)."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Callable
from typing import Any

from assay.checks.packaging.artifact_scan.unpacking import MAKERS, MAX_DICTIONARY


class _ZipLzma:
    """LZMA as zips hold it (APPNOTE 5.8.8): version, length of the properties, properties, raw LZMA1."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data if self._inner else b""

    def decompress(self, data: bytes, limit: int) -> bytes:
        if self._inner is None:
            self._head += data
            if len(self._head) < 9:  # noqa: PLR2004  two shorts, one byte, one long
                return b""
            _, length, packed, dictionary = struct.unpack_from("<HHBL", self._head)
            if length != 5 or packed >= 9 * 5 * 5 or dictionary > MAX_DICTIONARY:  # noqa: PLR2004
                raise lzma.LZMAError("its properties are not judged")
            self._inner = lzma1(packed, dictionary)
            data = self._head[9:]
        return self._inner.decompress(data, limit)


def lzma1(packed: int, dictionary: int) -> lzma.LZMADecompressor:
    """A decompressor of raw LZMA1 with the properties byte `packed`."""
    rest, lc = divmod(packed, 9)
    chain = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": dictionary,
        "lc": lc,
        "lp": rest % 5,
        "pb": rest // 5,
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])


METHODS: dict[int, Callable[[], Any]] = {
    8: MAKERS["deflate"],
    12: MAKERS["bzip2"],
    14: _ZipLzma,
    20: MAKERS["zstd"],
    93: MAKERS["zstd"],
    95: MAKERS["xz"],
}
