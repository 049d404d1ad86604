"""All mutations."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

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
        raise _unknown(name) from error


def chosen(patterns: Sequence[str]) -> tuple[Mutation, ...]:
    """The mutations whose names match any of `patterns` (shell wildcards), in the order of `MUTATIONS`.

    Raises:
        ConfigError: a pattern matches none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(one.name, pattern) for one in MUTATIONS):
            raise _unknown(pattern)
    return tuple(one for one in MUTATIONS if any(fnmatchcase(one.name, pattern) for pattern in patterns))


def _unknown(name: str) -> ConfigError:
    remedy = "docs/checks/monitor.evasion.md lists them."
    return ConfigError(f"no mutation {name!r}", subject="mutations", remedy=remedy)
