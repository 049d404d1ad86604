"""The seam between checks and everything that runs them.

A check is a class registered under the entry-point group `assay.checks` by the name it carries. It looks
at one subject and returns a report. It never knows who called it, never prints, never writes to the
ledger; what it may use comes in its `Context`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from assay.core.canonical import JSON
from assay.core.errors import CheckError, ConfigError, UsageError
from assay.core.finding import Rule
from assay.core.report import Report
from assay.core.subject import Subject, SubjectKind

ENTRY_POINTS = "assay.checks"
OptionsT = TypeVar("OptionsT")


class Stage(StrEnum):
    """The stages of a model's life, in order."""

    PRETRAINING = "pre-training"
    FINETUNING = "fine-tuning"
    PACKAGING = "packaging"
    DEPLOYMENT = "deployment"
    MONITORING = "monitoring"


class Role(StrEnum):
    """Which part of a release a check looks at; `assay.yaml` says where each part lies."""

    DATA = "data"
    MODEL = "model"
    ENDPOINT = "endpoint"
    ENVIRONMENT = "environment"
    INFRASTRUCTURE = "infrastructure"
    GUARD = "guard"
    VECTORS = "vectors"


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """What a check is, without running it.

    Attributes:
        name: `stage-noun.what`, as registered.
        title: one line for people.
        stage: where in the model's life it belongs.
        role: which part of a release it looks at.
        kinds: the subject kinds it takes.
        version: of the check's rules; evidence carries it, so raise it when results may change.
        rules: all it can find.
        options: a frozen dataclass whose fields, defaults and docstring are the check's options.
        after: checks whose reports it reads when they ran in the same release.
        baseline: whether it compares with the approved release's subject.
        on_request: whether a release runs it only where `assay.yaml` names it under `checks`: it is costly.
    """

    name: str
    title: str
    stage: Stage
    role: Role
    kinds: tuple[SubjectKind, ...]
    version: str
    rules: tuple[Rule, ...]
    options: type[Any]
    after: tuple[str, ...] = ()
    baseline: bool = False
    on_request: bool = False


class Progress(Protocol):
    """Where a check tells how far it is. Implementations must be cheap and thread-safe."""

    def update(self, done: int, total: int | None = None, note: str = "") -> None:
        """`done` of `total` units; `total` None while it is not known."""


class SilentProgress:
    """Progress that nobody watches."""

    def update(self, done: int, total: int | None = None, note: str = "") -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class NoOptions:
    """A check without options."""


def _now() -> datetime:
    return datetime.now(UTC)


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may use.

    Attributes:
        workspace: an empty folder of its own, removed after the run.
        options: the check's options as written by the user; read them with `parsed`.
        baseline: the approved subject to compare with, or None on a first release.
        reports: reports of checks that ran before in this release, by check name.
        progress: where to say how far it is.
        cancelled: asked between units of work; when true, raise `CheckError("cancelled")`.
        clock: the time, passed in so that results can be reproduced.
    """

    workspace: Path
    options: Mapping[str, JSON] = field(default_factory=dict)
    baseline: Subject | None = None
    reports: Mapping[str, Report] = field(default_factory=dict)
    progress: Progress = field(default_factory=SilentProgress)
    cancelled: Callable[[], bool] = _never
    clock: Callable[[], datetime] = _now

    def parsed(self, options: type[OptionsT]) -> OptionsT:
        """The options as an instance of the check's options class.

        Raises:
            ConfigError: an option is unknown or of the wrong type.
        """
        return parse_options(options, self.options)

    def checkpoint(self) -> None:
        """Raise if the run was cancelled.

        Raises:
            CheckError: it was.
        """
        if self.cancelled():
            raise CheckError("cancelled", remedy="Run it again to get a full report.")


@runtime_checkable
class Check(Protocol):
    """A plug-in that looks at one subject."""

    info: ClassVar[CheckInfo]

    def run(self, subject: Subject, context: Context) -> Report:
        """Look at `subject` and say what was found.

        Raises:
            AssayError: it could not do its work; the runner makes an `error` report of it.
        """


def parse_options(options: type[OptionsT], raw: Mapping[str, JSON]) -> OptionsT:
    """Validate `raw` against an options dataclass; unknown names are errors, not typos to ignore."""
    if not raw and not _required(options):
        return options()  # the defaults need no validation, and no library for it
    from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config  # noqa: PLC0415

    known = {f.name for f in dataclasses.fields(options)}  # type: ignore[arg-type]
    unknown = sorted(set(raw) - known)
    if unknown:
        raise ConfigError(
            f"unknown option {unknown[0]!r}", remedy=f"Known options: {', '.join(sorted(known))}."
        )
    strict = with_config(ConfigDict(extra="forbid"))(options)
    try:
        return TypeAdapter(strict).validate_python(dict(raw))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"option {name!r}: {first['msg']}", remedy="Correct the option.") from error


def _required(options: type[Any]) -> bool:
    """Whether some option has no default."""
    missing = dataclasses.MISSING
    return any(f.default is missing and f.default_factory is missing for f in dataclasses.fields(options))


def load_check(name: str) -> Check:
    """The check registered as `name`.

    Raises:
        UsageError: there is none.
        CheckError: its module cannot be imported.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415  start-up

    found = entry_points(group=ENTRY_POINTS, name=name)
    if not found:
        raise UsageError(f"there is no check {name!r}", remedy=f"Known checks: {', '.join(check_names())}.")
    providers = {(entry.dist.name if entry.dist else "", entry.value) for entry in found}
    if len(providers) > 1:
        named = ", ".join(sorted(distribution or "?" for distribution, _ in providers))
        raise CheckError(
            f"is provided by several packages ({named})", subject=name, remedy="Uninstall all but one."
        )
    entry = next(iter(found))
    try:
        check = entry.load()()
    except Exception as error:
        raise CheckError(
            f"cannot be loaded: {error}", subject=name, remedy=f"Reinstall {entry.value}."
        ) from error
    if not isinstance(check, Check) or check.info.name != name:
        raise CheckError("is not a check of that name", subject=f"{name} ({entry.value})")
    return check


def check_names() -> list[str]:
    """Names of all registered checks, sorted."""
    from importlib.metadata import entry_points  # noqa: PLC0415  start-up

    return sorted({entry.name for entry in entry_points(group=ENTRY_POINTS)})
