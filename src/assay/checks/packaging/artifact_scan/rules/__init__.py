"""All that `artifact.scan` can find, a module for each family; `RULES` is all of it."""

from assay.checks.packaging.artifact_scan.rules import files, graphs, pickles, repository, tensors

RULES = (*pickles.RULES, *files.RULES, *graphs.RULES, *tensors.RULES, *repository.RULES)

__all__ = ["RULES", "files", "graphs", "pickles", "repository", "tensors"]
