"""What hides in a text: characters that a reader does not see, or takes for others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.core.finding import Severity
from assay.guard.unicode import HiddenSpan, mixed_script_words
from assay.guard.verdict import Detection, Source
from assay.guard.views import Views

NAME = "normalise"
_TAGS = ("owasp:LLM01", "atlas:AML.T0051")
# How bad a kind is, and how sure a sign of an attack; where it spells something, it is surer.
_KINDS = {
    "tag": (Severity.HIGH, 0.85),
    "variation": (Severity.MEDIUM, 0.3),
    "bidi": (Severity.MEDIUM, 0.4),
    "invisible": (Severity.LOW, 0.2),
    "control": (Severity.LOW, 0.1),
}
_MIXED_RULE = "hidden/mixed-script"
_TITLES = {
    "hidden/tag": "Tag characters, which nobody sees and a model reads",
    "hidden/variation": "Variation selectors, which can carry a text that nobody sees",
    "hidden/bidi": "Direction marks, by which what is shown is not what is stored",
    "hidden/invisible": "Invisible characters where no script needs them",
    "hidden/control": "Control characters",
    _MIXED_RULE: "A word of letters from two scripts that look alike",
}
_SPELLS = 0.85
_SPLIT = 0.45  # inside a word, where no script needs it
_MIXED = 0.3


class NormaliseLayer:
    """The layer `normalise`."""

    name = NAME
    titles: Mapping[str, str] = _TITLES

    def detect(self, views: Views, source: Source) -> Iterator[Detection]:  # noqa: ARG002  alike for all
        """Hidden characters and words that mix scripts, in the original text."""
        text = views.original
        if text.isascii() and text.isprintable():
            return
        for span in views.hidden:
            yield _hidden(text, span)
        for start, end in mixed_script_words(text):
            shown = text[start:end]
            yield Detection(_MIXED_RULE, NAME, Severity.LOW, _MIXED, start, end, (), shown[:200], _TAGS)


def _hidden(text: str, span: HiddenSpan) -> Detection:
    severity, score = _KINDS[span.kind]
    if span.decoded:
        severity, score = Severity.HIGH, _SPELLS
    elif span.kind == "invisible" and text[max(0, span.start - 1) : span.start].isalnum():
        score = _SPLIT if text[span.end : span.end + 1].isalnum() else score
    rule = f"hidden/{span.kind}"
    return Detection(rule, NAME, severity, score, span.start, span.end, (), span.decoded[:200], _TAGS)
