"""Exact tail probabilities and false-discovery control, in log space."""

from __future__ import annotations

import math

import numpy as np

from assay.checks.pretraining.data_poisoning.tokens import Floats

_EXACT = 4000
LOG_TINY = -700.0


def log_poisson_binomial_tail(chances: Floats, least: int) -> float:
    """Log P(at least `least` successes) for independent trials of unequal chances.

    Exact by convolution up to 4,000 trials; beyond that the Chernoff bound, which is never too small.
    With equal chances this is the binomial tail.
    """
    if least <= 0:
        return 0.0
    if least > len(chances):
        return -math.inf
    if least == len(chances):
        return float(np.log(chances).sum())
    if len(chances) > _EXACT:
        return _chernoff(chances, least)
    tail = _log_failures(chances, len(chances) - least)
    return tail if math.isfinite(tail) else _chernoff(chances, least)


def _log_failures(chances: Floats, most: int) -> float:
    """Log P(at most `most` failures), rescaled at each step against underflow."""
    mass = np.zeros(most + 1)
    mass[0] = 1.0
    scale = 0.0
    for chance in chances:
        failed = mass[:-1] * (1.0 - chance)
        mass *= chance
        mass[1:] += failed
        total = mass.sum()
        if total <= 0.0:
            return -math.inf
        mass /= total
        scale += math.log(total)
    return scale


def _chernoff(chances: Floats, least: int) -> float:
    """Log of the Chernoff bound, minimised over the tilt by bisection."""
    if chances.sum() >= least:
        return 0.0
    low, high = 0.0, 60.0
    for _ in range(80):
        tilt = (low + high) / 2
        tilted = chances * math.exp(tilt)
        low, high = (tilt, high) if (tilted / (1 - chances + tilted)).sum() < least else (low, tilt)
    bound = np.log1p(chances * math.expm1(high)).sum() - high * least
    return min(0.0, float(bound))


def log_hypergeometric_tail(population: int, marked: int, drawn: int, least: int) -> float:
    """Log P(at least `least` marked among `drawn`): Fisher's exact test, upper tail."""
    most = min(drawn, marked)
    if least > most:
        return -math.inf
    terms = [
        _log_choose(marked, hit) + _log_choose(population - marked, drawn - hit)
        for hit in range(max(least, drawn - (population - marked)), most + 1)
    ]
    peak = max(terms)
    total = peak + math.log(sum(math.exp(term - peak) for term in terms))
    return min(0.0, total - _log_choose(population, drawn))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def log_q_values(log_p: list[float], tests: int) -> list[float]:
    """Benjamini-Hochberg adjusted values of some of `tests` tests; the rest count as p = 1."""
    order = sorted(range(len(log_p)), key=lambda at: log_p[at])
    found = [0.0] * len(log_p)
    best = 0.0
    for rank in range(len(order), 0, -1):
        at = order[rank - 1]
        best = min(best, log_p[at] + math.log(max(tests, len(log_p))) - math.log(rank))
        found[at] = best
    return found


def finite(log_value: float) -> float:
    """A probability as a float that JSON can carry: never 0, never below 1e-304."""
    return math.exp(max(LOG_TINY, min(0.0, log_value)))
