"""Events out of a child's answer, none of which is taken in another form than the child sends it in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from assay.subjects.child_answers import Answer, WrongAnswerError
from assay.subjects.pickles.records import Event

MAX_EVENTS = 1_000_000
# How many texts each kind of event has at least.
_FIELDS = {
    "global": 2, "call": 3, "state": 2, "mutate": 3, "misuse": 4, "computed-name": 1, "computed-call": 2,
    "extension": 1, "persistent": 1, "frame": 1, "limit": 2, "limit-soft": 2, "junk": 1, "stream": 2,
    "end": 2, "kind": 1, "format": 1, "storage": 2, "asks": 1, "target": 2,
}  # fmt: skip
_NUMBERS = {"stream": (0, 1), "storage": (1,), "junk": (0,)}


def listen(answers: Iterable[Answer], events: list[Event]) -> None:
    """Add to `events` what a child says, so that what it said before it died is kept.

    Raises:
        WrongAnswerError: an event is of no known kind, lacks texts, or there are more than a million.
        ChildDiedError: as `answers` does.
    """
    depth = 0
    for answer in answers:
        if answer.kind == "trace":
            source, steps = _all_texts(answer, 2)[:2]
            events[-1:] = [_traced(event, source, steps) for event in events[-1:]]
            continue
        what = _all_texts(answer, _FIELDS.get(answer.kind, -1))
        numbers = [_integer(what[index]) for index in _NUMBERS.get(answer.kind, ())]
        if answer.kind == "stream":
            depth = numbers[1]
        if len(events) >= MAX_EVENTS:
            raise WrongAnswerError
        events.append(Event(answer.kind, answer.place, what, depth))


def _all_texts(answer: Answer, least: int) -> tuple[str, ...]:
    texts = answer.texts()
    if least < 0 or len(texts) < least:
        raise WrongAnswerError
    return texts


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise WrongAnswerError from error


def _traced(event: Event, source: str, steps: str) -> Event:
    """An event with the trace that followed it: a line for each step, its offset first."""
    pairs = (line.partition(" ") for line in steps.split("\n") if line)
    return replace(event, source=source, steps=tuple((_integer(at), text) for at, _, text in pairs))
