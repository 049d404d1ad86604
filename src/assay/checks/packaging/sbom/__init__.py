"""`supply.sbom`: what is inside a Python environment, and whether it is what was installed.

`check` the check · `bom` the CycloneDX document · `licences`, `graph` what goes into it · `files` RECORD
against disk · `sources` where packages came from · `rules`, `options`.
"""

from assay.checks.packaging.sbom.check import SupplySbom

__all__ = ["SupplySbom"]
