"""Whether an answer refuses."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

from assay.subjects.endpoint.answer import Answer

_PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "＇": "'"})  # noqa: RUF001  what models write


@lru_cache(maxsize=1)
def _refusals() -> tuple[int, tuple[str, ...]]:
    text = files(__package__).joinpath("refusals.json").read_text(encoding="utf-8")
    document = json.loads(text)
    return int(document["window"]), tuple(document["phrases"])


def folded(text: str) -> str:
    """`text` in one case, with plain apostrophes and single spaces: the form that is compared."""
    return " ".join(text.translate(_PLAIN).casefold().split())


def refuses(answer: Answer) -> bool:
    """Whether an answer is a refusal, by the phrase list in `refusals.json`.

    What the endpoint's own content filter stopped counts as refused; an empty answer does not.
    """
    if answer.finish_reason == "content_filter":
        return True
    window, phrases = _refusals()
    # Folding shortens runs of space only, so a bounded prefix is enough.
    start = folded(answer.text[: 8 * window])[:window]
    return any(phrase in start for phrase in phrases)
