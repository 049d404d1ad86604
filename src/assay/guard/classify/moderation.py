"""A moderation API: `POST /moderations` as OpenAI defines it. Texts leave this machine."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from assay.core.errors import EndpointError
from assay.core.finding import Severity
from assay.embeddings.json_endpoint import JsonEndpoint
from assay.guard.layer import LayerError
from assay.guard.scoring import head_of
from assay.guard.verdict import Detection, Source
from assay.guard.views import View, Views

NAME = "moderation"
MAX_INPUTS = 64  # pieces of one text that are asked about
PIECE, OVERLAP = 8_000, 400  # characters of a piece, and how many of them the next one repeats
TIMEOUT = 5.0  # seconds; a text waits for the answer
_FLAGGED = 0.5  # at least, where the server's own threshold is reached
_PATH = "/moderations"


class ModerationApi:
    """The layer `moderation`: what a server calls toxic counts for `toxicity`, what else it flags is told.

    Args:
        url: base URL of the API, usually ending in `/v1`; with or without `/moderations`.
        model: the model to ask for; the server's own choice where empty.
        api_key: sent as a bearer token.
        timeout: seconds one attempt may take; there are two.

    Raises:
        EndpointError: the URL or the key cannot be used.
    """

    name = NAME

    def __init__(self, url: str, model: str = "", api_key: str = "", *, timeout: float = TIMEOUT) -> None:
        base = url.rstrip("/").removesuffix(_PATH)
        self._endpoint, self._model = JsonEndpoint(base, api_key, timeout=timeout, retries=1), model
        # A policy that is replaced drops its layers while texts are still judged by them.
        weakref.finalize(self, self._endpoint.close)

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()

    def detect(self, views: Views, source: Source) -> Iterator[Detection]:  # noqa: ARG002  the policy's matter
        """What the server says of the text and of what it encodes.

        Raises:
            LayerError: the text is too long to be asked about to its end.
            EndpointError: the server gave no answer, or one that is no moderation.
        """
        places = [place for view in views.views for place in _pieces(view)]
        asked = places[:MAX_INPUTS]
        if asked:
            for (view, start, end), result in zip(asked, self._ask(asked), strict=True):
                yield from self._detections(view, start, end, result)
        if len(places) > len(asked):
            raise LayerError(f"only {MAX_INPUTS} pieces of it were moderated")

    def _ask(self, places: list[tuple[View, int, int]]) -> list[Any]:
        body: dict[str, Any] = {"input": [view.text[start:end] for view, start, end in places]}
        if self._model:
            body["model"] = self._model
        reply = self._endpoint.post(_PATH, body)
        results = reply.get("results") if isinstance(reply, dict) else None
        if not isinstance(results, list) or len(results) != len(places):
            raise self._error("its reply is not a list of one result a text")
        return results

    def _detections(self, view: View, start: int, end: int, result: Any) -> Iterator[Detection]:
        first, last = view.span(start, end)
        scores, flags = self._said(result, "category_scores"), self._said(result, "categories")
        if not isinstance(result.get("flagged"), bool) or (result["flagged"] and not any(flags.values())):
            raise self._error("its reply does not say which category is flagged")
        for category in sorted({*scores, *flags}):
            rule, flagged = f"{NAME}/{category.replace('/', '-')[:40]}", flags.get(category) is True
            score = max(self._score(scores.get(category, 0)), _FLAGGED if flagged else 0.0)
            if flagged or head_of(rule):
                severity = Severity.MEDIUM if flagged else Severity.LOW
                yield Detection(
                    rule, NAME, severity, score, first, last, view.views, view.text[start:end][:200]
                )

    def _said(self, result: Any, key: str) -> Mapping[str, Any]:
        found = result.get(key) if isinstance(result, dict) else None
        if not isinstance(found, dict):
            raise self._error(f"its reply has no {key}")
        return found

    def _score(self, score: Any) -> float:
        if type(score) not in {int, float} or not math.isfinite(score) or not 0 <= score <= 1:
            raise self._error("a score of it is not a number from 0 to 1")
        return float(score)

    def _error(self, cause: str) -> EndpointError:
        return EndpointError(
            cause, subject=self._endpoint.url, remedy="Name a server that answers as OpenAI's moderations do."
        )


def _pieces(view: View) -> Iterator[tuple[View, int, int]]:
    start = 0
    while start < len(view.text):
        end = min(len(view.text), start + PIECE)
        yield view, start, end
        start = end if end == len(view.text) else end - OVERLAP
