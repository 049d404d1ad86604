"""Options of `model.origin`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from assay.core.finding import Severity


@dataclass(frozen=True, slots=True)
class OriginOptions:
    """Where the model is said to come from, and what is acceptable.

    Attributes:
        fail_on: lowest severity that fails the check.
        source: where the model itself was taken from: hf://org/name@revision.
        base_models: what it was made from, with revisions; adds to the model card.
        allowed_sources: patterns of org/name that models may come from; empty allows any.
        allowed_licences: SPDX identifiers, or the names of docs/checks/model.origin.md; empty allows any.
        require_revision: a source or base model without a full commit hash fails.
        accept: org/name that looks like another or was renamed, to the reason why it is right.
        spec_version: of the CycloneDX document.
    """

    fail_on: Severity = Severity.HIGH
    source: str = ""
    base_models: list[str] = field(default_factory=list)
    allowed_sources: list[str] = field(default_factory=list)
    allowed_licences: list[str] = field(default_factory=list)
    require_revision: bool = False
    accept: dict[str, str] = field(default_factory=dict)
    spec_version: Literal["1.6", "1.7"] = "1.6"
