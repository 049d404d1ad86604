"""Rule packs as a layer."""

from __future__ import annotations

from collections.abc import Iterator

from assay.guard.layer import LayerError
from assay.guard.match import Match, Matcher
from assay.guard.verdict import Detection, Source
from assay.guard.views import Views

NAME = "match"
MENTIONED = 0.4  # of a score is left where the words are quoted as an example


class MatchLayer:
    """The layer `match`."""

    name = NAME

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self.titles = {rule.id: rule.title for rule in matcher.rules}

    def detect(self, views: Views, source: Source) -> Iterator[Detection]:  # noqa: ARG002  the policy's matter
        """All matches in all views.

        Raises:
            LayerError: there are more of one rule than are looked at.
        """
        full: set[str] = set()
        for match in self._matcher.scan_views(views, full):
            yield self._detection(match)
        if full:
            raise LayerError(f"too many matches of {', '.join(sorted(full))}", remedy="Judge it in parts.")

    def _detection(self, match: Match) -> Detection:
        rule = self._matcher.by_id[match.rule_id]
        score = rule.score * MENTIONED if match.mentioned else 1.0 if rule.certain else rule.score
        return Detection(
            rule=match.rule_id,
            layer=NAME,
            severity=match.severity,
            score=score,
            start=match.start,
            end=match.end,
            views=match.views,
            text=match.said,
            tags=match.tags,
        )
