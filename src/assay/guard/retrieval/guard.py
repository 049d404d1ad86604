"""Judges passages before they are stored, and before a model is given them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import AssayError, ConfigError
from assay.embeddings.embedder import Embedder
from assay.guard.guard import Guard
from assay.guard.phrases import GRAM, Gram, grams, words
from assay.guard.verdict import Action, GuardVerdict, Source

Vectors = Sequence[Sequence[float]] | NDArray[np.float32] | NDArray[np.float64]
_ECHOES = 3  # passages that repeat the question, each in a text of its own
_REPEATED = 0.8  # of the question's phrases
_COPIES = 0.5  # texts that share half of their phrases are versions of each other
_HEAD = 40  # words of a passage within which a question that was put before it stands


class WithheldError(AssayError):
    """Passages were withheld, and the caller asked to be told so by an error."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to be stored, or that was found.

    Attributes:
        text: what the model would read.
        tenant: whose it is, "" where that does not matter.
    """

    text: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class RetrievalVerdict:
    """What becomes of passages.

    Attributes:
        kept: places of those that may be used, ascending.
        texts: their texts, redacted where the guard's policy asks for it.
        withheld: place of each other, with the reasons, none of which quotes the text.
        verdicts: what the guard says of each passage, in their order.
    """

    kept: tuple[int, ...]
    texts: tuple[str, ...]
    withheld: dict[int, tuple[str, ...]]
    verdicts: tuple[GuardVerdict, ...] = field(repr=False, default=())

    def raise_withheld(self) -> None:
        """Raise where something was withheld.

        Raises:
            WithheldError: it was.
        """
        if self.withheld:
            place, reasons = next(iter(self.withheld.items()))
            raise WithheldError(
                f"{len(self.withheld)} of {len(self.withheld) + len(self.kept)} passages were withheld; "
                "passage "
                f"{place}: {reasons[0]}",
                remedy="Read the passages; allow them in the guard's policy where they are in order.",
            )


class RetrievalGuard:
    """Judges passages; make one and share it between threads.

    Args:
        guard: judges each text; where it blocks, the passage is withheld.
        embedder: what made the store's vectors; where it is given, a text must lie near its own vector.
        least_cosine: how near, -1 to 1.
        longest: a longer vector is withheld: a search by inner product would find it first; 0 is any.
        route: as for `Guard.judge`.

    Raises:
        ConfigError: `least_cosine` or `longest` cannot be met.
    """

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        embedder: Embedder | None = None,
        least_cosine: float = 0.7,
        longest: float = 0.0,
        route: str = "",
    ) -> None:
        if not -1 <= least_cosine <= 1 or longest < 0:
            raise ConfigError("least_cosine lies between -1 and 1, longest is not negative")
        self._guard = guard or Guard()
        self._embedder, self._least, self._longest, self._route = embedder, least_cosine, longest, route

    def check(
        self,
        passages: Sequence[str | Passage],
        vectors: Vectors | None = None,
        *,
        query: str = "",
        tenant: str = "",
    ) -> RetrievalVerdict:
        """What becomes of passages.

        Args:
            passages: to be stored, or found.
            vectors: one each, where they are to be stored; shape (passages, width).
            query: the question they were found for: three and more that repeat it and then go on differently
                are withheld, as PoisonedRAG plants them.
            tenant: who asks: passages of others are withheld. Passages that say no tenant are kept.

        Raises:
            ConfigError: there are not as many vectors as passages.
            AssayError: a text could not be embedded; then nothing may be stored.
        """
        items = [one if isinstance(one, Passage) else Passage(one) for one in passages]
        verdicts = [self._guard.judge(one.text, Source.DOCUMENT, self._route) for one in items]
        reasons: list[list[str]] = [list(_of_text(verdict)) for verdict in verdicts]
        for at, one in enumerate(items):
            if tenant and one.tenant and one.tenant != tenant:
                reasons[at].append("belongs to another tenant")
        if vectors is not None:
            for at, reason in self._of_vectors([one.text for one in items], vectors):
                reasons[at].append(reason)
        for at in _echoes(query, [one.text for one in items]):
            reasons[at].append("repeats the question, as several others do that go on differently")
        kept = tuple(at for at, why in enumerate(reasons) if not why)
        withheld = {at: tuple(why) for at, why in enumerate(reasons) if why}
        return RetrievalVerdict(kept, tuple(verdicts[at].text for at in kept), withheld, tuple(verdicts))

    def _of_vectors(self, texts: list[str], vectors: Vectors) -> Iterator[tuple[int, str]]:
        if len(vectors) != len(texts):
            raise ConfigError(f"there are {len(texts)} passages and {len(vectors)} vectors")
        usable: dict[int, NDArray[np.float64]] = {}
        for at, given in enumerate(vectors):
            vector = _numbers(given)
            length = float(np.linalg.norm(vector)) if vector is not None else 0.0
            if vector is None or not np.isfinite(length) or length == 0:
                yield at, "its vector is no list of finite numbers, or all zero"
            elif self._longest and length > self._longest:
                yield at, f"its vector is {length:.3g} long, and {self._longest:.3g} is allowed"
            else:
                usable[at] = vector / length
        if self._embedder is None or not usable:
            return
        made = self._embedder.embed([texts[at] for at in usable])
        for (at, vector), own in zip(usable.items(), made, strict=True):
            cosine = float(vector @ own) if len(vector) == len(own) else -1.0
            if cosine < self._least:
                yield at, f"its text belongs elsewhere than its vector lies (cosine {cosine:.2f})"


def _of_text(verdict: GuardVerdict) -> Iterator[str]:
    if verdict.action is not Action.BLOCK:
        return
    rules = sorted({one.rule for one in verdict.detections})
    yield f"the guard blocks it ({', '.join(rules[:5]) or 'it was not judged in full'})"


def _numbers(
    vector: Sequence[float] | NDArray[np.float32] | NDArray[np.float64],
) -> NDArray[np.float64] | None:
    try:
        found = np.asarray(vector, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.ndim == 1 and found.size else None


def _echoes(query: str, texts: list[str]) -> list[int]:
    """Passages that put the question before what they say, where three and more do and are no versions."""
    asked = words(query)
    size = min(GRAM, len(asked))
    if size < 2:  # noqa: PLR2004  a single word stands in many texts
        return []
    wanted = _runs(asked, size)
    found = [at for at, text in enumerate(texts) if _repeats(wanted, words(text)[: _HEAD + len(asked)], size)]
    distinct = _distinct([frozenset(grams(words(texts[at]))) - frozenset(grams(asked)) for at in found])
    return found if distinct >= _ECHOES else []


def _runs(tokens: list[str], size: int) -> set[tuple[str, ...]]:
    return set(zip(*(tokens[at:] for at in range(size)), strict=False))


def _repeats(wanted: set[tuple[str, ...]], tokens: list[str], size: int) -> bool:
    return len(wanted & _runs(tokens, size)) >= _REPEATED * len(wanted)


def _distinct(texts: list[frozenset[Gram]]) -> int:
    """How many of the texts are no versions of one before them."""
    kept: list[frozenset[Gram]] = []
    for text in texts:
        if all(len(text & other) < _COPIES * max(1, min(len(text), len(other))) for other in kept):
            kept.append(text)
    return len(kept)
