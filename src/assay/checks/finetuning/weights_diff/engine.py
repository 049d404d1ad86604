"""Reads the pairs of a plan and adds up their figures, with threads over blocks.

Bytes are read by position into buffers that are used again, so memory stays at a few megabytes however
large the model is, and the blocks stay in the processor's cache between reading and arithmetic.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from assay.checks.finetuning.weights_diff.numpy_kernel import BLOCK, NumpyKernel
from assay.checks.finetuning.weights_diff.pairing import Pair
from assay.checks.finetuning.weights_diff.sums import Sums
from assay.core.check import Context
from assay.core.errors import ConfigError

CHUNK = 16 * BLOCK  # elements a thread takes at a time
# Loading numba costs about a second. Below this many bytes numpy has finished before that pays off;
# for 16-bit floats, which numpy has to widen first, a third of it (benchmarks/weights_diff.py).
NUMBA_FROM = 6 << 30
NARROW = frozenset({"F16", "BF16"})
MAX_WORKERS = 16  # beyond this, reading is what takes the time
POLL = 0.1  # seconds between progress reports and looks at cancellation


@dataclass(frozen=True, slots=True)
class Chunk:
    """Elements `start` to `stop` of pair `index`."""

    index: int
    start: int
    stop: int


class Engine:
    """Adds up the figures of pairs.

    Args:
        pairs: what to read.
        context: told of progress, asked for cancellation.
        workers: threads; 0 takes one per core.
        kernel: `auto`, `numpy` or `numba`.
    """

    def __init__(
        self, pairs: Sequence[Pair], context: Context, *, workers: int = 0, kernel: str = "auto"
    ) -> None:
        self._pairs = pairs
        self._context = context
        self._workers = workers or min(os.cpu_count() or 1, MAX_WORKERS)
        self._total = sum(pair.size for pair in pairs)
        self._new_kernel = choose_kernel(kernel, pairs)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._chunks = _chunks(pairs)
        self._parts: list[list[tuple[int, Sums]]] = [[] for _ in pairs]
        self._done = 0

    @property
    def kernel(self) -> str:
        """Name of the arithmetic that was chosen."""
        return self._new_kernel.name

    def run(self) -> list[Sums]:
        """The figures of every pair, in order.

        Raises:
            SubjectError: a file ended or could not be read.
            CheckError: the run was cancelled.
        """
        with ThreadPoolExecutor(self._workers, "weights-diff") as pool:
            pending = {pool.submit(self._work) for _ in range(self._workers)}
            try:
                while pending:
                    pending = self._watch(pending)
            finally:
                self._stop.set()
        return [Sums.total([part for _, part in sorted(parts, key=_start)]) for parts in self._parts]

    def _watch(self, pending: set[Future[None]]) -> set[Future[None]]:
        done, rest = wait(pending, timeout=POLL)
        for future in done:
            future.result()
        self._context.progress.update(self._done, self._total, "bytes of weights")
        self._context.checkpoint()
        return rest

    def _work(self) -> None:
        kernel = self._new_kernel()
        with np.errstate(all="ignore"):
            while not self._stop.is_set():
                with self._lock:
                    chunk = next(self._chunks, None)
                if chunk is None:
                    return
                part = self._chunk(kernel, chunk)
                pair = self._pairs[chunk.index]
                size = (chunk.stop - chunk.start) * pair.candidate.itemsize
                with self._lock:
                    self._parts[chunk.index].append((chunk.start, part))
                    self._done += size * (2 if pair.baseline else 1)

    def _chunk(self, kernel: NumpyKernel, chunk: Chunk) -> Sums:
        pair = self._pairs[chunk.index]
        gathered = _gather(pair) if pair.gathered else None
        parts = []
        for start in range(chunk.start, chunk.stop, BLOCK):
            if self._stop.is_set():
                break
            parts.append(_block(kernel, pair, start, min(start + BLOCK, chunk.stop), gathered))
        return Sums.total(parts)


def choose_kernel(name: str, pairs: Sequence[Pair]) -> type[NumpyKernel]:
    """The kernel for `pairs`.

    Raises:
        ConfigError: `numba` was asked for and cannot be used.
    """
    weight = sum(pair.size * (3 if pair.candidate.dtype in NARROW else 1) for pair in pairs)
    if name == "numpy" or (name == "auto" and weight < NUMBA_FROM):
        return NumpyKernel
    try:
        from assay.checks.finetuning.weights_diff import numba_kernel  # noqa: PLC0415  a second to load

        numba_kernel.warm({pair.candidate.dtype for pair in pairs})
    except (ImportError, RuntimeError) as error:  # absent, unfit for this numpy, or nowhere to keep its cache
        if name == "auto":
            return NumpyKernel
        raise ConfigError(
            f"option 'kernel': numba cannot be used: {error}", remedy="pip install 'assay-llm[fast]'"
        ) from error
    return numba_kernel.NumbaKernel


def _start(part: tuple[int, Sums]) -> int:
    return part[0]


def _chunks(pairs: Sequence[Pair]) -> Iterator[Chunk]:
    """Chunks never straddle the end of what is compared; a gathered pair is one chunk."""
    for index, pair in enumerate(pairs):
        for first, last in ((0, pair.compared), (pair.compared, pair.candidate.numel)):
            step = max(1, last - first) if pair.gathered else CHUNK
            for start in range(first, last, step):
                yield Chunk(index, start, min(start + step, last))


def _gather(pair: Pair) -> tuple[bytes, bytes]:
    return pair.baseline.gather() if pair.baseline else b"", pair.candidate.gather()


def _block(
    kernel: NumpyKernel, pair: Pair, start: int, stop: int, gathered: tuple[bytes, bytes] | None
) -> Sums:
    count = stop - start
    new, old = pair.candidate, pair.baseline
    after = memoryview(kernel.second)[: count * new.itemsize]
    if gathered:
        after[:] = gathered[1][start * new.itemsize : stop * new.itemsize]
    else:
        new.read_into(start * new.itemsize, after)
    if old is None or start >= pair.compared:
        return kernel.single(count, new.dtype, new.itemsize)
    before = memoryview(kernel.first)[: count * old.itemsize]
    if gathered:
        before[:] = gathered[0][start * old.itemsize : stop * old.itemsize]
    elif pair.same_bytes:
        before[:] = after
    else:
        old.read_into(start * old.itemsize, before)
    return kernel.pair(count, old.dtype, new.dtype, (old.itemsize, new.itemsize))
