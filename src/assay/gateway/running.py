"""What is in force: made as a whole from a configuration, and replaced as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assay.gateway.canary import CanaryLayer, Planter, own_marker
from assay.gateway.collecting import Skipped, Unscanned
from assay.gateway.keys import FILE_NAME, KeyStore
from assay.gateway.limits import Limiter
from assay.gateway.settings import Settings
from assay.gateway.streams.channel import Guarding
from assay.gateway.upstreams import Upstreams
from assay.guard.guard import Guard
from assay.guard.verdict import Source

_WARMING = "The first text takes longest: what it needs is compiled with it."


@dataclass(frozen=True, slots=True)
class Running:
    """What is in force.

    Attributes:
        settings: the configuration.
        guard: judges.
        upstreams: answer.
        keys: let in; None where anybody is.
        limiter: counts.
        planter: puts the canary into system prompts, None where it does not.
    """

    settings: Settings
    guard: Guard
    upstreams: Upstreams
    keys: KeyStore | None
    limiter: Limiter
    planter: Planter | None

    @property
    def dropped(self) -> frozenset[Unscanned]:
        """The kinds of data that do not pass unlooked at."""
        return frozenset(kind for kind in Unscanned if self.unscanned(kind) == "block")

    def unscanned(self, kind: Unscanned) -> str:
        """What becomes of a part that no guard can look at."""
        return str(getattr(self.settings.section.unscanned, kind.value))

    def blocked_part(self, skipped: list[Skipped]) -> Skipped | None:
        """The first part that is blocked because no guard can look at it."""
        return next((one for one in skipped if self.unscanned(one.kind) == "block"), None)

    def guarding(self, route: str) -> Guarding:
        """By what the texts of a request and its answer are judged."""
        section = self.settings.section
        return Guarding(self.guard, route, section.guarding.hold_back, keep=section.audit.texts)


def make_running(settings: Settings, *, told: Callable[[str, str], None]) -> Running:
    """Make ready what a configuration asks for. Slow: rules are compiled.

    Args:
        settings: the configuration.
        told: is called with upstream and outcome of every attempt to ask one.

    Raises:
        AssayError: a part of it cannot be made.
    """
    section = settings.section
    markers = list(section.canary.markers)
    planter = None
    if section.canary.use == "plant":
        planter = Planter(own_marker(settings.state))
        markers.append(planter.marker)
    layers = [CanaryLayer(markers)] if markers and section.canary.use != "off" else []
    guard = Guard(settings.policy, layers=layers)
    for source in Source:
        guard.judge(_WARMING, source)
    return Running(
        settings=settings,
        guard=guard,
        upstreams=Upstreams(section.upstreams, section.retry, limit=section.server.answer_bytes, told=told),
        keys=KeyStore(settings.state / FILE_NAME) if section.auth == "keys" else None,
        limiter=Limiter(section.limits, share=section.workers),
        planter=planter,
    )
