"""What the parts of a configuration file have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a configuration file. Unknown keys are errors: a typo must not switch anything off."""

    model_config = ConfigDict(extra="forbid", frozen=True)
