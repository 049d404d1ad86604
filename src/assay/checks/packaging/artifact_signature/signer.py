"""Who signed a bundle, and whether that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from assay.checks.packaging.artifact_signature.options import SignatureOptions
from assay.checks.packaging.artifact_signature.rules import EXPIRED, INVALID, REVOKED, UNTRUSTED
from assay.checks.packaging.artifact_signature.trust import Trust, located
from assay.core.errors import EngineError, SigningKeyError, SubjectError
from assay.core.finding import Finding, Location, Severity
from assay.core.report import Skipped
from assay.subjects.model_signature import Bundle, Chain, VerificationKey, chain_to
from assay.subjects.model_signature.certificates import load_der, names_of
from assay.subjects.model_signature.keyless import Refusal, stated_identity, verify_keyless
from assay.subjects.model_signature.revocations import outdated, revoked_in
from assay.subjects.model_signature.sigstore_roots import HINT, INSTANCES, available

SHORT = 16


@dataclass(slots=True)
class Authenticity:
    """What came of looking at a signature.

    Attributes:
        method: `key`, `certificate` or `sigstore`.
        signer: who signed, as far as it was verified, or "".
        claimed: who is said to have signed.
        findings, skipped: as in a report.
    """

    method: str
    signer: str = ""
    claimed: str = ""
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Examiner:
    """Looks at one bundle.

    Attributes:
        bundle, legacy: the bundle, and whether its statement is of the old form.
        place: where findings about it are.
        trust, options, moment: whom the user believes, what they demand, and the time.
    """

    bundle: Bundle
    legacy: bool
    place: Location
    trust: Trust
    options: SignatureOptions
    moment: datetime

    def examine(self) -> Authenticity:
        """Verify the signature in the way that the bundle asks for.

        Raises:
            SubjectError: its certificates are damaged.
        """
        if self.bundle.keyless:
            return self._sigstore()
        return self._certificate() if self.bundle.certificates else self._key()

    def _key(self) -> Authenticity:
        hint = self.bundle.key_hint
        seen = Authenticity("key", claimed=f"key {hint[:SHORT]}" if hint else "a key without a name")
        own = next((key for key in self.trust.keys if self._verifies(key)), None)
        if own is None and any(hint in {key.hint, key.keyid} for key in self.trust.keys):
            message = f"The trusted key {hint[:SHORT]} did not sign this list of files."
            seen.findings.append(INVALID.finding(message, self.place))
        elif own is None:
            self._unknown(seen, "No trusted key made this signature", "Name the signer's key under `keys`.")
        elif own.keyid in self.trust.revoked:
            at = self.trust.revoked[own.keyid].revoked_at
            message = f"It is signed with key {own.keyid[:SHORT]}, revoked at {at:%Y-%m-%d %H:%M} UTC."
            seen.findings.append(REVOKED.finding(message, self.place))
        elif self.options.identity or self.options.issuer:
            message = "A bare key signed it, and `identity` asks for a certificate that names who did."
            seen.findings.append(UNTRUSTED.finding(message, self.place))
        else:
            seen.signer = f"key {own.keyid}"
        return seen

    def _certificate(self) -> Authenticity:
        presented = load_der(self.bundle.certificates, source=self.place.path)
        seen = Authenticity("certificate", claimed=_named(presented[0]))
        chain = chain_to(self.trust.certificates, presented)
        if isinstance(chain, str):
            remedy = "Name its authority under `certificates`."
            self._unknown(seen, f"Signed by {_named(presented[0])}: {chain}", remedy)
            return seen
        try:
            key = VerificationKey.of(chain.signer.public_key())
        except SigningKeyError as error:
            raise SubjectError(error.cause, subject=self.place.path) from error
        if not self._verifies(key):
            message = f"The certificate of {_named(chain.signer)} did not sign this list of files."
            seen.findings.append(INVALID.finding(message, self.place))
            return seen
        self._standing(chain, seen)
        if not seen.findings or all(f.rule == EXPIRED.id for f in seen.findings):
            seen.signer = f"certificate {_named(chain.signer)}"
        return seen

    def _standing(self, chain: Chain, seen: Authenticity) -> None:
        """What else may speak against a certificate that signed."""
        names = chain.names()
        if self.options.identity and self.options.identity not in names:
            message = f"It is signed by {_named(chain.signer)}, and not by {self.options.identity[:80]!r}."
            seen.findings.append(UNTRUSTED.finding(message, self.place))
        if self.options.issuer:
            message = (
                "A certificate without a log entry signed it, and `issuer` asks for a Sigstore identity."
            )
            seen.findings.append(UNTRUSTED.finding(message, self.place))
        revoked = revoked_in(chain, self.trust.revocations)
        if revoked:
            message = f"The certificate of {_named(revoked[0])} was revoked on {revoked[1]:%Y-%m-%d}."
            seen.findings.append(REVOKED.finding(message, self.place))
        for certificate in chain.outside_validity(self.moment):
            early = self.moment < certificate.not_valid_before_utc
            state = (
                f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
                if early
                else f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
            )
            message = f"The certificate of {_named(certificate)} {state}."
            seen.findings.append(EXPIRED.finding(message, self.place))
        if self.trust.revocations:
            for authority in outdated(chain, self.trust.revocations, self.moment):
                reason = "no revocation list of it that is still valid is named"
                seen.skipped.append(Skipped(authority[:80], reason, "Name its list under `revocations`."))

    def _sigstore(self) -> Authenticity:
        options = self.options
        signer = load_der(self.bundle.certificates, source=self.place.path)[0]
        seen = Authenticity("sigstore", claimed=_named(signer))
        if reason := self._unprepared():
            seen.skipped.append(Skipped(self.place.path, *reason))
            return seen
        root = options.sigstore
        root = root if root in INSTANCES else str(located(root, options.root))
        try:
            refusal = verify_keyless(
                self.bundle,
                identity=options.identity,
                issuer=options.issuer,
                root=root,
                offline=options.offline,
            )
        except EngineError as error:
            seen.skipped.append(Skipped(self.place.path, error.cause, error.remedy))
            return seen
        if refusal is None:
            seen.signer = f"{options.identity} ({options.issuer})"
        else:
            self._refused(refusal, seen)
        return seen

    def _refused(self, refusal: Refusal, seen: Authenticity) -> None:
        wanted = f"{self.options.identity[:80]!r}, vouched for by {self.options.issuer[:80]!r}"
        if refusal.another:
            name, issuer = stated_identity(self.bundle, source=self.place.path)
            signed = f"{name[:80]!r}, vouched for by {issuer[:80]!r}"
            message = f"It is signed by {signed}, and not by {wanted}."
            seen.findings.append(UNTRUSTED.finding(message, self.place))
            return
        message = f"Sigstore does not confirm that it is signed by {wanted}: {refusal.reason}"
        seen.findings.append(INVALID.finding(message, self.place))

    def _unprepared(self) -> tuple[str, str] | None:
        """Why a Sigstore identity cannot be verified, and what to do."""
        options = self.options
        if not (options.identity and options.issuer and options.sigstore):
            return (
                "signed by a Sigstore identity, and nobody said whose counts",
                "Name `identity`, `issuer` and `sigstore` (a trusted-root file, or `production`).",
            )
        return None if available() else ("the package `sigstore` is not installed", HINT)

    def _unknown(self, seen: Authenticity, what: str, remedy: str) -> None:
        """Nobody who is believed signed it: a failure where that was asked for, else not established."""
        severity = None if self.options.demanded else Severity.LOW
        seen.findings.append(UNTRUSTED.finding(f"{what}.", self.place, severity=severity, remedy=remedy))
        if not self.options.demanded:
            reason = "it is signed, and nobody said whose signature counts"
            seen.skipped.append(Skipped(self.place.path, reason, remedy))

    def _verifies(self, key: VerificationKey) -> bool:
        bundle = self.bundle
        return key.verifies(bundle.signature, bundle.payload_type, bundle.payload, legacy=self.legacy)


def _named(certificate: x509.Certificate) -> str:
    names: Sequence[str] = names_of(certificate)
    return repr(names[0][:80]) if names else f"certificate {certificate.serial_number:x}"[:80]
