"""The guard: one text in, one verdict out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime

from assay.core.errors import AssayError, ConfigError
from assay.guard.deciding import Engine, Observation, decided
from assay.guard.decoding import views as decoded
from assay.guard.layer import Layer
from assay.guard.layers.opening import NAMES, open_layers
from assay.guard.pii.redaction import Redaction, Redactor
from assay.guard.policy import GuardPolicy
from assay.guard.timing import Histogram, Snapshot
from assay.guard.verdict import Detection, GuardVerdict, LayerRun, LayerState, Source
from assay.guard.views import Views

VIEWS = "views"  # normalising and decoding, as runs and histograms call it


class Guard:
    """Judges texts; make one and share it between threads. It prints, logs and keeps nothing of a text.

    Args:
        policy: what is done about what is seen.
        layers: further layers, tried last.
        today: the day, for allow-lists; a clock of tests.

    Raises:
        ConfigError: a layer that the policy asks for cannot be made.
    """

    def __init__(
        self,
        policy: GuardPolicy | None = None,
        *,
        layers: Iterable[Layer] = (),
        today: Callable[[], date] | None = None,
    ) -> None:
        self._more = tuple(layers)
        self._today = today or (lambda: datetime.now(UTC).date())
        self._histograms: dict[str, Histogram] = {}
        self._engine = self._opened(policy or GuardPolicy())

    @property
    def policy(self) -> GuardPolicy:
        """The policy in force."""
        return self._engine.policy

    def use(self, policy: GuardPolicy) -> None:
        """Put another policy in force; texts that are being judged are judged by the old one.

        Raises:
            ConfigError: a layer that it asks for cannot be made; the old policy stays.
        """
        self._engine = self._opened(policy)

    def absent(self) -> Mapping[str, str]:
        """Layers that do not look, and why: switched off, or what they need is not installed."""
        return dict(self._engine.absent)

    def timings(self) -> Mapping[str, Snapshot]:
        """How long each layer took so far, and `views`: normalising and decoding."""
        return {name: histogram.snapshot() for name, histogram in list(self._histograms.items())}

    def judge(self, text: str, source: Source = Source.USER, route: str = "") -> GuardVerdict:
        """What becomes of a text.

        Args:
            text: any text; half surrogate pairs are taken as characters that are no text.
            source: where it comes from.
            route: the name by which the policy knows where it goes.
        """
        seen = self.observe(text, source)
        return self.decide(seen, text, source, route)

    def observe(self, text: str, source: Source) -> Observation:
        """What the layers see in a text, before any policy decides."""
        engine = self._engine
        if len(text) > engine.policy.max_characters:
            return _too_long(engine, len(text))
        started = time.perf_counter()
        views = decoded(text)
        seconds = time.perf_counter() - started
        self._timed(VIEWS, seconds)
        reason = f"not decoded: {views.unread[0]}" if views.unread else ""
        runs, seen = self._looked(engine, views, source)
        runs = [LayerRun(VIEWS, LayerState.RAN, seconds, reason), *runs]
        return Observation(engine, tuple(seen), tuple(runs), views.unread)

    def title(self, rule: str) -> str:
        """What a rule says of a text, in one line; "" where that is not known."""
        titles = (getattr(layer, "titles", {}) for layer in self._engine.layers)
        return next((known[rule] for known in titles if rule in known), "")

    def decide(self, seen: Observation, text: str, source: Source, route: str) -> GuardVerdict:
        """What becomes of a text in which that was seen."""
        return decided(seen, text, source, route, self._today())

    def replacement(self, kind: str, value: str) -> str:
        """What stands in the place of a value that is redacted."""
        return self._engine.redactor.replace(kind, value)

    def _opened(self, policy: GuardPolicy) -> Engine:
        _require_layers(policy, (*NAMES, *(layer.name for layer in self._more)))
        layers, absent = open_layers(policy)
        for name in (VIEWS, *(layer.name for layer in (*layers, *self._more))):
            self._histograms.setdefault(name, Histogram())
        return Engine(policy, (*layers, *self._more), absent, _redactor(policy))

    def _timed(self, name: str, seconds: float) -> None:
        self._histograms[name].add(seconds)

    def _looked(self, engine: Engine, views: Views, source: Source) -> tuple[list[LayerRun], list[Detection]]:
        runs = [LayerRun(name, LayerState.SKIPPED, 0.0, why) for name, why in engine.absent.items()]
        seen: list[Detection] = []
        for layer in engine.layers:
            started = time.perf_counter()
            reason = ""
            try:
                for one in layer.detect(views, source):
                    seen.append(one)  # noqa: PERF402  what was seen before a failure counts
            except AssayError as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001  a layer of others may fail in any way; the policy decides
                reason = f"internal error: {type(error).__name__}"
            seconds = time.perf_counter() - started
            self._timed(layer.name, seconds)
            state = LayerState.FAILED if reason else LayerState.RAN
            runs.append(LayerRun(layer.name, state, seconds, reason))
        return runs, seen


def _too_long(engine: Engine, size: int) -> Observation:
    most = engine.policy.max_characters
    reason = f"{size:,} characters are more than the {most:,} that are judged"
    runs = tuple(LayerRun(layer.name, LayerState.FAILED, 0.0, reason) for layer in engine.layers)
    return Observation(engine, (), runs, (reason,), whole=False)


def _require_layers(policy: GuardPolicy, names: Iterable[str]) -> None:
    for name in policy.layers:
        if name not in names:
            raise ConfigError(
                f"there is no layer {name!r}", subject="guard.layers", remedy=f"One of {', '.join(names)}."
            )


def _redactor(policy: GuardPolicy) -> Redactor:
    if policy.redaction is Redaction.LABEL:
        return Redactor()
    key = os.environ.get(policy.redaction_key_env, "") if policy.redaction_key_env else ""
    if not key:
        raise ConfigError(
            f"redaction by {policy.redaction.value} needs a key",
            subject="guard.redaction_key_env",
            remedy="Name an environment variable that holds at least 16 characters.",
        )
    return Redactor(policy.redaction, key.encode())
