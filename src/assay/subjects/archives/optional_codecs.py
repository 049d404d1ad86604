"""zstd and lz4, which Python has no decoder of before 3.14: from libraries, where they are installed.

Both are given the shape of `bz2.BZ2Decompressor`: one frame each, at most so many bytes at a time.
"""

from __future__ import annotations

import importlib
from typing import Any

HINT = "pip install 'assay-llm[archives]'"
_SLICE = 1 << 10  # a block of four bytes can stand for 128 KiB, so little is given at a time


class MissingCodecError(Exception):
    """The library that unpacks a format is not installed. The text names the format."""


def zstd_decompressor() -> Any:
    """A decompressor of one zstd frame.

    Raises:
        MissingCodecError: neither Python's own nor the `zstandard` library is there.
    """
    try:
        return importlib.import_module("compression.zstd").ZstdDecompressor()
    except ImportError:
        pass
    try:
        return _Zstandard(importlib.import_module("zstandard"))
    except ImportError as error:
        raise MissingCodecError("zstd") from error


def lz4_decompressor() -> Any:
    """A decompressor of one lz4 frame.

    Raises:
        MissingCodecError: the `lz4` library is not there.
    """
    try:
        return _Lz4(importlib.import_module("lz4.frame"))
    except ImportError as error:
        raise MissingCodecError("lz4") from error


class _Zstandard:
    """One frame, by the `zstandard` library, whose own decompressor does not bound what it gives back."""

    def __init__(self, library: Any) -> None:
        self._inner = library.ZstdDecompressor().decompressobj()
        self._error: type[Exception] = library.ZstdError
        self.unconsumed_tail = b""
        self.unused_data = b""
        self.eof = False

    def decompress(self, data: bytes, limit: int) -> bytes:
        """Little more than `limit` bytes: what one slice of the data stands for comes out whole."""
        given, out, size = 0, [], 0
        while given < len(data) and size < limit and not self.eof:
            try:
                out.append(self._inner.decompress(data[given : given + _SLICE]))
            except self._error as error:
                raise ValueError(str(error)) from error
            given += _SLICE
            size += len(out[-1])
            self.eof = bool(self._inner.eof)
        rest = data[given:]
        self.unconsumed_tail = b"" if self.eof else rest
        self.unused_data = self._inner.unused_data + rest if self.eof else b""
        return b"".join(out)


class _Lz4:
    """One frame, by the `lz4` library, whose decompressor starts anew by itself at the end of one."""

    def __init__(self, library: Any) -> None:
        self._inner = library.LZ4FrameDecompressor()
        self.unused_data = b""
        self.eof = False

    def decompress(self, data: bytes, limit: int) -> bytes:
        """At most `limit` bytes more."""
        if self.eof:
            return b""
        try:
            out = self._inner.decompress(data, limit)
        except RuntimeError as error:
            raise ValueError(str(error)) from error
        self.eof = bool(self._inner.eof)
        self.unused_data = self._inner.unused_data or b""
        return bytes(out)
