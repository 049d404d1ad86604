"""How much two names look alike."""

from __future__ import annotations

import re

from assay.guard.folding import normalise

# Letters and digits that stand for each other in print, and pairs that read as one letter.
_SHAPES = str.maketrans("01358|", "olesbl")
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))
_SEPARATORS = re.compile(r"[-_. ]+")


def skeleton(text: str) -> str:
    """What is left of a name for a hasty reader: case, separators and look-alike characters are folded."""
    folded = _SEPARATORS.sub("", normalise(text).text.lower()).translate(_SHAPES)
    for pair, single in _PAIRS:
        folded = folded.replace(pair, single)
    return folded.replace("i", "l")


def distance(first: str, second: str, limit: int = 2) -> int:
    """Damerau-Levenshtein distance (adjacent letters swapped count once), or `limit` + 1 where it is more."""
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    before, previous = [0], list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            cost = min(
                previous[column] + 1,
                current[column - 1] + 1,
                previous[column - 1] + (letter != other),
            )
            swapped = row > 1 and column > 1 and letter == second[column - 2] and first[row - 2] == other
            current.append(min(cost, before[column - 2] + 1) if swapped else cost)
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return min(previous[-1], limit + 1)


def tolerated(name: str) -> int:
    """How many letters may differ in a name of that length before it is another name."""
    return 2 if len(name) >= 8 else 1 if len(name) >= 5 else 0  # noqa: PLR2004  short names are close to many
