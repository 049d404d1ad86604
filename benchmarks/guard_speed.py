"""How long the classifier takes, and the whole guard with it, by the clock and in processor time.

Run: python benchmarks/guard_speed.py [--runs 200] [--model FOLDER]

On a machine that does other work, processor time says what the clock would on an idle one: it is spread over
as many cores as there are threads.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from assay.guard.classify import Classifier
from assay.guard.classify.classifier import MODEL
from assay.guard.guard import Guard
from assay.guard.verdict import Source
from assay.guard.views import View, Views

TOKENS, OF_GUARD = (10, 50, 94, 200, 400, 1_000, 4_000), (50, 400)
WARM, LEAST_RUNS, ALL_TOKENS = 5, 20, 40_000
WORDS = """
    the committee met on tuesday to discuss budget of new library and decided wait for report engineers while
    some members asked how money would be found in spring before old building is sold or rented out again to
    a school that needs more room than it has now because children from two villages come by bus each day
""".split()  # noqa: SIM905  a list of sixty words is harder to read
HEAD = "| | tokens | windows | clock: least, ms | median | 90 % below | processor: least, ms | median |"


def text_of(classifier: Classifier, tokens: int) -> str:
    """A text of about so many tokens, no two windows of which are alike."""
    rng = random.Random(0)
    words: list[str] = []
    while len(classifier.tokens(" ".join(words))) < tokens:
        more = max(1, (tokens - len(words)) // 2)
        words += [rng.choice(WORDS) + ("." if rng.random() < 0.08 else "") for _ in range(more)]
    return " ".join(words)


def timed(work: Callable[[], object], runs: int) -> str:
    """How long it took, as columns."""
    clock: list[float] = []
    processor: list[float] = []
    for _ in range(WARM + runs):
        started, busy = time.perf_counter(), time.process_time()
        work()
        processor.append((time.process_time() - busy) * 1e3)
        clock.append((time.perf_counter() - started) * 1e3)
    clock, processor = sorted(clock[WARM:]), sorted(processor[WARM:])
    shown = (clock[0], clock[runs // 2], clock[runs * 9 // 10], processor[0], processor[runs // 2])
    return " | ".join(f"{one:.1f}" for one in shown)


def look(classifier: Classifier, views: Views) -> None:
    """What the guard has the classifier do."""
    list(classifier.detect(views, Source.USER))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {', '.join(f'{one:.1f}' for one in os.getloadavg())}\n")
    print(f"{HEAD}\n{'| --- ' * HEAD.count(' |')}|")
    for threads in (1, 2):
        classifier = Classifier(options.model, threads=threads)
        for tokens in TOKENS:
            text = text_of(classifier, tokens)
            views = Views(text, (View(text),))
            runs = max(LEAST_RUNS, min(options.runs, ALL_TOKENS // tokens))
            size = f"{len(classifier.tokens(text)):,} | {len(classifier.score(views)[0])}"
            taken = timed(partial(look, classifier, views), runs)
            print(f"| classifier, threads: {threads} | {size} | {taken} |", flush=True)
    if options.model == MODEL:
        guard = Guard()
        for tokens in OF_GUARD:
            text = text_of(classifier, tokens)
            taken = timed(partial(guard.judge, text), options.runs)
            print(f"| whole guard | {len(classifier.tokens(text))} | | {taken} |", flush=True)


if __name__ == "__main__":
    main()
