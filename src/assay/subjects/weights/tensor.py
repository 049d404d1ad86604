"""One tensor of a file, and how its bytes are read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Self

from assay.core.errors import LimitError, SubjectError
from assay.core.folders import unreadable
from assay.subjects.safetensors_header import BITS

# What a tensor with unusual strides may span before it is left out: it has to be copied in memory.
GATHER_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Dtype:
    """A number format by its safetensors name: bytes per element, and `float`, `int` or `bool`."""

    name: str
    itemsize: int
    kind: str


DTYPES = {
    dtype.name: dtype
    for dtype in (
        Dtype("F64", 8, "float"),
        Dtype("F32", 4, "float"),
        Dtype("F16", 2, "float"),
        Dtype("BF16", 2, "float"),
        Dtype("F8_E4M3", 1, "float"),
        Dtype("F8_E5M2", 1, "float"),
        *(Dtype(f"{sign}{8 * size}", size, "int") for size in (8, 4, 2, 1) for sign in "IU"),
        Dtype("BOOL", 1, "bool"),
    )
}


class WeightsFile:
    """An open file of weights, read by position from any number of threads.

    Args:
        path: where it lies.
        name: its path relative to the model, POSIX.

    Raises:
        SubjectError: it cannot be opened or is not a regular file.
    """

    __slots__ = ("fd", "identity", "mode", "name", "path", "size")

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self.fd = -1
        try:
            # O_NONBLOCK: opening a FIFO that took a file's place must not hang.
            self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            status = os.fstat(self.fd)
        except OSError as error:
            self.close()
            raise unreadable(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise SubjectError("not a regular file", subject=str(path), remedy="Name a file of weights.")
        self.size = status.st_size
        self.mode = stat.S_IMODE(status.st_mode)
        self.identity = (status.st_dev, status.st_ino)

    def read_into(self, offset: int, view: memoryview) -> None:
        """Fill `view` with the bytes from `offset`.

        Raises:
            SubjectError: the file ends before, or cannot be read.
        """
        done = 0
        try:
            while done < len(view):
                count = os.preadv(self.fd, [view[done:]], offset + done)
                if count == 0:
                    raise SubjectError(
                        "ended while it was read: it is truncated or being written",
                        subject=str(self.path),
                        remedy="Stop the writer or fetch the file again.",
                    )
                done += count
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise SubjectError(
                f"cannot be read: {reason}", subject=str(self.path), remedy="Check the disk and run it again."
            ) from error

    def close(self) -> None:
        """Close it; harmless when done twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a model.

    Attributes:
        name: its name in the model.
        dtype: number format by its safetensors name; `known` says whether it can be decoded.
        shape: sizes of its dimensions.
        file: where its bytes lie.
        offset: absolute byte of its first element.
        stride: elements to step per dimension; empty for C order, as safetensors always has it.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: WeightsFile
    offset: int
    stride: tuple[int, ...] = ()

    @property
    def known(self) -> bool:
        """Whether the number format can be decoded."""
        return self.dtype in DTYPES

    @property
    def itemsize(self) -> int:
        """Bytes per element; 0 where the number format is not known, or packs several into a byte."""
        bits = BITS.get(self.dtype, 0)
        return 0 if bits % 8 else bits // 8

    @property
    def size(self) -> int:
        """Bytes of all its elements."""
        return self.numel * self.itemsize

    @property
    def kind(self) -> str:
        """`float`, `int` or `bool`."""
        return DTYPES[self.dtype].kind

    @property
    def numel(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    @property
    def layout(self) -> tuple[int, ...]:
        """Its dimensions longer than one, outermost in memory first; () when those are not packed.

        Two tensors of equal shape and equal non-empty layout can be compared in the order of their
        bytes. A tensor of one element or none has the layout (0,).
        """
        dims = [i for i, size in enumerate(self.shape) if size > 1]
        if not dims or self.numel == 0:
            return (0,)
        if not self.stride:
            return tuple(dims)
        dims.sort(key=lambda i: -self.stride[i])
        expected = 1
        for i in reversed(dims):
            if self.stride[i] != expected:
                return ()
            expected *= self.shape[i]
        return tuple(dims)

    @property
    def contiguous(self) -> bool:
        """Whether its bytes lie packed in C order."""
        return self.layout == tuple(sorted(self.layout)) != ()

    def read_into(self, start: int, view: memoryview) -> None:
        """Fill `view` with the stored bytes of a packed tensor, from byte `start` of it.

        Raises:
            SubjectError: the file ends before, or cannot be read.
        """
        self.file.read_into(self.offset + start, view)

    def gather(self) -> bytes:
        """All its bytes in C order, whatever its strides.

        Raises:
            LimitError: it spans more than 64 MiB and is not packed in C order.
            SubjectError: the file ends before, or cannot be read.
        """
        import numpy as np  # noqa: PLC0415  start-up

        size = self.itemsize
        stride = self.stride or tuple(prod(self.shape[i + 1 :]) for i in range(len(self.shape)))
        span = 1 + sum((n - 1) * s for n, s in zip(self.shape, stride, strict=True)) if self.numel else 0
        if max(span, self.numel) * size > GATHER_LIMIT or min(stride, default=0) < 0:
            raise LimitError(
                "its strides would need it to be copied in memory, and it is too large for that",
                subject=f"{self.file.path} [{self.name}]",
                remedy="Save the checkpoint with contiguous tensors, best as safetensors.",
            )
        storage = bytearray(span * size)
        self.file.read_into(self.offset, memoryview(storage))
        flat = np.frombuffer(storage, np.dtype((np.void, size)))
        view = np.lib.stride_tricks.as_strided(flat, self.shape, tuple(size * s for s in stride))
        return view.tobytes()
