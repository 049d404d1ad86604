"""`model.origin`: where a model comes from, on which terms, and whether its name is what it seems.

`check` the check · `provenance` what is known of the origin · `sources` pins and lists · `names` look-alikes,
with `likeness` and `known` (`known.yaml`) · `licences` · `code` · `bom` the CycloneDX document · `rules`,
`options`. Cards, configurations, caches and licence texts are read by `assay.subjects.hub`.
"""

from assay.checks.pretraining.model_origin.check import ModelOrigin

__all__ = ["ModelOrigin"]
