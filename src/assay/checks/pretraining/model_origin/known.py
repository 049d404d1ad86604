"""`known.yaml`, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from assay.checks.pretraining.model_origin.likeness import skeleton
from assay.core.data_files import read_data

SHORTEST = 3  # letters of a prefix that say anything


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of publishers and their models. Keys are in lower case; values as published.

    Attributes:
        publishers: lower-case name to the name as published.
        models: lower-case publisher to lower-case patterns of its models.
        accounts: others that are known, most of them for copies of others' models.
        renamed: old namespace or model to the new one, "" where it was given up.
        canonical: names without a namespace to where they stand now.
        terms: pattern of `org/name` to the licence that the family comes under.
    """

    publishers: Mapping[str, str]
    models: Mapping[str, tuple[str, ...]]
    accounts: frozenset[str]
    renamed: Mapping[str, str]
    canonical: Mapping[str, str]
    terms: Mapping[str, str]

    def publisher_of(self, model: str) -> str:
        """The publisher whose model is called `model`, as published; "" where none or several are."""
        name = model.lower()
        found = [p for p, patterns in self.models.items() if any(fnmatchcase(name, q) for q in patterns)]
        return self.publishers[found[0]] if len(found) == 1 else ""

    def publishes(self, publisher: str, model: str) -> bool:
        """Whether a publisher has models of such a name."""
        return any(fnmatchcase(model.lower(), pattern) for pattern in self.models[publisher.lower()])

    def resembles(self, publisher: str, model: str) -> bool:
        """Whether a hasty reader takes `model` for one of a publisher's."""
        name = skeleton(model)
        prefixes = (skeleton(pattern.partition("*")[0]) for pattern in self.models[publisher.lower()])
        return any(len(prefix) >= SHORTEST and name.startswith(prefix) for prefix in prefixes)

    def terms_of(self, repository: str) -> str:
        """The licence that `org/name` comes under, or ""."""
        name = repository.lower()
        found = (licence for pattern, licence in self.terms.items() if fnmatchcase(name, pattern))
        return next(found, "")


@lru_cache(maxsize=1)
def known() -> Known:
    """The data file."""
    raw = read_data(Path(__file__).with_name("known.yaml"))
    return Known(
        publishers={name.lower(): name for name in raw["publishers"]},
        models={p.lower(): tuple(q.lower() for q in patterns) for p, patterns in raw["publishers"].items()},
        accounts=frozenset(name.lower() for name in raw["accounts"]),
        renamed={old.lower(): new for old, new in raw["renamed"].items()},
        canonical=raw["canonical"],
        terms={pattern.lower(): licence for pattern, licence in raw["terms"].items()},
    )
