"""All that `artifact.scan` can find, a module for each family; `RULES` is all of it."""

from assay.checks.packaging.artifact_scan.rules import files, hdf5, keras, pickles, repository, tensors

RULES = (
    *pickles.RULES,
    *files.RULES,
    *tensors.RULES,
    *repository.RULES,
    *keras.RULES,
    *hdf5.RULES,
)

__all__ = ["RULES", "files", "hdf5", "keras", "pickles", "repository", "tensors"]
