"""Texts held against their own vectors: each is embedded again by the model that the store was made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from assay.checks.deployment.vector_poisoning.neighbours import Floats, Ints
from assay.checks.deployment.vector_poisoning.shapes import FALSE_ALARMS, Odd
from assay.checks.deployment.vector_poisoning.tails import Tail
from assay.embeddings.embedder import Embedder
from assay.subjects.vector_stores.snapshot import Snapshot

ENCODER_WIDTH = 384
_TRIED = 64
_OWN = 0.97  # median cosine from which on two models are the same but for rounding
_FAR = 0.7  # cosine; texts that were cut or cleaned differently stay above it
_EACH = 256


@dataclass(frozen=True, slots=True)
class Comparison:
    """Texts embedded again.

    Attributes:
        compared: how many.
        median: their median cosine to the stored vectors; a low one says that another model made the store.
        mismatches: those that lie far from where their text belongs; the figure is the cosine.
    """

    compared: int
    median: float
    mismatches: tuple[Odd, ...]

    @property
    def same_model(self) -> bool:
        """Whether the model is the one that made the store."""
        return self.median >= _OWN


def embedded_encoder(snapshot: Snapshot, seed: int) -> Embedder | None:
    """Our own encoder where it made the store, which a few texts tell; None otherwise."""
    if snapshot.vectors.shape[1] != ENCODER_WIDTH or not installed():
        return None
    from assay.embeddings.encoder import Encoder  # noqa: PLC0415  an extra, and slow to load

    encoder = Encoder()
    places = _with_text(snapshot, _TRIED, np.random.default_rng(seed))
    cosine = _cosines(snapshot, places, encoder)
    return encoder if len(places) and float(np.median(cosine)) >= _OWN else None


def installed() -> bool:
    """Whether the extra that the encoder needs is there."""
    return all(find_spec(name) is not None for name in ("onnxruntime", "tokenizers"))


def compare(
    snapshot: Snapshot,
    embedder: Embedder,
    most: int,
    seed: int,
    tick: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Embed up to `most` texts again, a random sample where there are more, and compare.

    A text is a mismatch where its cosine is below 0.7 and below what `FALSE_ALARMS` honest entries of a
    store of this size would fall below.

    Raises:
        AssayError: a text could not be embedded.
    """
    places = _with_text(snapshot, most, np.random.default_rng(seed))
    if not len(places):
        return Comparison(0, 1.0, ())
    cosine = _cosines(snapshot, places, embedder, tick)
    limit = min(_FAR, 1 - Tail.of(1 - cosine).value(FALSE_ALARMS / len(snapshot)))
    odd = tuple(Odd(int(places[at]), float(cosine[at]), limit) for at in np.flatnonzero(cosine < limit))
    return Comparison(len(places), float(np.median(cosine)), odd)


def _with_text(snapshot: Snapshot, most: int, generator: np.random.Generator) -> Ints:
    places = np.asarray([at for at, text in enumerate(snapshot.texts) if text], np.int64)
    return places if len(places) <= most else np.sort(generator.choice(places, most, replace=False))


def _cosines(
    snapshot: Snapshot,
    places: Ints,
    embedder: Embedder,
    tick: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    found = np.zeros(len(places))
    for start in range(0, len(places), _EACH):
        part = places[start : start + _EACH]
        made = embedder.embed([snapshot.texts[at] or "" for at in part])
        found[start : start + len(part)] = _cosine(snapshot.vectors[part], made)
        tick(min(start + _EACH, len(places)))
    return found


def _cosine(stored: Floats, made: Floats) -> NDArray[np.float64]:
    if stored.shape != made.shape:
        return np.zeros(len(stored))  # of another width: of another model
    stored = stored.astype(np.float64)
    return np.asarray((stored * made).sum(axis=1) / np.linalg.norm(stored, axis=1))
