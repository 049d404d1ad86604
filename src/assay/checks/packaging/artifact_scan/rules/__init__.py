"""All that `artifact.scan` can find, a module for each family; `RULES` is all of it."""

from assay.checks.packaging.artifact_scan.rules import code, files, pickles, repository, tensors

RULES = (*pickles.RULES, *files.RULES, *tensors.RULES, *repository.RULES, *code.RULES)

__all__ = ["RULES", "code", "files", "pickles", "repository", "tensors"]
