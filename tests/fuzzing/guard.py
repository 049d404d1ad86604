"""Fuzz the guard: no crash, no text that takes long, no place outside the text, no split that matters.

    python tests/fuzzing/guard.py [--texts 50000] [--streams 10000] [--seed 0]

Every text comes from the seed and its number alone, so that a failure can be made again. `texts` go through
the normaliser, the decoders, the rules, the recognisers of personal data and the policy; `streams` are judged
in pieces cut at random, and what leaves is compared with what leaves uncut and, where no place is longer than
what a stream holds back, with what leaves of the whole.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # not this folder, whose names are those of packages

from assay.guard.decoding import views
from assay.guard.guard import Guard
from assay.guard.pii import find_pii
from assay.guard.policy import parse_policy
from assay.guard.stream import StreamGuard
from assay.guard.unicode import hidden_spans
from assay.guard.verdict import Action, GuardVerdict, LayerState, Source
from assay.guard.views import View
from fuzzing import guard_texts

LEXICAL = parse_policy({"layers": {"classify": {"use": "off"}}})
LONGEST = 12_000  # characters
MAX_SECONDS = 4  # of processor time, for any text of that length
SAMPLE = 40  # places of a view that are mapped back


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one text."""

    number: int
    text: str
    message: str


class _BrokenError(Exception):
    pass


def inputs(kind: str, count: int, seed: int) -> Iterator[tuple[int, random.Random, str]]:
    """The texts of a run: `texts` or `streams`."""
    for number in range(count):
        rng = random.Random(f"{kind}/{seed}/{number}")
        if kind == "streams" and number % 2:
            yield number, rng, guard_texts.streamable(rng)
        else:
            yield number, rng, guard_texts.generate(rng, LONGEST if kind == "texts" else 3_000)


def run(kind: str, count: int, seed: int) -> list[Failure]:
    """Fuzz; the failures, if any."""
    guard = Guard(LEXICAL)
    failures = []
    for number, rng, text in inputs(kind, count, seed):
        began = time.process_time()
        try:
            if kind == "texts":
                _check_text(guard, rng, text)
            else:
                _check_stream(guard, rng, text, whole=bool(number % 2))
        except _BrokenError as error:
            failures.append(Failure(number, text, str(error)))
        except Exception as error:  # noqa: BLE001  what is looked for
            failures.append(Failure(number, text, f"raised {type(error).__name__}: {error}"))
        seconds = time.process_time() - began
        if kind == "texts" and seconds > MAX_SECONDS:
            failures.append(Failure(number, text, f"took {seconds:.1f} s"))
    return failures


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise _BrokenError(message)


def _check_text(guard: Guard, rng: random.Random, text: str) -> None:
    spans = hidden_spans(text)
    places = [(span.start, span.end) for span in spans]
    _require(_apart(places, len(text), least=1), "hidden spans overlap or lie outside")
    for view in views(text).views:
        _check_view(rng, view, len(text))
    _check_verdict(guard.judge(text, rng.choice(list(Source))), text)


def _check_view(rng: random.Random, view: View, size: int) -> None:
    count = len(view.text)
    for at in (rng.randrange(count) for _ in range(min(SAMPLE, count))):
        start, end = view.span(at, min(count, at + rng.randrange(1, 30)))
        _require(0 <= start <= end <= size, f"{view.views} maps {at} to {start}:{end} of {size}")
    found = [(one.start, one.end) for one in find_pii(view.text)]
    _require(_apart(found, count, least=1), f"personal data in {view.views} overlaps or lies outside")


def _check_verdict(verdict: GuardVerdict, text: str) -> None:
    for run_ in verdict.layers:
        _require(run_.state is not LayerState.FAILED, f"{run_.layer} failed: {run_.reason}")
    for one in verdict.detections:
        _require(0 <= one.start <= one.end <= len(text), f"{one.rule} lies outside: {one.start}:{one.end}")
        _require(0 <= one.score <= 1, f"{one.rule} has the score {one.score}")
    _require(all(0 <= score <= 1 for score in verdict.scores.values()), f"scores {verdict.scores}")
    _require(_apart([place[:2] for place in verdict.redacted], len(text)), "redacted places overlap")
    if verdict.action is Action.BLOCK:
        _require(verdict.text == "", "something passes of a text that is blocked")
    elif not verdict.redacted:
        _require(verdict.text == text, "a text passes that is not the one that came")
    _require((verdict.action is Action.ALLOW) == (not verdict.reasons), "an action without a reason")


def _apart(places: list[tuple[int, int]], size: int, *, least: int = 0) -> bool:
    """Whether places follow each other and lie in the text."""
    inside = all(0 <= start <= end - least and end <= size for start, end in places)
    return inside and all(before <= after for (_, before), (after, _) in pairwise(places))


def _check_stream(guard: Guard, rng: random.Random, text: str, *, whole: bool) -> None:
    source = rng.choice((Source.OUTPUT, Source.OUTPUT, Source.DOCUMENT))
    uncut, first = _streamed(guard, text, [], source)
    cuts = sorted(rng.randrange(len(text) + 1) for _ in range(rng.choice((1, 5, 40))))
    left, second = _streamed(guard, text, cuts, source)
    _require(left == uncut, f"cut at {cuts[:20]} something else leaves")
    _require(first.blocked == second.blocked, f"cut at {cuts[:20]} it ends otherwise")
    if whole:
        verdict = guard.judge(text, source)
        _require(left == verdict.text, "what leaves in pieces is not what leaves of the whole")


def _streamed(guard: Guard, text: str, cuts: list[int], source: Source) -> tuple[str, StreamGuard]:
    stream = StreamGuard(guard, source)
    pieces = [stream.feed(text[a:b]) for a, b in pairwise([0, *cuts, len(text)])]
    return "".join([*pieces, stream.finish()]), stream


def main() -> int:
    """Fuzz as the command line says; 1 where something failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=50_000)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    failed = False
    for kind, count in (("texts", arguments.texts), ("streams", arguments.streams)):
        began = time.monotonic()
        failures = run(kind, count, arguments.seed)
        print(f"{kind}: {count:,} inputs, {len(failures)} failures, {time.monotonic() - began:.0f} s")
        for failure in failures[:20]:
            print(f"  #{failure.number} {failure.message[:300]}\n    {failure.text[:200]!r}")
        failed |= bool(failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
