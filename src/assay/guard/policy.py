"""What the guard does about what it sees: thresholds, actions and allow-lists, by route and by source.

A policy is a value: `Guard.use` puts another in its place while texts are being judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core.errors import ConfigError, SubjectError
from assay.core.finding import Severity
from assay.guard.pii.redaction import Redaction
from assay.guard.verdict import HEADS, Action, Detection, Source

if TYPE_CHECKING:
    from assay.core.guard_config import GuardSection

_NEVER = 2.0  # above every score
_PAGE = "docs/guard.md"
_ROUTE_KEYS = frozenset({"thresholds", "actions", "certain", "unread"})


class Failing(StrEnum):
    """What becomes of a text where a layer fails."""

    CLOSED = "closed"  # blocked
    OPEN = "open"  # judged by the other layers


class Switch(StrEnum):
    """Whether a layer looks."""

    ON = "on"
    OFF = "off"
    AUTO = "auto"  # where what it needs is installed


@dataclass(frozen=True, slots=True)
class LayerSetting:
    """One layer: whether it looks, and what becomes of a text where it fails."""

    use: Switch = Switch.ON
    fail: Failing = Failing.CLOSED


@dataclass(frozen=True, slots=True)
class Threshold:
    """The scores from which a text is flagged, and blocked. A block by score alone is off unless set."""

    flag: float = 0.5
    block: float = _NEVER


@dataclass(frozen=True, slots=True)
class ActionRule:
    """What becomes of a detection; all that is given must fit.

    Attributes:
        action: what to do.
        rule: its rule, `*` and `?` are wild: `pii/*`.
        sources: where the text comes from; empty is everywhere.
        severity: at least this bad.
        score: at least this sure.
    """

    action: Action
    rule: str = "*"
    sources: tuple[Source, ...] = ()
    severity: Severity = Severity.INFO
    score: float = 0.0

    def fits(self, detection: Detection, source: Source) -> bool:
        """Whether it speaks of this detection."""
        return (
            (not self.sources or source in self.sources)
            and detection.severity.at_least(self.severity)
            and detection.score >= self.score
            and fnmatchcase(detection.rule, self.rule)
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """Detections that may stay: which, why, and until when (the last day on which it holds, UTC).

    Attributes:
        reason: for the person who reviews it, at least 10 characters.
        expires: the last day.
        rule: as in `ActionRule`.
        text: what was seen there, as a whole, `*` and `?` are wild; empty is anything.
        routes, sources: where; empty is everywhere.
    """

    reason: str
    expires: date
    rule: str
    text: str = ""
    routes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        if len(self.reason.strip()) < 10:  # noqa: PLR2004
            raise ConfigError("an allowance needs a reason of 10 characters", subject=self.rule)
        if not self.rule.strip("*?/"):
            raise ConfigError("an allowance must name a rule", subject=self.rule or "guard.allow")

    def covers(self, detection: Detection, source: Source, route: str, today: date) -> bool:
        """Whether it lets this detection stay."""
        return (
            today <= self.expires
            and fnmatchcase(detection.rule, self.rule)
            and (not self.text or fnmatchcase(detection.text, self.text))
            and (not self.routes or any(fnmatchcase(route, pattern) for pattern in self.routes))
            and (not self.sources or source in self.sources)
        )


_IN, _OUT = (Source.USER, Source.DOCUMENT, Source.TOOL_RESULT), (Source.OUTPUT, Source.TOOL_CALL)
_GUESSING = frozenset({"classifier", "moderation", "pii", "secret"})  # never certain of an attack
# In order; the first that fits decides. What none fits is left to the scores.
DEFAULT_ACTIONS = (
    ActionRule(Action.BLOCK, "canary/*", _OUT),
    ActionRule(Action.BLOCK, "secret/private-key", _OUT),  # the match is only its beginning
    ActionRule(Action.REDACT, "secret/*", _OUT),
    ActionRule(Action.FLAG, "secret/*"),
    ActionRule(Action.REDACT, "pii/*", (Source.OUTPUT,), Severity.LOW),
    ActionRule(Action.FLAG, "pii/*", severity=Severity.MEDIUM),
    ActionRule(Action.ALLOW, "pii/*"),
    ActionRule(Action.REDACT, "exfiltration/*", (Source.OUTPUT,)),
    ActionRule(Action.BLOCK, "ssrf/*", (Source.TOOL_CALL,), Severity.HIGH),
    ActionRule(Action.FLAG, "ssrf/*", (Source.TOOL_CALL,)),
    ActionRule(Action.FLAG, "ssrf/*", severity=Severity.HIGH),
    ActionRule(Action.ALLOW, "ssrf/*"),
    ActionRule(Action.BLOCK, "tool/*", (Source.TOOL_CALL,), Severity.HIGH),
    ActionRule(Action.FLAG, "markup/*", _OUT, Severity.MEDIUM),
    ActionRule(Action.ALLOW, "markup/*"),
    ActionRule(Action.FLAG, "yara/*"),
    ActionRule(Action.FLAG, "injection/steers-answer", (Source.DOCUMENT, Source.TOOL_RESULT)),
)
_DEFAULTS_BY_FAMILY = {
    rule.rule.partition("/")[0]: tuple(
        other for other in DEFAULT_ACTIONS if other.rule.partition("/")[0] == rule.rule.partition("/")[0]
    )
    for rule in DEFAULT_ACTIONS
}


@dataclass(frozen=True, slots=True)
class RoutePolicy:
    """What holds for one route.

    Attributes:
        thresholds: by head; a head that is not named has the usual ones.
        actions: tried before the built-in ones.
        certain: what becomes of a text in which a rule is certain of an attack, unless the model wrote it.
        unread: what becomes of a text that was not decoded to the end.
    """

    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    actions: tuple[ActionRule, ...] = ()
    certain: Action = Action.BLOCK
    unread: Action = Action.FLAG

    def __post_init__(self) -> None:
        for head in self.thresholds:
            if head not in HEADS:
                raise ConfigError(
                    f"no head {head!r}", subject="guard.thresholds", remedy=f"One of {', '.join(HEADS)}."
                )

    def threshold(self, head: str) -> Threshold:
        """The scores that count for a head."""
        return self.thresholds.get(head, Threshold())

    def decision(self, detection: Detection, source: Source) -> tuple[Action, str] | None:
        """What becomes of a detection, and why; None leaves it to the scores."""
        if detection.score >= 1 and source in _IN and detection.family not in _GUESSING:
            return self.certain, "the rule is certain of an attack"
        for rule in (*self.actions, *_DEFAULTS_BY_FAMILY.get(detection.family, ())):
            if rule.fits(detection, source):
                return rule.action, f"the policy has an action for {rule.rule}"
        return None


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """All that decides.

    Attributes:
        default: for routes that are not named.
        routes: by route; `*` and `?` are wild, the longest name that fits counts.
        layers: by name; one that is not named is on and fails closed.
        allow: detections that may stay.
        redaction: what stands in the place of what is redacted: label, token or format.
        redaction_key_env: the environment variable that holds the key for token and format.
        packs: rule packs of the user, YAML files.
        yara: YARA rule files of the user; needs the extra `yara`.
        classifier: a folder with another classifier; empty is the built-in one.
        moderation_url: a moderation API that is asked too; texts leave this machine.
        moderation_model, moderation_key_env: what it is asked for, and the variable that holds its key.
        max_characters: a longer text is not judged, which is a failure of every layer.
    """

    default: RoutePolicy = RoutePolicy()
    routes: Mapping[str, RoutePolicy] = field(default_factory=dict)
    layers: Mapping[str, LayerSetting] = field(default_factory=dict)
    allow: tuple[Allowance, ...] = ()
    redaction: Redaction = Redaction.LABEL
    redaction_key_env: str = ""
    packs: tuple[str, ...] = ()
    yara: tuple[str, ...] = ()
    classifier: str = ""
    moderation_url: str = ""
    moderation_model: str = ""
    moderation_key_env: str = ""
    max_characters: int = 1 << 20

    def route(self, name: str) -> RoutePolicy:
        """What holds for a route."""
        fitting = [pattern for pattern in self.routes if fnmatchcase(name, pattern)]
        return self.routes[max(fitting, key=len)] if fitting else self.default

    def layer(self, name: str) -> LayerSetting:
        """What holds for a layer."""
        usual = LayerSetting(Switch.AUTO) if name == "classify" else LayerSetting()
        return self.layers.get(name, usual)


def parse_policy(
    document: Mapping[str, Any] | GuardSection, *, source: str = "guard", folder: Path | None = None
) -> GuardPolicy:
    """The policy that a `guard` section of `assay.yaml`, or a file of its own, says.

    Args:
        document: the section; keys of `RoutePolicy` stand at its top for all routes.
        source: where it is from, for errors.
        folder: what paths in it are relative to.

    Raises:
        ConfigError: an unknown key, or a value that does not fit: a typo must not open a gap.
    """
    from assay.core.codec import from_json  # noqa: PLC0415  start-up
    from assay.core.guard_config import GuardSection  # noqa: PLC0415  start-up
    from assay.core.strict_yaml import validated  # noqa: PLC0415  start-up

    if not isinstance(document, GuardSection):
        document = validated(GuardSection, document, source=source, page=_PAGE)
    said = _said(document)
    usual = {key: value for key, value in said.items() if key in _ROUTE_KEYS}
    rest = {key: value for key, value in said.items() if key not in _ROUTE_KEYS}
    routes = {name: {**usual, **route} for name, route in said.get("routes", {}).items()}
    try:
        policy = from_json(GuardPolicy, {**rest, "default": usual, "routes": routes}, source=source)
    except SubjectError as error:
        raise ConfigError(error.cause, subject=source, remedy=f"See {_PAGE}.") from error
    return policy if folder is None else _resolved(policy, folder)


def _said(section: GuardSection) -> dict[str, Any]:
    """What a section sets; a threshold that is never reached is one above every score."""
    said = section.model_dump(mode="json", exclude_unset=True)
    for route in (said, *said.get("routes", {}).values()):
        for threshold in route.get("thresholds", {}).values():
            if threshold.get("block", 0) is None:
                threshold["block"] = _NEVER
    return said


def _resolved(policy: GuardPolicy, folder: Path) -> GuardPolicy:
    """With its paths made absolute."""
    return replace(
        policy,
        packs=tuple(str(folder / path) for path in policy.packs),
        yara=tuple(str(folder / path) for path in policy.yara),
        classifier=str(folder / policy.classifier) if policy.classifier else "",
    )


def load_policy(path: Path) -> GuardPolicy:
    """The policy of a YAML file, or of the `guard` section of an `assay.yaml`.

    Raises:
        ConfigError: it cannot be read, or is no policy.
    """
    from assay.core.strict_yaml import read_yaml  # noqa: PLC0415  start-up

    document = read_yaml(path)
    if isinstance(document, dict) and "version" in document:
        document = document.get("guard", {})
    if not isinstance(document, dict):
        raise ConfigError("is no mapping of keys", subject=str(path), remedy=f"See {_PAGE}.")
    return parse_policy(document, source=str(path), folder=path.parent)
