"""`model.json` decides what scores say; one that was changed must not turn attacks into harmless texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.core.errors import TamperError
from assay.guard.classify.facts import Facts, parse_facts

GOOD: dict[str, Any] = {
    "heads": ["injection", "toxicity"], "window": 96, "calibration": [[1.5, -2], [1.0, 0.0]],
}  # fmt: skip


def test_the_facts_of_a_release_are_read() -> None:
    assert parse_facts(GOOD, subject="model.json") == Facts(
        ("injection", "toxicity"), 96, ((1.5, -2.0), (1.0, 0.0))
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("heads", []),
        ("heads", "injection"),
        ("heads", ["injection", "injektion"]),
        ("heads", ["injection", "injection"]),
        ("heads", [["injection"], {}]),
        ("window", 0),
        ("window", True),
        ("window", 96.5),
        ("window", "96"),
        ("window", 10**9),
        ("calibration", None),
        ("calibration", [[1.0, 0.0]]),
        ("calibration", [[-1.0, 0.0], [1.0, 0.0]]),
        ("calibration", [[0.0, -9.0], [1.0, 0.0]]),
        ("calibration", [[1e9, 0.0], [1.0, 0.0]]),
        ("calibration", [[True, 0.0], [1.0, 0.0]]),
        ("calibration", [[1.0], [1.0, 0.0]]),
        ("calibration", ["ab", [1.0, 0.0]]),
        ("calibration", json.loads("[[NaN, 0.0], [1.0, 0.0]]")),
        ("calibration", json.loads("[[1.0, -Infinity], [1.0, 0.0]]")),
    ],
)
def test_what_no_release_says_is_refused(key: str, value: object) -> None:
    with pytest.raises(TamperError, match="not as released"):
        parse_facts({**GOOD, key: value}, subject="model.json")
    with pytest.raises(TamperError, match="not as released"):
        parse_facts({name: one for name, one in GOOD.items() if name != key}, subject="model.json")
