"""The classifier that ships: a small encoder, fine-tuned for injection, jailbreak and toxicity.

Made by `training/guard`; its model card says how good it is and where it fails.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import TamperError
from assay.embeddings.text_model import TextModel
from assay.guard.classify.facts import Facts, parse_facts
from assay.guard.classify.windowed import WindowedClassifier

MODEL = Path(__file__).parents[1] / "model"
NAME = "classify"
THREADS = min(4, os.cpu_count() or 1)  # windows of one text that are run at the same time


class Classifier(WindowedClassifier):
    """The layer `classify`.

    Args:
        folder: where model, tokenizer, and what `model.json` says of them lie.
        threads: windows of one text that are run at the same time.
        window: tokens that are read at a time, where it shall not be what the network was trained on.

    Raises:
        TamperError: a file is missing or is not the one that was released.
        ConfigError: the extra `guard` is not installed.
    """

    def __init__(self, folder: Path = MODEL, *, threads: int = THREADS, window: int = 0) -> None:
        model = TextModel.released(folder, threads=threads)
        facts = parse_facts(model.facts, subject=str(folder / "model.json"))
        super().__init__(NAME, model, window or facts.window, _Lines(facts))
        if self.outputs != len(facts.heads):
            raise TamperError(
                f"is not as released: {self.outputs} outputs for {len(facts.heads)} heads",
                subject=str(folder),
                remedy="Reinstall Assay.",
            )


class _Lines:
    """Outputs to probabilities, by each head's line."""

    def __init__(self, facts: Facts) -> None:
        self._heads = facts.heads
        self._slopes, self._shifts = np.array(facts.lines, np.float64).T

    def __call__(self, outputs: NDArray[np.float32]) -> Mapping[str, float]:
        chances = 1 / (1 + np.exp(-np.clip(self._slopes * outputs + self._shifts, -60, 60)))
        return dict(zip(self._heads, chances.tolist(), strict=True))
