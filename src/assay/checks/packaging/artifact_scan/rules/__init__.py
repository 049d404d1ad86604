"""All that `artifact.scan` can find, a module for each family; `RULES` is all of it."""

from assay.checks.packaging.artifact_scan.rules import (
    classical,
    configurations,
    files,
    pickles,
    repository,
    tensors,
)

RULES = (
    *pickles.RULES,
    *files.RULES,
    *tensors.RULES,
    *repository.RULES,
    *classical.RULES,
    *configurations.RULES,
)

__all__ = ["RULES", "classical", "configurations", "files", "pickles", "repository", "tensors"]
