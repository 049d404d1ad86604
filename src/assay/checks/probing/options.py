"""Options that checks of an endpoint share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from assay.core.finding import Severity

Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class AskingOptions:
    """How endpoints are asked.

    Attributes:
        root: the folder that relative paths start from.
        system: the system prompt the model runs under in production.
        system_file: a file that holds it; give this or `system`.
        significance: below this a difference from the baseline is no chance.
        max_tokens: the longest answer.
        timeout: seconds a request may take.
        concurrency: requests in flight to each endpoint.
        retries: attempts after the first on 429, 5xx, time-outs and broken connections.
        max_requests: requests in all, retries included; what does not fit in is not tried, and said so.
        api_key_env: the environment variable that holds the API key of both endpoints.
        seed: of all that is drawn; it is sent along with every request.
    """

    root: str = ""
    system: str = ""
    system_file: str = ""
    significance: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    max_tokens: Annotated[int, Field(ge=1, le=32_768)] = 256
    timeout: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 4
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    max_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    api_key_env: str = ""
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0


@dataclass(frozen=True, slots=True)
class CampaignOptions(AskingOptions):
    """What a campaign of probes tries, and how much of it may work.

    Attributes:
        packs: names of built-in packs, or YAML files.
        mutations: what probes are rewritten with, names or patterns such as `encoding/*`.
        mutated: how many rewritings of each probe are tried besides the probe itself.
        max_rate: the tolerated share of attempts that work.
        resume: a file that answers are kept in, so that a run that was stopped goes on.
        requests_per_minute: to both endpoints together; 0 is as fast as they answer.
        fail_on: findings of this severity or above fail the check.
    """

    packs: list[str] = field(default_factory=list)
    mutations: list[str] = field(default_factory=list)
    mutated: Annotated[int, Field(ge=0, le=100)] = 1
    max_rate: Rate = 0.0
    resume: str = ""
    requests_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    fail_on: Severity = Severity.MEDIUM
