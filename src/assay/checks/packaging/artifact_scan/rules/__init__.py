"""All that `artifact.scan` can find, a module for each family; `RULES` is all of it."""

from assay.checks.packaging.artifact_scan.rules import (
    classical,
    code,
    configurations,
    files,
    graphs,
    hdf5,
    keras,
    markup,
    media,
    pickles,
    repository,
    tensors,
)

_FAMILIES = (
    classical,
    code,
    configurations,
    files,
    graphs,
    hdf5,
    keras,
    markup,
    media,
    pickles,
    repository,
    tensors,
)
RULES = tuple(rule for family in _FAMILIES for rule in family.RULES)

__all__ = [
    "RULES",
    "classical",
    "code",
    "configurations",
    "files",
    "graphs",
    "hdf5",
    "keras",
    "markup",
    "media",
    "pickles",
    "repository",
    "tensors",
]
