"""`artifact.scan`: code hidden in model files.

`check` the face · `scanner` opens a file · `examination` recognises it by `formats` and hands it on to
`inspectors/` (binary formats), `documents/` (JSON) or `texts/` · `pickles` from records to findings, with the
`policy` of `allow/` and `deny.yaml` · `unpacking` bounded · `names` that lie · `rules/` all it can
find, `options`.
"""

from assay.checks.packaging.artifact_scan.check import ArtifactScan
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions

__all__ = ["ArtifactScan", "ArtifactScanOptions"]
