"""Options of `artifact.signature`."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.core.finding import Severity


@dataclass(frozen=True, slots=True)
class SignatureOptions:
    """Whose signature counts. Paths are absolute, or relative to `root`.

    Attributes:
        fail_on: lowest severity that fails the check.
        signature: the bundle; default: `model.sig` in the folder, `NAME.sig` beside a file.
        keys: PEM public keys that are believed.
        certificates: PEM certificates of authorities that are believed, or of the signer.
        revocations: certificate revocation lists (PEM or DER); with one, every authority needs one.
        identity: who must have signed: a name in the certificate, or a Sigstore identity.
        issuer: the OpenID Connect issuer that vouches for a Sigstore identity.
        sigstore: root of trust for Sigstore: a trusted-root file, `production` or `staging`.
        offline: fetch nothing for `production` and `staging`: go by the root of trust that is stored here.
        required: demand a verified signature even where nothing above names whom to believe.
        accept_unsigned: path that the signer may leave out, to the reason.
        signing_key: Assay's own private key, whose public half is believed; default: the user's.
        root: the folder that relative paths start from.
    """

    fail_on: Severity = Severity.MEDIUM
    signature: str = ""
    keys: list[str] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)
    revocations: list[str] = field(default_factory=list)
    identity: str = ""
    issuer: str = ""
    sigstore: str = ""
    offline: bool = False
    required: bool = False
    accept_unsigned: dict[str, str] = field(default_factory=dict)
    signing_key: str = ""
    root: str = ""

    @property
    def demanded(self) -> bool:
        """Whether the user says whom to believe, or that a signature must be there."""
        return self.required or bool(self.keys or self.certificates or self.identity or self.issuer)
