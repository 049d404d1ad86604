"""The shape of `guard` in `assay.yaml`, and of a policy file of the guard's own.

`guard.policy` makes the policy of it; what each key means stands in docs/guard.md.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from assay.core.section import Section

ActionName = Literal["allow", "flag", "redact", "block"]
SourceName = Literal["system", "user", "document", "tool-call", "tool-result", "output"]
HeadName = Literal["injection", "jailbreak", "toxicity"]
SeverityName = Literal["info", "low", "medium", "high", "critical"]
Score = Annotated[float, Field(ge=0, le=1)]


def _switch(value: object) -> object:
    """YAML takes `on` and `off` for true and false."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


SwitchName = Annotated[Literal["on", "off", "auto"], BeforeValidator(_switch)]


class LayerSection(Section):
    """`layers.NAME`: whether a layer looks, and what becomes of a text where it fails."""

    use: SwitchName = "on"
    fail: Literal["closed", "open"] = "closed"


class ThresholdSection(Section):
    """`thresholds.HEAD`: the scores from which a text is flagged, and blocked."""

    flag: Score = 0.5
    block: Score | None = Field(None, description="empty: never by the score alone")


class ActionSection(Section):
    """`actions`: what becomes of a detection; all that is given must fit, the first that fits decides."""

    action: ActionName
    rule: str = Field("*", min_length=1, description="`*` and `?` are wild: `pii/*`")
    sources: list[SourceName] = Field(default_factory=list, description="empty is everywhere")
    severity: SeverityName = Field("info", description="at least this bad")
    score: Score = Field(0.0, description="at least this sure")


class AllowanceSection(Section):
    """`allow`: detections that may stay, why, and until when."""

    rule: str = Field(description="as in `actions`, but not everything")
    reason: str = Field(min_length=10)
    expires: date = Field(description="the last day on which it holds, UTC")
    text: str = Field("", description="what was seen there, as a whole; `*` and `?` are wild")
    routes: list[str] = Field(default_factory=list)
    sources: list[SourceName] = Field(default_factory=list)

    @field_validator("rule")
    @classmethod
    def _names_a_rule(cls, rule: str) -> str:
        if not rule.strip("*?/"):
            raise ValueError("an allowance must name a rule")
        return rule


class RouteSection(Section):
    """`routes.NAME`: what holds for one route; what it leaves out is as for all of them."""

    thresholds: dict[HeadName, ThresholdSection] = Field(default_factory=dict)
    actions: list[ActionSection] = Field(default_factory=list, max_length=1_000)
    certain: ActionName = Field("block", description="what becomes of a text in which a rule is certain")
    unread: ActionName = Field("flag", description="what becomes of a text that was not decoded to the end")


class GuardSection(RouteSection):
    """`guard`: what the guard does about what it sees."""

    routes: dict[str, RouteSection] = Field(default_factory=dict)
    layers: dict[str, LayerSection] = Field(default_factory=dict)
    allow: list[AllowanceSection] = Field(default_factory=list, max_length=10_000)
    redaction: Literal["label", "token", "format"] = "label"
    redaction_key_env: str = Field("", description="environment variable with the key of token and format")
    packs: list[str] = Field(default_factory=list, description="rule packs of your own")
    yara: list[str] = Field(default_factory=list, description="YARA rule files of your own")
    classifier: str = Field("", description="folder of another classifier; empty is the built-in one")
    moderation_url: str = Field("", description="a moderation API; texts leave this machine")
    moderation_model: str = ""
    moderation_key_env: str = Field("", description="environment variable with the API's key")
    max_characters: int = Field(1 << 20, gt=0, le=1 << 24, description="a longer text is blocked unjudged")
