"""How sure is model.behavior-diff, and how fast does its client ask?

    python benchmarks/behavior_diff.py

1. False alarms: two models of equal accuracy whose errors are independent, 1,000 prompts, 2,000 trials.
2. Power: a true fall of 3 points on 1,000 prompts, with and without churn, simulated and as computed.
3. Client: 500 prompts against a server that takes 50 ms, at several concurrencies, against the ideal.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from assay.checks.probing.paired import Pairs, drop_p, power
from assay.subjects.endpoint import ChatEndpoint, Prompt
from fixtures.chat_server import ChatServer

PROMPTS, TRIALS, LEVEL = 1_000, 2_000, 0.05


@cache
def alarm(lost: int, gained: int) -> bool:
    return drop_p(Pairs(PROMPTS, 0, 0, lost, gained)) <= LEVEL


def alarms(drop: float, churn: float, seed: int) -> float:
    shares = [churn + drop, churn, 1 - 2 * churn - drop]
    draws = np.random.default_rng(seed).multinomial(PROMPTS, shares, size=TRIALS)
    return float(np.mean([alarm(lost, gained) for lost, gained, _ in draws.tolist()]))


def statistics() -> None:
    print(f"{'true fall':>9} {'churn':>6} {'alarms':>8} {'computed':>9}")
    for drop in (0.0, 0.03):
        for churn in (0.0, 0.01, 0.02, 0.05):
            simulated, computed = alarms(drop, churn, seed=1), power(PROMPTS, drop, churn, LEVEL)
            print(f"{drop:>9.0%} {churn:>6.0%} {simulated:>8.1%} {computed:>9.1%}")


def client() -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,))
    server.start()
    url, prompts = here.recv(), [Prompt(f"prompt {at}") for at in range(500)]
    print(f"{'in flight':>9} {'seconds':>8} {'ideal':>6} {'ratio':>6} {'CPU':>6}")
    for concurrency in (4, 8, 16):
        with ChatEndpoint(url, "m", max_concurrency=concurrency) as end:
            end.complete("warm up")
            started, busy = time.perf_counter(), time.process_time()
            answers = end.complete_many(prompts)
            took, busy = time.perf_counter() - started, time.process_time() - busy
            ideal = 500 * 0.05 / concurrency
            if not all(answer.ok for answer in answers):
                raise SystemExit("some prompts were not answered")
        print(f"{concurrency:>9} {took:>8.2f} {ideal:>6.2f} {took / ideal:>6.2f} {busy:>6.2f}")
    here.send("stop")
    server.join()


def serve(pipe: Connection) -> None:
    with ChatServer(slow) as server:
        pipe.send(server.url)
        pipe.recv()


def slow(_system: str, user: str) -> str:
    time.sleep(0.05)
    return user


if __name__ == "__main__":
    statistics()
    client()
