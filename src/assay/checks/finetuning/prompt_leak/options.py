"""Options of `model.prompt-leak`."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.checks.probing.options import CampaignOptions

_MUTATIONS = (
    "paraphrase/*", "padding/examples", "carrier/chat-markup", "language/*", "encoding/base64",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PromptLeakOptions(CampaignOptions):
    """What is tried, how, and how much may come out.

    Attributes:
        max_rate: the tolerated share of attempts that bring it out.
    """

    packs: list[str] = field(default_factory=lambda: ["leak"])
    mutations: list[str] = field(default_factory=lambda: list(_MUTATIONS))
