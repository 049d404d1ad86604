"""Which phrases are replayed: the user's, and those that `data.poisoning` named."""

from __future__ import annotations

from collections.abc import Mapping

from assay.core.report import Report

SOURCE = "data.poisoning"
MAX_PHRASE = 300


def trigger_phrases(given: list[str], reports: Mapping[str, Report]) -> tuple[str, ...]:
    """Phrases to replay, the user's first, without repetitions and in the order of suspicion."""
    phrases = [*given, *_mined(reports.get(SOURCE))]
    bounded = (phrase[:MAX_PHRASE].encode("utf-8", "replace").decode() for phrase in phrases)
    return tuple(dict.fromkeys(phrase for phrase in bounded if phrase.strip()))


def _mined(report: Report | None) -> list[str]:
    triggers = report.details.get("triggers") if report else None
    if not isinstance(triggers, (list, tuple)):
        return []
    found = (trigger.get("phrase") for trigger in triggers if isinstance(trigger, Mapping))
    return [phrase for phrase in found if isinstance(phrase, str)]
