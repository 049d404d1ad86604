"""`/v1/completions` and `/v1/embeddings`: a text, texts, or token numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.gateway.collecting import Unscanned, without
from assay.gateway.passages import Fragment, Path
from assay.gateway.refusal import Refusal
from assay.gateway.requests.reading import Reading, asked_tokens, begun
from assay.guard.verdict import Source


def read_completion(document: Mapping[str, Any]) -> Reading:
    """The texts of a completion request.

    Raises:
        Refusal: its prompt cannot be read.
    """
    reading = begun(document)
    _inputs(reading, document.get("prompt"), ("prompt",), Source.USER)
    reading.everything(Source.USER, without(document, "prompt"), ())
    reading.answer_tokens = asked_tokens(document, "max_tokens")
    return reading


def read_embedding(document: Mapping[str, Any]) -> Reading:
    """The texts of a request for embeddings.

    Raises:
        Refusal: its input cannot be read.
    """
    reading = begun(document)
    if reading.stream:
        raise Refusal(400, "invalid_value", "Embeddings are not streamed.", param="stream")
    _inputs(reading, document.get("input"), ("input",), Source.DOCUMENT)
    reading.everything(Source.DOCUMENT, without(document, "input"), ())
    return reading


def _inputs(reading: Reading, value: Any, path: Path, source: Source) -> None:
    if isinstance(value, str):
        reading.add(source, [Fragment(path, value)])
        return
    if not isinstance(value, list) or not value:
        raise Refusal(400, "invalid_type", f"'{path[0]}' must be a text or a list.", param=str(path[0]))
    for at, item in enumerate(value):
        if isinstance(item, str):
            reading.add(source, [Fragment((*path, at), item)])
        elif not _tokens(item):
            raise Refusal(
                400, "invalid_type", f"'{path[0]}' has an item of an unknown kind.", param=str(path[0])
            )
    numbers = sum(len(item) if isinstance(item, list) else 1 for item in value if _tokens(item))
    if numbers:
        reading.skip(path, Unscanned.TOKENS, "token numbers")
        reading.tokens += numbers


def _tokens(item: Any) -> bool:
    numbers = item if isinstance(item, list) else [item]
    return all(isinstance(one, int) and not isinstance(one, bool) for one in numbers)
