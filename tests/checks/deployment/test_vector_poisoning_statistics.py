from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.checks.deployment.vector_poisoning.contrast import LEAST, contrast
from assay.checks.deployment.vector_poisoning.copies import find_copies
from assay.checks.deployment.vector_poisoning.neighbours import NEAREST, nearest, unit
from assay.checks.deployment.vector_poisoning.shapes import far_off, hubs, long_vectors
from assay.checks.deployment.vector_poisoning.tails import Tail
from assay.checks.deployment.vector_poisoning.wording import Wording
from assay.subjects.vector_stores.snapshot import Snapshot

Floats = NDArray[np.float32]


def points(count: int, width: int, seed: int = 0) -> Floats:
    return unit(np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32))


@pytest.mark.parametrize("count", [9_000, 8_192, 700, NEAREST, 3])
def test_neighbours_are_the_nearest_of_all(count: int) -> None:
    cloud = points(count, 8)
    near = nearest(cloud)
    size = min(NEAREST, count - 1)
    assert near.index.shape == (count, size)
    for at in range(0, count, max(1, count // 40)):
        every = cloud @ cloud[at]
        every[at] = -2
        assert np.allclose(near.cosine[at], np.sort(every)[::-1][:size], atol=1e-5)
        assert at not in near.index[at]
        assert np.allclose(every[near.index[at]], near.cosine[at], atol=1e-5)


@pytest.mark.parametrize("count", [0, 1])
def test_a_single_point_has_no_neighbours(count: int) -> None:
    assert nearest(points(count, 4) if count else np.zeros((0, 4), np.float32)).index.shape == (count, 0)


@given(st.floats(1e-30, 1e30))
def test_vectors_of_any_length_have_a_direction(length: float) -> None:
    scaled = unit(points(5, 8) * np.float32(length))
    assert np.allclose(scaled, points(5, 8), atol=1e-3)


def test_as_many_lie_beyond_the_threshold_as_stated() -> None:
    figures = np.random.default_rng(1).exponential(2.0, 200_000)
    tail = Tail.of(figures)
    for rate in (0.1, 0.01, 0.001):
        assert float((figures > tail.value(rate)).mean()) == pytest.approx(rate, rel=0.15)


def test_a_few_per_cent_of_planted_figures_hardly_move_the_threshold() -> None:
    honest = np.random.default_rng(1).exponential(2.0, 10_000)
    before = Tail.of(honest).value(0.01)
    after = Tail.of(np.concatenate([honest, np.full(300, 500.0)])).value(0.01)
    assert before <= after < before * 1.3


@settings(max_examples=50)
@given(st.floats(1e-12, 0.1))
def test_a_rate_and_its_threshold_belong_together(rate: float) -> None:
    tail = Tail.of(np.random.default_rng(2).exponential(1.0, 1_000))
    assert tail.log10_rate(tail.value(rate)) == pytest.approx(math.log10(rate), abs=1e-6)


def test_five_points_close_together_stand_out_by_five() -> None:
    cloud = points(500, 64)
    centre = points(1, 64, seed=9)
    group = unit(centre + 0.05 * np.random.default_rng(3).normal(size=(5, 64)).astype(np.float32))
    found = contrast(nearest(np.concatenate([cloud, group])))
    assert set(found.size[500:].tolist()) == {4}
    assert found.figure[500:].min() > found.figure[:500].max() + 0.2
    assert LEAST == NEAREST


def test_random_points_have_no_odd_ones() -> None:
    cloud = points(2_000, 64)
    near = nearest(cloud)
    counts = np.bincount(near.index[:, :10].ravel(), minlength=2_000).astype(np.int64)
    assert hubs(counts) == []
    assert far_off(near) == []
    lengths = np.random.default_rng(0).lognormal(0, 0.1, 2_000)
    assert long_vectors(lengths) == []
    lengths[3] = 30
    (odd,) = long_vectors(lengths)
    assert odd.at == 3


def snapshot(texts: list[str], vectors: Floats) -> Snapshot:
    empty = ("",) * len(texts)
    return Snapshot(tuple(map(str, range(len(texts)))), tuple(texts), vectors, empty, empty)


def test_a_set_of_versions_is_judged_by_the_stores_others() -> None:
    base = points(40, 32)
    pages = [f"page {at} says word{at} thing{at} place{at} time{at} name{at} end{at}" for at in range(40)]

    def stored(sizes: list[int]) -> list[float]:
        texts = [f"{pages[at]} version {one}" for at, size in enumerate(sizes) for one in range(size)]
        vectors = np.concatenate(
            [np.repeat(base[at : at + 1], size, axis=0) for at, size in enumerate(sizes)]
        )
        return [one.log10_q for one in find_copies(snapshot(texts, vectors), nearest(vectors))]

    assert stored([12] + [1] * 39)[0] < -2
    assert stored([12] * 40)[0] == 0
    assert stored([2] * 40)[0] == 0


def test_shared_words_are_those_that_few_others_have() -> None:
    question = "what is the harbour licence"
    group = [
        f"{question} {end}" for end in ("it is kept by the port", "ask at noon", "nobody needs one today")
    ]
    others = [f"the weather in town number {at} is fair today" for at in range(50)]
    wording = Wording([*group, *others])
    shared = wording.shared([0, 1, 2])
    wording.count(shared.phrases)
    assert wording.is_made([0, 1, 2], shared)
    assert wording.quote(0, wording.rare(shared)) == question
    assert wording.is_opening([0, 1, 2], wording.rare(shared))
    # The same words all over the store are nobody's mark.
    common = Wording([*group, *(f"{question} and town {at}" for at in range(50))])
    again = common.shared([0, 1, 2])
    common.count(again.phrases)
    assert not common.is_made([0, 1, 2], again)


def test_words_of_scripts_without_spaces_are_their_characters() -> None:
    texts = [
        "港の免許は何ですか。北の事務所です。",
        "港の免許は何ですか。郵便局で扱います。",
        "港の免許は何ですか。夜警に聞いてください。",
    ]
    wording = Wording([*texts, "天気は晴れです。"])
    shared = wording.shared([0, 1, 2])
    wording.count(shared.phrases)
    assert wording.quote(0, wording.rare(shared)) == "港 の 免 許 は 何 で す か"
