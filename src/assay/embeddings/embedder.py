"""The seam: whatever turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors; safe to use from several threads."""

    @property
    def name(self) -> str:
        """The model's name, as evidence records it: vectors of two names must not be compared."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length 1, of shape (texts, width), in the order of the texts.

        Raises:
            AssayError: a text could not be embedded; nothing is returned then.
        """
