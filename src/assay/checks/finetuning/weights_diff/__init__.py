"""`model.weights-diff`: which tensors changed between two models, by how much, and where it is abnormal.

`check` the plug-in · `options`, `rules` what it takes and finds · `pairing` which tensors are compared ·
`sums` figures of a tensor, added up block by block · `engine` threads over blocks · `numpy_kernel`,
`numba_kernel` the arithmetic, twice · `names` layers and roles · `peers` outliers · `judge` figures to
findings · `document` metrics and details.
"""

from assay.checks.finetuning.weights_diff.check import WeightsDiff

__all__ = ["WeightsDiff"]
