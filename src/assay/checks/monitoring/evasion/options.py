"""Options of `monitor.evasion`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from assay.core.finding import Severity


@dataclass(frozen=True, slots=True)
class EvasionOptions:
    """What is tried, how long, and how much may get through.

    Attributes:
        attacks: JSONL files with `{"text", "kind", "source"}` a line, tried besides the built-in attacks.
        builtin: whether the built-in attacks are tried.
        root: the folder that relative paths start from.
        mutations: names or patterns such as `encoding/*`; empty is all.
        route: the route whose policy is tried.
        caught: the least that counts as caught: `flag`, or `block` where what is flagged goes on unseen.
        max_rate: the tolerated share of attacks that get through by one mutation.
        tries: how often each mutation is tried on each attack, each time with other random choices.
        depth: the longest chain of mutations.
        width: chains that are followed up, of each attack.
        budget: texts that the guard judges in all; what does not fit in is not tried, and said so.
        seed: of all random choices.
        fail_on: findings of this severity or above fail the check.
    """

    attacks: list[str] = field(default_factory=list)
    builtin: bool = True
    root: str = ""
    mutations: list[str] = field(default_factory=list)
    route: str = ""
    caught: Literal["flag", "block"] = "flag"
    max_rate: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.1
    tries: Annotated[int, Field(ge=1, le=100)] = 1
    depth: Annotated[int, Field(ge=1, le=6)] = 3
    width: Annotated[int, Field(ge=1, le=50)] = 4
    budget: Annotated[int, Field(ge=1, le=10_000_000)] = 12_000
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    fail_on: Severity = Severity.HIGH
