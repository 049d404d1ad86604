"""The seam between the guard and what looks at texts: built-in layers and those a user plugs in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from assay.core.errors import AssayError
from assay.guard.verdict import Detection, Source
from assay.guard.views import Views


class LayerError(AssayError):
    """A layer could not look at all of a text; what it saw before counts."""


class Layer(Protocol):
    """Something that looks at a text. It may have `titles`: by rule, what the rule says, in one line.

    Attributes:
        name: as verdicts and histograms call it.
    """

    @property
    def name(self) -> str:
        """As verdicts and histograms call it."""

    def detect(self, views: Views, source: Source) -> Iterable[Detection]:
        """What is in the text.

        Args:
            views: the text, as a reader sees it and decoded.
            source: where it comes from.

        Raises:
            LayerError: it could not look at all of the text; the policy says what becomes of it then.
        """
