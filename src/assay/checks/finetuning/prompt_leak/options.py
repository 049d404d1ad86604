"""Options of `model.prompt-leak`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from assay.core.finding import Severity

_MUTATIONS = (
    "paraphrase/*", "padding/examples", "carrier/chat-markup", "language/*", "encoding/base64",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PromptLeakOptions:
    """What is tried, how, and how much may come out.

    Attributes:
        packs: packs of probes, names of built-in ones or YAML files.
        root: the folder that relative paths start from.
        system: the system prompt the model runs under in production.
        system_file: a file that holds it; give this or `system`.
        mutations: what probes are rewritten with, names or patterns such as `encoding/*`.
        mutated: how many rewritings of each probe are tried besides the probe itself.
        max_rate: the tolerated share of attempts that bring it out.
        significance: below this a rise over the baseline is no chance.
        resume: a file that answers are kept in, so that a run that was stopped goes on.
        requests_per_minute: to both endpoints together; 0 is as fast as they answer.
        max_tokens: the longest answer.
        timeout: seconds a request may take.
        concurrency: requests in flight to each endpoint.
        retries: attempts after the first on 429, 5xx, time-outs and broken connections.
        max_requests: requests in all, retries included.
        api_key_env: the environment variable that holds the API key of both endpoints.
        seed: of the planted codes and the choice of mutations.
        fail_on: findings of this severity or above fail the check.
    """

    packs: list[str] = field(default_factory=lambda: ["leak"])
    root: str = ""
    system: str = ""
    system_file: str = ""
    mutations: list[str] = field(default_factory=lambda: list(_MUTATIONS))
    mutated: Annotated[int, Field(ge=0, le=100)] = 1
    max_rate: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    significance: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    resume: str = ""
    requests_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    max_tokens: Annotated[int, Field(ge=1, le=32_768)] = 256
    timeout: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 4
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    max_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    api_key_env: str = ""
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    fail_on: Severity = Severity.MEDIUM
