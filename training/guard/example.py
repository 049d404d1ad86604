"""A labelled text."""

from __future__ import annotations

from dataclasses import dataclass, replace

UNKNOWN = -1.0
HEADS = ("injection", "jailbreak", "toxicity")


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what is in it.

    Attributes:
        text: what is scored.
        injection, jailbreak, toxicity: 0..1, or `UNKNOWN` where nobody labelled it: no loss there.
        source: where it is from; some sources only measure.
        group: the template or family that made it; a group is never in two parts of the split.
        payload: where in the text the attack stands, as character offsets; None where all of it is meant.
    """

    text: str
    injection: float
    jailbreak: float
    toxicity: float
    source: str
    group: str
    payload: tuple[int, int] | None = None

    @property
    def labels(self) -> tuple[float, float, float]:
        """In the order of `HEADS`."""
        return self.injection, self.jailbreak, self.toxicity

    def as_source(self, source: str) -> Example:
        """The same under another source's name."""
        return replace(self, source=source)
