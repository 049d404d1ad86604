"""The embedded model: all-MiniLM-L6-v2 (Apache-2.0) in 8-bit integers, made by `training/guard/export.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.embeddings.embedder import Vectors
from assay.embeddings.text_model import TextModel

MODEL = Path(__file__).parent / "model"
LONGEST = 256  # tokens; the model was trained on no longer ones
MAX_CHARACTERS = 20_000  # more can hold no token that counts, and would only be tokenised


class Encoder:
    """Sentence vectors of 384 numbers and length 1. The start of a long text stands for all of it.

    The vector of a text does not depend on what else is embedded with it.

    Args:
        folder: where model, tokenizer and their digests lie.
        threads: processor threads a text may use.

    Raises:
        TamperError: a file is not the one that was released.
        ConfigError: the extra `guard` is not installed.
    """

    def __init__(self, folder: Path = MODEL, *, threads: int = 2) -> None:
        self._model = TextModel.released(folder, threads=threads)

    @property
    def name(self) -> str:
        """The model's name and the start of its digest."""
        return f"{self._model.facts['name']}@{self._model.digest[:12]}"

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return int(self._model.facts["width"])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (texts, 384)."""
        rows = [self._model.ids(text[:MAX_CHARACTERS], LONGEST) for text in texts]
        if not rows:
            return np.zeros((0, self.width), np.float32)
        return self._model.run(rows)
