"""Both endpoints, asked the same prompts at the same time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from assay.checks.probing.options import AskingOptions
from assay.core.check import Context
from assay.core.errors import ConfigError, EndpointError
from assay.core.report import Skipped
from assay.core.subject import Subject
from assay.subjects.endpoint import Answer, ChatEndpoint, Pace, Prompt, RequestBudget, Sampling

FIRST_RELEASE = "first release: there is no baseline to compare with"


@dataclass(slots=True)
class Side:
    """One of the two endpoints.

    Attributes:
        role: `candidate` or `baseline`.
        endpoint: where it is asked.
        models: the names it answered under so far.
    """

    role: str
    endpoint: ChatEndpoint
    models: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Pair:
    """What the two said to one prompt; `baseline` is None where there is no baseline."""

    candidate: Answer
    baseline: Answer | None

    @property
    def error(self) -> str:
        """Why this pair cannot be judged, or ""."""
        for role, answer in (("candidate", self.candidate), ("baseline", self.baseline)):
            if answer is not None and not answer.ok:
                return f"{role}: {answer.error}"
        return ""


class Interview:
    """Asks prompts of the candidate and, where there is one, of the baseline.

    Progress is counted in answers of both. Cancellation is looked for about ten times a second.
    """

    def __init__(
        self, candidate: Side, baseline: Side | None, options: AskingOptions, context: Context
    ) -> None:
        self.candidate, self.baseline = candidate, baseline
        self._sampling = Sampling(options.max_tokens, 0.0, options.seed)
        self._context = context
        self._planned = self._before = 0
        self._now: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def sides(self) -> tuple[Side, ...]:
        """The endpoints that take part, candidate first."""
        return (self.candidate, self.baseline) if self.baseline else (self.candidate,)

    def ask(
        self, prompts: Sequence[Prompt], note: str, baseline: Sequence[Prompt] | None = None
    ) -> list[Pair]:
        """Both answers to each prompt, in order.

        Args:
            prompts: what the candidate is asked, and the baseline too.
            note: what is being asked, for progress.
            baseline: what the baseline is asked instead, one for each of `prompts`: the same last turn, where
                the conversation before it went differently.

        Raises:
            CheckError: the run was cancelled.
            EndpointError: one endpoint answered none of them, and nothing before either.
        """
        self._planned += len(prompts) * len(self.sides)
        with ThreadPoolExecutor(len(self.sides)) as pool:
            asked = (prompts, prompts if baseline is None else baseline)
            running = [
                pool.submit(self._ask_one, side, mine, note)
                for side, mine in zip(self.sides, asked, strict=False)
            ]
            answers = [future.result() for future in running]
        self._before += len(prompts) * len(self.sides)
        self._now.clear()
        others = answers[1] if self.baseline else [None] * len(prompts)
        return [Pair(mine, other) for mine, other in zip(answers[0], others, strict=True)]

    def unsure(self) -> list[Skipped]:
        """Endpoints that answered under changing names, and so may have been several models."""
        return [
            Skipped(
                f"the {side.role}'s identity",
                f"it answered as {len(side.models)} models ({', '.join(sorted(side.models)[:5])}), so it is "
                "not known which one was asked",
                "Pin the model's version.",
            )
            for side in self.sides
            if len(side.models) > 1
        ]

    def _ask_one(self, side: Side, prompts: Sequence[Prompt], note: str) -> tuple[Answer, ...]:
        def watch(done: int) -> None:
            self._context.checkpoint()
            with self._lock:
                self._now[side.role] = done
                total = self._before + sum(self._now.values())
            self._context.progress.update(total, self._planned, note)

        answers = side.endpoint.complete_many(prompts, self._sampling, watch=watch)
        side.models |= {answer.model for answer in answers if answer.ok}
        if prompts and not side.models:
            raise EndpointError(
                f"the {side.role} answered none of {len(prompts):,} prompts; first: {answers[0].error}",
                subject=side.endpoint.url,
                remedy="Look at the endpoint's own log; correct its URL, model name or key.",
            )
        return answers


@contextmanager
def interview(
    subject: Subject, options: AskingOptions, context: Context, pace: Pace | None = None
) -> Iterator[Interview]:
    """An interview of `subject` and `context.baseline`, closed on leaving; `pace` bounds both together.

    Raises:
        ConfigError: the variable that should hold the key is not set.
        EndpointError: a URL cannot be used.
    """
    budget = RequestBudget(options.max_requests)
    with ExitStack() as stack:
        candidate = Side("candidate", stack.enter_context(_open(subject, options, budget, pace)))
        other = context.baseline
        baseline = (
            Side("baseline", stack.enter_context(_open(other, options, budget, pace))) if other else None
        )
        yield Interview(candidate, baseline, options, context)


def _open(subject: Subject, options: AskingOptions, budget: RequestBudget, pace: Pace | None) -> ChatEndpoint:
    endpoint = ChatEndpoint(
        subject.location,
        subject.name,
        _key(options.api_key_env),
        timeout=options.timeout,
        max_concurrency=options.concurrency,
        retries=options.retries,
        budget=budget,
        pace=pace,
    )
    try:
        endpoint.model = _served_name(endpoint, subject)
    except EndpointError:
        endpoint.close()
        raise
    return endpoint


def _served_name(endpoint: ChatEndpoint, subject: Subject) -> str:
    """The name to send: where the server serves one known model, the name it gives that model."""
    if subject.serves is None and subject.name:
        return subject.name
    names = endpoint.probe()
    return names[0] if len(names) == 1 else subject.name


def _key(variable: str) -> str:
    if not variable:
        return ""
    key = os.environ.get(variable, "")
    if not key:
        raise ConfigError(
            "the environment variable that should hold the API key is not set",
            subject=variable,
            remedy=f"Set {variable}, or leave api_key_env empty.",
        )
    return key
