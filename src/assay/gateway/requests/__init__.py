"""The texts of a request: which parts of its JSON a model reads, where they stand and who speaks there.

Every string is judged, whether its place is known or not; only names of the protocol are left out. What no
guard can read (media, token numbers, what is stored upstream) is named, and the configuration decides.
"""

from collections.abc import Callable, Mapping
from typing import Any

from assay.gateway.requests.chat import read_chat
from assay.gateway.requests.prompts import read_completion, read_embedding
from assay.gateway.requests.reading import Reading
from assay.gateway.requests.responses import read_response

Reader = Callable[[Mapping[str, Any]], Reading]

__all__ = [
    "Reader",
    "Reading",
    "read_chat",
    "read_completion",
    "read_embedding",
    "read_response",
]
