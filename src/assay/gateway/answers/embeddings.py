"""`/v1/embeddings`: an answer has numbers, and no room for words."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.gateway.answers.shape import answered, unusable
from assay.gateway.collecting import Collection, without
from assay.guard.verdict import Source

LARGEST = 1e6  # of a component; letters read as a number are far beyond it


def collect_embeddings(document: Mapping[str, Any]) -> Collection:
    """The texts beside the vectors of an answer.

    Raises:
        Refusal: what should be a vector is none.
    """
    found = Collection()
    for at, item in enumerate(answered(document, "data")):
        vector_of(item.get("embedding"))
        found.everything(Source.OUTPUT, without(item, "embedding"), ("data", at))
    found.everything(Source.OUTPUT, without(document, "data"), ())
    return found


def vector_of(value: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """An embedding as numbers, from a list or from base64 of little-endian float32.

    Raises:
        Refusal: it is none.
    """
    try:
        if isinstance(value, str):
            vector = np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
        elif isinstance(value, list) and all(type(one) in {int, float} for one in value):
            vector = np.asarray(value, dtype=np.float32)
        else:
            raise unusable("an embedding is no list of numbers")
    except (binascii.Error, ValueError, OverflowError) as error:
        raise unusable("an embedding cannot be read") from error
    if not np.isfinite(vector).all() or (vector.size and np.abs(vector).max() > LARGEST):
        raise unusable("an embedding has components that are no such numbers")
    return vector
