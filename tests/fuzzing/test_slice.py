"""A slice of what `python tests/fuzzing/artifact_scan.py` and `guard.py` do in full."""

from __future__ import annotations

import pytest

from fuzzing import guard
from fuzzing.artifact_scan import run


@pytest.mark.parametrize(("kind", "count"), [("pickles", 4_000), ("containers", 1_500)])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_input_crashes_hangs_or_passes_wrongly(kind: str, count: int, seed: int) -> None:
    assert run(kind, count, seed) == []


@pytest.mark.parametrize(("kind", "count"), [("texts", 250), ("streams", 60)])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_text_crashes_or_delays_the_guard_or_is_judged_otherwise_in_pieces(
    kind: str, count: int, seed: int
) -> None:
    assert guard.run(kind, count, seed) == []
