"""OpenSSF Model Signing bundles: read, verified, compared with what lies on disk, and made.

`bundle` the Sigstore bundle (JSON) · `manifest` the signed list of files in it · `keys` public keys ·
`certificates` chains to a trusted authority · `revocations` their revocation lists · `keyless` Sigstore
identities, through the optional packages · `comparison` the list against the files · `making` a new bundle.

Format: https://github.com/ossf/model-signing-spec. Nothing here judges; `artifact.signature` does.
"""

from assay.subjects.model_signature.bundle import Bundle, NotABundleError, parse_bundle, read_bundle
from assay.subjects.model_signature.certificates import Chain, chain_to
from assay.subjects.model_signature.comparison import Comparison, compare
from assay.subjects.model_signature.keys import VerificationKey, load_certificates, load_key
from assay.subjects.model_signature.making import bundle_of, model_statement, signature_path
from assay.subjects.model_signature.manifest import SignedManifest, parse_manifest

__all__ = [
    "Bundle",
    "Chain",
    "Comparison",
    "NotABundleError",
    "SignedManifest",
    "VerificationKey",
    "bundle_of",
    "chain_to",
    "compare",
    "load_certificates",
    "load_key",
    "model_statement",
    "parse_bundle",
    "parse_manifest",
    "read_bundle",
    "signature_path",
]
