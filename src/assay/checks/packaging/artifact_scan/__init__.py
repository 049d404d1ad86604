"""`artifact.scan`: code hidden in model files.

`check` the face · `survey` the files of a subject, by `workers` (and a `worker` process each) on all cores ·
`scanner` opens a file · `examination` recognises it by `formats` and hands it on to
`inspectors/` (binary formats), `documents/` (JSON) or `texts/` · `pickles` from records to findings, with the
`policy` of `allow/` and `deny.yaml` · `extensions` and `names` that lie · `siblings` and `raw_data` the files
of a folder together · `unpacking` bounded · `rules/` all it can find · `options` · `explaining` what a
finding means, with the `traces` of pickles and the `loaders` of formats. What Python calls and scripts do
stands in `calls.yaml` and `commands.yaml`.
"""

from assay.checks.packaging.artifact_scan.check import ArtifactScan
from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions

__all__ = ["ArtifactScan", "ArtifactScanOptions"]
