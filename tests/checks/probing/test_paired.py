from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.probing.paired import (
    BIG,
    Pairs,
    bootstrap_interval,
    detectable_drop,
    drop_p,
    holm,
    mcnemar_p,
    power,
    upper_tail,
)
from assay.core.proportions import wilson_interval


def pairs(lost: int, gained: int, total: int = 100) -> Pairs:
    return Pairs(total, total - gained, total - lost, lost, gained)


def test_pairs_count_what_changed() -> None:
    counted = Pairs.of([True, True, False, False, True], [True, False, True, False, False])
    assert counted == Pairs(total=5, baseline=3, candidate=2, lost=2, gained=1)
    assert counted.delta == pytest.approx(-0.2)


def test_mcnemar_agrees_with_published_figures() -> None:
    # scipy.stats.binomtest(k, n, 0.5): 8 of 10 two-sided and one-sided, 15 of 20, 5 of 5
    assert mcnemar_p(pairs(8, 2)) == pytest.approx(0.109375)
    assert drop_p(pairs(8, 2)) == pytest.approx(0.0546875)
    assert mcnemar_p(pairs(5, 15)) == pytest.approx(0.04138947, abs=1e-8)
    assert drop_p(pairs(5, 0)) == pytest.approx(1 / 32)


def test_no_difference_is_no_evidence() -> None:
    assert mcnemar_p(pairs(0, 0)) == 1
    assert drop_p(pairs(0, 0)) == 1
    assert mcnemar_p(pairs(7, 7)) == 1


def test_large_counts_agree_with_the_exact_tail() -> None:
    trials = BIG + 1
    exact = sum(math.comb(trials, k) for k in range(1050, trials + 1)) / 2**trials
    assert upper_tail(1050, trials) == pytest.approx(exact, rel=1e-9)
    assert upper_tail(0, 50_000) == pytest.approx(1)


@given(st.integers(0, 60), st.integers(0, 60))
def test_p_values_are_probabilities_and_mirror_each_other(lost: int, gained: int) -> None:
    there, back = pairs(lost, gained, 200), pairs(gained, lost, 200)
    assert 0 < mcnemar_p(there) == mcnemar_p(back) <= 1
    assert 0 < drop_p(there) <= 1
    assert drop_p(there) + drop_p(back) >= 1


@given(st.integers(1, 500), st.data())
def test_wilson_contains_the_rate(total: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, total))
    low, high = wilson_interval(hits, total)
    assert 0 <= low <= hits / total + 1e-12
    assert hits / total - 1e-12 <= high <= 1


def test_wilson_agrees_with_a_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263
    assert list(wilson_interval(81, 263)) == pytest.approx([0.2553, 0.3662], abs=5e-5)


def test_bootstrap_is_seeded_and_covers_the_change() -> None:
    counted = pairs(30, 10, 200)
    assert bootstrap_interval(counted, 1) == bootstrap_interval(counted, 1)
    low, high = bootstrap_interval(counted, 1)
    assert low < counted.delta < high < 0
    # the normal interval of a paired difference, for comparison
    half = 1.96 * math.sqrt((40 / 200 - counted.delta**2) / 200)
    assert [low, high] == pytest.approx([counted.delta - half, counted.delta + half], abs=0.012)


def test_holm_agrees_with_r() -> None:
    # as p.adjust of R gives them
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1, 1]


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_and_keeps_the_order(raw: list[float]) -> None:
    adjusted = holm(raw)
    assert all(a >= p and a <= 1 for a, p in zip(adjusted, raw, strict=True))
    assert [adjusted[at] for at in sorted(range(len(raw)), key=raw.__getitem__)] == sorted(adjusted)


def test_power_agrees_with_simulation() -> None:
    rng = np.random.default_rng(0)
    total, drop, churn = 300, 0.05, 0.02
    draws = rng.multinomial(total, [drop + churn, churn, 1 - drop - 2 * churn], size=4_000)
    cache: dict[tuple[int, int], bool] = {}
    seen = 0
    for lost, gained, _ in draws.tolist():
        key = (lost, gained)
        if key not in cache:
            cache[key] = drop_p(Pairs(total, 0, 0, lost, gained)) <= 0.05
        seen += cache[key]
    assert power(total, drop, churn, 0.05) == pytest.approx(seen / 4_000, abs=0.025)


def test_a_thousand_prompts_see_three_points() -> None:
    assert power(1_000, 0.03, 0.01, 0.05) >= 0.8
    least = detectable_drop(1_000, 0.01, 0.05)
    assert least is not None
    assert least <= 0.03


def test_few_prompts_see_little() -> None:
    assert detectable_drop(3, 0.0, 0.05) is None
    few, many = detectable_drop(24, 0.0, 0.05), detectable_drop(240, 0.0, 0.05)
    assert few is not None
    assert many is not None
    assert many < few


@settings(deadline=None)
@given(st.integers(5, 200), st.floats(0, 0.3), st.floats(0, 0.3))
def test_power_is_a_probability(total: int, drop: float, churn: float) -> None:
    assert -1e-9 <= power(total, drop, churn, 0.05) <= 1 + 1e-9


def test_the_test_keeps_its_level() -> None:
    # without a true drop, alarms come at most as often as promised: exactly, not by chance
    for churn in (0.01, 0.05, 0.2):
        assert power(500, 0.0, churn, 0.05) <= 0.05
