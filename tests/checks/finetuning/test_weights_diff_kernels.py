"""Both kernels against a slow reference that shares no code with them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.finetuning.weights_diff.numpy_kernel import BLOCK, NumpyKernel
from assay.checks.finetuning.weights_diff.sums import Sums
from assay.subjects.weights import DTYPES
from assay.subjects.weights.decode import decode

try:
    from assay.checks.finetuning.weights_diff.numba_kernel import NumbaKernel
except ImportError:
    KERNELS: list[type[NumpyKernel]] = [NumpyKernel]
else:
    KERNELS = [NumpyKernel, NumbaKernel]

STORED: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}


WORKERS = {kernel: kernel() for kernel in KERNELS}  # buffers are used again, as they are in a run


def load(kernel: NumpyKernel, first: bytes, second: bytes) -> None:
    kernel.first[: len(first)] = first
    kernel.second[: len(second)] = second


def brain(numbers: Sequence[float]) -> bytes:
    return (np.array(numbers, "<f4").view("<u4") >> 16).astype("<u2").tobytes()


def widened(raw: bytes, dtype: str) -> list[float]:
    if dtype == "BF16":
        return [float(x) for x in (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")]
    return [float(x) for x in np.frombuffer(raw, STORED[dtype])]


def stored(numbers: Sequence[float], dtype: str) -> bytes:
    with np.errstate(over="ignore"):
        return brain(numbers) if dtype == "BF16" else np.array(numbers, STORED[dtype]).tobytes()


def square(numbers: Sequence[float]) -> float:
    """The sum of squares, exact until it is rounded once."""
    return float(sum((Fraction(x) ** 2 for x in numbers), Fraction()))


def reference(before: Sequence[float], after: Sequence[float]) -> Sums:
    usable = [(x, y) for x, y in zip(before, after, strict=True) if abs(x) <= 1e140 and abs(y) <= 1e140]
    away = [y - x for x, y in usable]
    return Sums(
        count=len(after),
        compared=len(after),
        difference=square(away),
        baseline=square([x for x, _ in usable]),
        candidate=square([y for _, y in usable]),
        max_abs=max(map(abs, away), default=0.0),
        changed=sum(x != y and not (x != x and y != y) for x, y in zip(before, after, strict=True)),  # noqa: PLR0124
        nan=sum(math.isnan(y) for y in after),
        inf=sum(abs(y) > 1e140 for y in after),
    )


def agree(found: Sums, expected: Sums) -> None:
    for name in ("count", "compared", "changed", "nan", "inf", "max_abs"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in ("difference", "baseline", "candidate"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12, abs=1e-300), name


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, bytes, bytes]:
    dtype = draw(st.sampled_from(sorted(STORED)))
    special = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, 2.0**-24, 65504.0])
    ordinary = st.floats(-1e4, 1e4, width=16)
    numbers = st.lists(st.one_of(ordinary, ordinary, ordinary, special), min_size=1, max_size=40)
    before = draw(numbers)
    after = [draw(st.one_of(st.just(x), st.just(x), ordinary, special)) for x in before]
    return dtype, stored(before, dtype), stored(after, dtype)


@pytest.mark.parametrize("kernel", KERNELS)
@settings(deadline=None)
@given(case=pairs())
def test_a_pair_has_the_figures_of_the_reference(
    kernel: type[NumpyKernel], case: tuple[str, bytes, bytes]
) -> None:
    dtype, first, second = case
    worker = WORKERS[kernel]
    load(worker, first, second)
    size = STORED[dtype].itemsize
    with np.errstate(all="ignore"):
        found = worker.pair(len(first) // size, dtype, dtype, (size, size))
    agree(found, reference(widened(first, dtype), widened(second, dtype)))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", sorted(STORED))
@pytest.mark.parametrize("count", [1, 1023, 1024, 5000])
def test_long_blocks_have_the_figures_of_the_reference(
    kernel: type[NumpyKernel], dtype: str, count: int
) -> None:
    generator = np.random.default_rng(count)
    numbers = generator.standard_normal(count)
    first = stored(list(numbers), dtype)
    second = stored(list(numbers + 0.01 * generator.standard_normal(count)), dtype)
    worker = WORKERS[kernel]
    load(worker, first, second)
    size = STORED[dtype].itemsize
    found = worker.pair(count, dtype, dtype, (size, size))
    agree(found, reference(widened(first, dtype), widened(second, dtype)))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", sorted(DTYPES))
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_any_bytes_of_any_format_have_the_figures_of_the_reference(
    kernel: type[NumpyKernel], dtype: str, data: st.DataObject
) -> None:
    size = DTYPES[dtype].itemsize
    count = data.draw(st.integers(1, 20))
    first, second = (data.draw(st.binary(min_size=count * size, max_size=count * size)) for _ in range(2))
    worker = WORKERS[kernel]
    load(worker, first, second)
    with np.errstate(all="ignore"):
        found = worker.pair(count, dtype, dtype, (size, size))
    expected = reference(list(decode(first, dtype)), list(decode(second, dtype)))
    if dtype in ("I64", "U64"):  # beyond 2^53 the reference cannot tell neighbours apart
        expected = dataclasses.replace(expected, changed=found.changed)
    agree(found, expected)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_full_block_of_the_widest_format_fits(kernel: type[NumpyKernel]) -> None:
    worker = WORKERS[kernel]
    load(worker, np.zeros(BLOCK).tobytes(), np.ones(BLOCK).tobytes())
    found = worker.pair(BLOCK, "F64", "F64", (8, 8))
    assert found == Sums(BLOCK, BLOCK, BLOCK, 0.0, BLOCK, 1.0, BLOCK)


@pytest.mark.parametrize("kernel", KERNELS)
def test_formats_may_differ(kernel: type[NumpyKernel]) -> None:
    numbers = [0.5, -1.25, 3.0, 1.0]
    worker = WORKERS[kernel]
    load(worker, stored(numbers, "F32"), brain([0.5, -1.25, 3.0, 2.0]))
    agree(worker.pair(4, "F32", "BF16", (4, 2)), reference(numbers, [0.5, -1.25, 3.0, 2.0]))


@pytest.mark.parametrize("kernel", KERNELS)
def test_neighbouring_large_integers_differ(kernel: type[NumpyKernel]) -> None:
    worker = WORKERS[kernel]
    load(worker, np.array([2**60, 7], "<i8").tobytes(), np.array([2**60 + 1, 7], "<i8").tobytes())
    assert worker.pair(2, "I64", "I64", (8, 8)).changed == 1


@pytest.mark.parametrize("kernel", KERNELS)
@settings(deadline=None)
@given(numbers=st.lists(st.one_of(st.floats(-1, 1), st.sampled_from([math.nan, math.inf])), min_size=1))
def test_a_tensor_alone_is_searched_for_non_finite_values(
    kernel: type[NumpyKernel], numbers: list[float]
) -> None:
    worker = WORKERS[kernel]
    load(worker, b"", stored(numbers, "F64"))
    with np.errstate(all="ignore"):
        found = worker.single(len(numbers), "F64", 8)
    expected = reference(numbers, numbers)
    assert (found.count, found.compared) == (len(numbers), 0)
    assert (found.nan, found.inf) == (expected.nan, expected.inf)


@settings(deadline=None)
@given(
    first=st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=30),
    noise=st.lists(st.floats(-1, 1, width=32), min_size=30, max_size=30),
)
def test_cosine_is_that_of_the_textbook(first: list[float], noise: list[float]) -> None:
    second = [x + y for x, y in zip(first, noise, strict=False)]
    sums = reference(first, second)
    if sums.baseline < 1e-6 or sums.candidate < 1e-6:
        return
    textbook = float(np.dot(first, second) / (np.linalg.norm(first) * np.linalg.norm(second)))
    assert sums.cosine == pytest.approx(textbook, abs=1e-6)


def test_cosine_and_relative_l2_without_a_norm() -> None:
    assert (Sums().cosine, Sums().relative_l2) == (1.0, 0.0)
    from_zero = Sums(1, 1, 4.0, 0.0, 4.0, 2.0, 1)
    assert (from_zero.cosine, from_zero.relative_l2) == (0.0, 1.0)
    to_zero = Sums(1, 1, 4.0, 4.0, 0.0, 2.0, 1)
    assert (to_zero.cosine, to_zero.relative_l2) == (0.0, 1.0)
