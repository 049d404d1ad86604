"""What the operators of computation graphs do: data with a source for each entry, and how to look it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.core.data_files import read_data
from assay.core.finding import Severity

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Effect:
    """What running an operator does beyond computing.

    Attributes:
        does: completes "running the graph …".
        severity: how bad that is.
        only: "outside" where it matters only with a constant path that leaves the model's folder,
            "elsewhere" where it does not with constant paths of the model's assets alone,
            "attribute:NAME" where it matters only when that attribute names a file or an address.
        paths: the inputs that are paths; none named: any may be.
    """

    does: str
    severity: Severity
    only: str = ""
    paths: tuple[int, ...] = ()

    @property
    def ordinary(self) -> bool:
        """Whether it is part of harmless graphs, too."""
        return self.only not in {"", "elsewhere"}


@lru_cache(maxsize=4)
def _load(name: str) -> Mapping[str, Any]:
    return dict(read_data(_HERE / f"{name}.yaml"))


@lru_cache(maxsize=4)
def effects(framework: str) -> dict[str, Effect]:
    """By operator, what it does; of `tensorflow`, `onnx` or `paddle`."""
    return {
        name: Effect(
            entry["does"], Severity(entry["severity"]), entry.get("only", ""), tuple(entry.get("paths", ()))
        )
        for entry in _load(framework)["effects"]
        for name in entry["operators"]
    }


@lru_cache(maxsize=8)
def known(framework: str, group: str) -> frozenset[str]:
    """Names of a group: the domains or namespaces that a stock runtime serves."""
    return frozenset(name for entry in _load(framework)[group] for name in entry["names"])


@lru_cache(maxsize=1)
def stock_tensorflow() -> frozenset[str]:
    """Operators that a stock TensorFlow has."""
    lines = (_HERE / "tensorflow_stock.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
