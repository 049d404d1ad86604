"""Writes safetensors: the format that holds numbers and nothing else.

Layout (huggingface/safetensors): eight bytes little-endian length, a JSON header padded with spaces to a
multiple of eight, then the tensors without a gap, larger element sizes first so that each is aligned.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from assay.core.errors import LimitError, SubjectError
from assay.subjects.safetensors_header import MAX_HEADER, PREFIX
from assay.subjects.weights.strided import copy_strided, write_at
from assay.subjects.weights.tensor import Tensor

CHUNK = 8 << 20
METADATA = "__metadata__"
OPEN_TO_ALL = 0o644
MAX_ELEMENTS = 1 << 63
Progress = Callable[[int, int], None]


def write_safetensors(
    target: Path,
    tensors: Iterable[Tensor],
    *,
    metadata: Mapping[str, str] | None = None,
    progress: Progress = lambda _done, _total: None,
) -> int:
    """Write `tensors` to `target`, whole or not at all; returns the bytes written.

    No more of a tensor than 16 MiB is held in memory. The file may be read by no one who may not read all
    files that the tensors come from.

    Args:
        target: the file; it is replaced where it exists.
        tensors: of known number formats, with names that differ.
        metadata: texts for the header.
        progress: told bytes done and bytes in all.

    Raises:
        SubjectError: a tensor has a name or a format that cannot be written, or cannot be read.
        LimitError: the header would be larger than readers take.
        OSError: the file cannot be written.
    """
    ordered = sorted(tensors, key=lambda tensor: (-_itemsize(tensor), tensor.name))
    header = _header(ordered, metadata or {})
    total = sum(tensor.size for tensor in ordered)
    if shutil.disk_usage(target.absolute().parent).free < total:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    descriptor, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
    try:
        try:
            write_at(descriptor, memoryview(header), 0)
            _copy_all(ordered, descriptor, len(header), lambda done: progress(done, total))
            os.fchmod(descriptor, _mode(ordered))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return len(header) + total


def _itemsize(tensor: Tensor) -> int:
    if not tensor.itemsize:
        raise SubjectError(
            f"has the number format {tensor.dtype}, which cannot be converted",
            subject=f"{tensor.file.path} [{tensor.name}]",
            remedy="Save the checkpoint with ordinary floats or integers.",
        )
    return tensor.itemsize


def _mode(tensors: Sequence[Tensor]) -> int:
    mode = OPEN_TO_ALL
    for file in {tensor.file for tensor in tensors}:
        mode &= file.mode
    return mode | 0o600


def _header(tensors: Sequence[Tensor], metadata: Mapping[str, str]) -> bytes:
    """Length and JSON."""
    document: dict[str, object] = {METADATA: dict(metadata)} if metadata else {}
    at = 0
    for tensor in tensors:
        _require_writable(tensor, document)
        document[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [at, at + tensor.size],
        }
        at += tensor.size
    raw = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    raw += b" " * (-len(raw) % 8)
    if len(raw) > MAX_HEADER:
        raise LimitError(
            f"the names of its tensors need a header of {len(raw):,} bytes; readers take {MAX_HEADER:,}",
            subject=str(tensors[0].file.path) if tensors else "",
            remedy="Convert its parts on their own.",
        )
    return len(raw).to_bytes(PREFIX, "little") + raw


def _require_writable(tensor: Tensor, document: Mapping[str, object]) -> None:
    problem, remedy = "", "Save the checkpoint with another name for it."
    if tensor.name == METADATA:
        problem = f"is named {METADATA}, where safetensors keeps its own notes"
    elif tensor.name in document:
        problem = "has the name of another tensor"
    elif not _is_unicode(tensor.name):
        problem = "has a name that is no valid Unicode text, which no reader of safetensors takes"
    elif _elements(tensor.shape) >= MAX_ELEMENTS:
        problem, remedy = "has a shape that no reader of safetensors takes", "Leave it out: it is empty."
    if problem:
        raise SubjectError(problem, subject=f"{tensor.file.path} [{tensor.name[:200]}]", remedy=remedy)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _elements(shape: Sequence[int]) -> int:
    """The largest number that multiplying dimensions one by one comes to."""
    most = count = 1
    for dimension in shape:
        count *= dimension
        most = max(most, count)
    return most


def _copy_all(tensors: Sequence[Tensor], descriptor: int, at: int, progress: Callable[[int], None]) -> None:
    buffer = bytearray(CHUNK)
    before = 0
    for tensor in tensors:
        if tensor.size and not tensor.contiguous:
            steps = copy_strided(tensor, descriptor, at + before)
        else:
            steps = _copy_packed(tensor, buffer, descriptor, at + before)
        for done in steps:
            progress(before + done)
        before += tensor.size


def _copy_packed(tensor: Tensor, buffer: bytearray, descriptor: int, at: int) -> Iterator[int]:
    for start in range(0, tensor.size, CHUNK):
        view = memoryview(buffer)[: min(CHUNK, tensor.size - start)]
        tensor.read_into(start, view)
        write_at(descriptor, view, at + start)
        yield start + len(view)
