"""Personal data as a layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from assay.guard.layer import LayerError
from assay.guard.pii import TITLES, Pii, find_pii
from assay.guard.pii.find import MAX_FOUND
from assay.guard.verdict import Detection, Source
from assay.guard.views import View, Views

NAME = "pii"
_TAGS = ("owasp:LLM02", "cwe:CWE-359")
# Decodings that keep every byte; a number that appears by deciphering is nobody's.
_EXACT = frozenset({
    "base64", "base32", "hex", "base85", "url", "html", "escapes", "quoted-printable", "binary",
    "character-codes", "character-calls", "tags", "hidden-tag", "hidden-variation", "hidden-invisible",
})  # fmt: skip


class PiiLayer:
    """The layer `pii`."""

    name = NAME
    titles: Mapping[str, str] = {f"pii/{kind}": title for kind, title in TITLES.items()}

    def detect(self, views: Views, source: Source) -> Iterator[Detection]:  # noqa: ARG002  the policy's matter
        """Personal data in the text and in what it encodes; each place once.

        Raises:
            LayerError: there is more of it than is looked at.
        """
        seen: set[tuple[str, int, int]] = set()
        for view in views.views:
            if _EXACT.issuperset(view.views):
                found = find_pii(view.text)
                for one in _detections(view, found):
                    place = (one.rule, one.start, one.end)
                    if place not in seen:
                        seen.add(place)
                        yield one
                if len(found) >= MAX_FOUND:
                    raise LayerError("too much personal data", remedy="Judge the text in parts.")


def _detections(view: View, found: Iterable[Pii]) -> Iterator[Detection]:
    for one in found:
        start, end = view.span(one.start, one.end)
        said = view.text[one.start : one.end][:200]
        yield Detection(f"pii/{one.kind}", NAME, one.severity, one.score, start, end, view.views, said, _TAGS)
