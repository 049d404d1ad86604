"""What `model.json` says of the network beside it, checked: it is what scores are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.core.errors import TamperError
from assay.guard.verdict import HEADS

SHORTEST, LONGEST = 16, 512  # tokens a window, with the two that mark start and end


@dataclass(frozen=True, slots=True)
class Facts:
    """How the network's numbers are read.

    Attributes:
        heads: what its outputs are about, in order.
        window: tokens it reads at a time, with those that mark start and end.
        lines: for each head slope and shift: probability = sigmoid(slope * output + shift) (Platt 1999).
    """

    heads: tuple[str, ...]
    window: int
    lines: tuple[tuple[float, float], ...]


def parse_facts(document: Mapping[str, Any], *, subject: str) -> Facts:
    """The facts that `model.json` states.

    Raises:
        TamperError: they are not such as a release has.
    """
    heads, window, lines = (document.get(key) for key in ("heads", "window", "calibration"))
    if not isinstance(heads, list) or not heads or not set(map(str, heads)) <= set(HEADS):
        raise _not_released(f"its heads are not among {', '.join(HEADS)}", subject)
    if len(set(heads)) != len(heads):
        raise _not_released("a head is named twice", subject)
    if type(window) is not int or not SHORTEST <= window <= LONGEST:
        raise _not_released(f"its window is not {SHORTEST} to {LONGEST} tokens", subject)
    if not isinstance(lines, list) or len(lines) != len(heads) or not all(map(_is_line, lines)):
        raise _not_released("its calibration is not a rising line for each head", subject)
    return Facts(tuple(heads), window, tuple((float(slope), float(shift)) for slope, shift in lines))


def _is_line(line: object) -> bool:
    """Whether it is a slope and a shift; a slope that falls would call attacks harmless."""
    if not isinstance(line, list) or [type(one) in {int, float} for one in line] != [True, True]:
        return False
    return all(math.isfinite(one) and abs(one) <= 100 for one in line) and line[0] > 0  # noqa: PLR2004  sane


def _not_released(cause: str, subject: str) -> TamperError:
    return TamperError(f"is not as released: {cause}", subject=subject, remedy="Reinstall Assay.")
