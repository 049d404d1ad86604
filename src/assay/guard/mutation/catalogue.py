"""All mutations."""

from __future__ import annotations

from assay.core.errors import ConfigError
from assay.guard.mutation.carriers import CARRIERS
from assay.guard.mutation.characters import CHARACTERS
from assay.guard.mutation.encodings import ENCODINGS
from assay.guard.mutation.mutation import Mutation
from assay.guard.mutation.padding import PADDING
from assay.guard.mutation.splitting import SPLITTING
from assay.guard.mutation.wording import WORDING

MUTATIONS: tuple[Mutation, ...] = (*CHARACTERS, *ENCODINGS, *SPLITTING, *PADDING, *CARRIERS, *WORDING)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(one.family for one in MUTATIONS))
_BY_NAME = {one.name: one for one in MUTATIONS}


def mutation(name: str) -> Mutation:
    """The mutation called `name`.

    Raises:
        ConfigError: there is none.
    """
    try:
        return _BY_NAME[name]
    except KeyError as error:
        raise ConfigError(
            f"no mutation {name!r}", subject="mutations", remedy="See docs/checks/monitor.evasion.md."
        ) from error
