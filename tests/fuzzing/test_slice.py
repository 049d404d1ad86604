"""A slice of what `python tests/fuzzing/artifact_scan.py` does in full."""

from __future__ import annotations

import pytest

from fuzzing.artifact_scan import run


@pytest.mark.parametrize(("kind", "count"), [("pickles", 4_000), ("containers", 1_500)])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_input_crashes_hangs_or_passes_wrongly(kind: str, count: int, seed: int) -> None:
    assert run(kind, count, seed) == []
