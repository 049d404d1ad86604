"""`artifact.signature`: bytes that are not those that were approved.

`check` the check · `trust` whom the user believes · `signer` who signed, and whether that counts ·
`files` what differs from what was signed · `rules`, `options`. The bundle itself is read by
`assay.subjects.model_signature`.
"""

from assay.checks.packaging.artifact_signature.check import ArtifactSignature

__all__ = ["ArtifactSignature"]
