"""A network over the windows of a text and of all that it encodes, as a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.core.finding import Severity
from assay.embeddings.text_model import TextModel
from assay.guard.classify.windows import cut
from assay.guard.layer import LayerError
from assay.guard.verdict import HEADS, Detection, Source
from assay.guard.views import View, Views

MAX_WINDOWS = 2_000  # of one text: some ten seconds of two cores
SURE = 0.5  # from here on every place is told, not only the surest
_AT_ONCE = 64  # windows that are run before the next are cut
_TAGS = {
    "injection": ("owasp:LLM01", "atlas:AML.T0051"),
    "jailbreak": ("owasp:LLM01", "atlas:AML.T0054"),
    "toxicity": (),
}
Reading = Callable[[NDArray[np.float32]], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Scored:
    """What the network says of a place in a view: 0..1 for each head."""

    view: View
    start: int
    end: int
    scores: Mapping[str, float]


class WindowedClassifier:
    """Scores windows; the highest score of a head stands for the text. Threads may share it.

    Args:
        name: as verdicts and histograms call the layer.
        model: the network.
        window: tokens it reads at a time, with those that mark start and end.
        reading: turns a row of the network's outputs into scores by head.
    """

    def __init__(self, name: str, model: TextModel, window: int, reading: Reading) -> None:
        self.name, self._model, self._reading = name, model, reading
        self._before, self._after = model.marks()
        self._room = window - len(self._before) - len(self._after)

    @property
    def outputs(self) -> int:
        """How many numbers the network gives a window; tried on an empty one.

        Raises:
            SubjectError: it gives no row of numbers.
        """
        return int(self._model.run([(*self._before, *self._after)]).shape[1])

    def tokens(self, text: str) -> Sequence[int]:
        """The text's token ids, without marks."""
        return self._model.tokens(text).ids

    def detect(self, views: Views, source: Source) -> Iterator[Detection]:  # noqa: ARG002  the policy's matter
        """What is told of the windows of all views.

        Raises:
            LayerError: the text is too long to be scored to its end, or the network gave no number.
        """
        scored, left = self.score(views)
        yield from self.detections(scored)
        if left:
            raise LayerError(left)

    def detections(self, scored: Sequence[Scored]) -> Iterator[Detection]:
        """For each head the surest place, and every further one that is surer than not."""
        for head in HEADS:
            yield from _told(scored, head, self.name)

    def score(self, views: Views) -> tuple[list[Scored], str]:
        """All windows of all views with their scores, and what was not scored, or ""."""
        scored: list[Scored] = []
        known: dict[tuple[int, ...], Mapping[str, float]] = {}
        batch: list[tuple[View, int, int, tuple[int, ...]]] = []
        for place in self._places(views):
            if len(scored) + len(batch) == MAX_WINDOWS:
                return scored + self._run(batch, known), f"only {MAX_WINDOWS:,} windows of it were classified"
            batch.append(place)
            if len(batch) == _AT_ONCE:
                scored += self._run(batch, known)
                batch = []
        return scored + self._run(batch, known), ""

    def _places(self, views: Views) -> Iterator[tuple[View, int, int, tuple[int, ...]]]:
        for view in views.views:
            for window in cut(view.text, self._model.tokens(view.text), self._room):
                yield view, window.start, window.end, window.ids

    def _run(
        self,
        batch: Sequence[tuple[View, int, int, tuple[int, ...]]],
        known: dict[tuple[int, ...], Mapping[str, float]],
    ) -> list[Scored]:
        new = [ids for ids in dict.fromkeys(place[3] for place in batch) if ids not in known]
        if new:
            rows = self._model.run([(*self._before, *ids, *self._after) for ids in new])
            if not np.isfinite(rows).all():
                raise LayerError("the classifier gave a score that is no number")
            known.update(zip(new, map(self._reading, rows), strict=True))
        return [Scored(view, start, end, known[ids]) for view, start, end, ids in batch]


def _told(scored: Sequence[Scored], head: str, layer: str) -> Iterator[Detection]:
    """The surest place of a head, which gives the text its score, and all that are sure."""
    places = [one for one in scored if head in one.scores]
    if not places:
        return
    surest = max(places, key=lambda one: one.scores[head])
    for one in places:
        if one is surest or one.scores[head] >= SURE:
            start, end = one.view.span(one.start, one.end)
            yield Detection(
                rule=f"classifier/{head}",
                layer=layer,
                severity=Severity.MEDIUM,
                score=one.scores[head],
                start=start,
                end=end,
                views=one.view.views,
                text=one.view.text[one.start : one.end][:200],
                tags=_TAGS[head],
            )
