"""All that `artifact.scan` can find, a module for each family; `RULES` is all of it."""

from assay.checks.packaging.artifact_scan.rules import files, markup, pickles, repository, tensors

RULES = (*pickles.RULES, *files.RULES, *tensors.RULES, *repository.RULES, *markup.RULES)

__all__ = ["RULES", "files", "markup", "pickles", "repository", "tensors"]
