"""Writes safetensors: the format that holds numbers and nothing else.

Layout (huggingface/safetensors): eight bytes little-endian length, a JSON header padded with spaces to a
multiple of eight, then the tensors without a gap, larger element sizes first so that each is aligned.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

from assay.core.errors import SubjectError
from assay.subjects.weights.tensor import Tensor

CHUNK = 8 << 20


def write_safetensors(
    target: Path,
    tensors: Iterable[Tensor],
    *,
    metadata: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Write `tensors` to `target`, whole or not at all; returns the bytes written.

    Args:
        target: the file; it is replaced where it exists.
        tensors: of a known number format.
        metadata: texts for the header.
        progress: told bytes done and bytes in all.

    Raises:
        SubjectError: a tensor has an unknown format, or cannot be read.
        LimitError: a tensor's strides would need a copy too large for memory.
        OSError: the file cannot be written.
    """
    ordered = sorted(tensors, key=lambda tensor: (-_itemsize(tensor), tensor.name))
    header = _header(ordered, metadata or {})
    total = sum(tensor.numel * tensor.itemsize for tensor in ordered)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  from a descriptor
            file.write(len(header).to_bytes(8, "little") + header)
            done = 0
            for tensor in ordered:
                done = _copy(tensor, file, done, total, progress)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return 8 + len(header) + total


def _itemsize(tensor: Tensor) -> int:
    if not tensor.known:
        raise SubjectError(
            f"has the number format {tensor.dtype}, which cannot be converted",
            subject=f"{tensor.file.path} [{tensor.name}]",
            remedy="Save the checkpoint with ordinary floats or integers.",
        )
    return tensor.itemsize


def _header(tensors: list[Tensor], metadata: Mapping[str, str]) -> bytes:
    document: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    at = 0
    for tensor in tensors:
        end = at + tensor.numel * tensor.itemsize
        document[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [at, end],
        }
        at = end
    raw = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return raw + b" " * (-len(raw) % 8)


def _copy(
    tensor: Tensor, file: IO[bytes], done: int, total: int, progress: Callable[[int, int], None]
) -> int:
    size = tensor.numel * tensor.itemsize
    if size and not tensor.contiguous:
        file.write(tensor.gather())
        progress(done + size, total)
        return done + size
    buffer = memoryview(bytearray(min(size, CHUNK)))
    for start in range(0, size, CHUNK):
        view = buffer[: min(CHUNK, size - start)]
        tensor.read_into(start, view)
        file.write(view)
        done += len(view)
        progress(done, total)
    return done
