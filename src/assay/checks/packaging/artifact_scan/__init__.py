"""`artifact.scan`: code hidden in model files.

`check` the face · `scanner` one file · `formats` what it is · `containers` archives · `policy` with `allow/`
and `deny.yaml` · `pickles` from records to findings · `text` templates, configurations · `rules`, `options`.
"""

from assay.checks.packaging.artifact_scan.check import ArtifactScan
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions

__all__ = ["ArtifactScan", "ArtifactScanOptions"]
