"""Vectors from an OpenAI-compatible server: `POST /embeddings`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import EndpointError
from assay.embeddings.embedder import Vectors
from assay.embeddings.json_endpoint import JsonEndpoint

MAX_WIDTH = 16_384
_BATCH = 64


class EndpointEmbedder:
    """Asks a server for vectors, 64 texts at a time, and brings them to length 1.

    Args:
        url: base URL, usually ending in `/v1`.
        model: the model name to send.
        api_key: sent as a bearer token.
        timeout: seconds one attempt may take.
        retries: attempts after the first.

    Raises:
        EndpointError: the URL or the key cannot be used.
    """

    def __init__(
        self, url: str, model: str, api_key: str = "", *, timeout: float = 30.0, retries: int = 2
    ) -> None:
        self._endpoint = JsonEndpoint(url, api_key, timeout=timeout, retries=retries)
        self._model = model

    @property
    def name(self) -> str:
        """The model's name and where it is served."""
        return f"{self._model}@{self._endpoint.url}"

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (texts, width).

        Raises:
            EndpointError: the server gave no vectors, too few, or some that are not numbers.
        """
        parts = [self._ask(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)]
        if not parts:
            return np.zeros((0, 0), np.float32)
        if len({part.shape[1] for part in parts}) > 1:
            raise self._error("its vectors differ in length")
        return np.concatenate(parts)

    def _ask(self, texts: Sequence[str]) -> Vectors:
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        vectors = self._vectors(self._endpoint.post("/embeddings", body), len(texts))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(vectors).all() or not (lengths > 0).all():
            raise self._error("a vector is not finite, or all zero")
        unit: Vectors = (vectors / lengths).astype(np.float32)
        return unit

    def _vectors(self, reply: Any, count: int) -> NDArray[np.float64]:
        try:
            rows = {int(one["index"]): one["embedding"] for one in reply["data"]}
            vectors = np.array([rows[at] for at in range(count)], np.float64)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._error("its reply is not a list of one vector a text") from error
        if vectors.ndim != 2 or not 0 < vectors.shape[1] <= MAX_WIDTH:  # noqa: PLR2004
            raise self._error(f"its vectors do not have 1 to {MAX_WIDTH:,} numbers")
        return vectors

    def _error(self, cause: str) -> EndpointError:
        return EndpointError(
            cause, subject=self._endpoint.url, remedy="Name a server and model for embeddings."
        )
