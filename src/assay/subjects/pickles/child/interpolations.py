"""Whether OmegaConf would evaluate Python for a text: ${name:arguments} calls what the process registered.

OmegaConf's own resolvers (`oc.env`, `oc.select` …) give back values; projects register others, an `eval` at
times (omegaconf/grammar/OmegaConfGrammarParser.g4).
"""

from __future__ import annotations

import re

_MARKS = re.compile(r"\$\{|[:}]")
_EVALUATORS = re.compile(r"eval|exec|python|import|lambda|\$")  # `$`: the name of the resolver is computed
_CODE = re.compile(r"\(|__")


def evaluates(text: str) -> bool:
    """Whether a resolver in `text` evaluates Python by its name, is computed, or is given Python."""
    begun: list[tuple[int, int]] = []  # where a ${ ends, and where the colon of its resolver stands
    for mark in _MARKS.finditer(text):
        at = mark.start()
        if mark.group() == "${":
            begun.append((mark.end(), 0))
        elif begun and mark.group() == "}":
            if _is_code(text, *begun.pop(), at):
                return True
        elif begun and not begun[-1][1]:
            begun[-1] = (begun[-1][0], at)
    return any(_is_code(text, start, colon, len(text)) for start, colon in begun)


def _is_code(text: str, start: int, colon: int, end: int) -> bool:
    if not colon:
        return False  # the name of another node
    return bool(_EVALUATORS.search(text, start, colon) or _CODE.search(text, colon, end))
