"""What `artifact.signature` can find."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

_SUPPLY = ("owasp:LLM03", "atlas:AML.T0010")
_INTEGRITY = (*_SUPPLY, "cwe:CWE-353")
_SIGNATURE = (*_SUPPLY, "cwe:CWE-347")
_CERTIFICATE = (*_SUPPLY, "cwe:CWE-295")

MISSING = Rule(
    "signature/missing",
    "Model without a signature",
    Severity.HIGH,
    "Nobody vouches for these bytes. Where a signature is expected, its absence is what an attacker leaves "
    "behind who changed the model and cannot sign it.",
    "Get the signed release from its publisher, or sign what you built yourself with `assay sign`.",
    _INTEGRITY,
)
MALFORMED = Rule(
    "signature/malformed",
    "Signature that contradicts itself",
    Severity.HIGH,
    "The bundle is damaged, ambiguous, lists unsafe paths, or states a root digest that its own list of "
    "files does not give. Two verifiers could read it in two ways.",
    "Get the signature anew from the publisher; do not rely on this one.",
    _SIGNATURE,
)
INVALID = Rule(
    "signature/invalid",
    "Signature that does not fit",
    Severity.CRITICAL,
    "The bundle names a trusted key or certificate, and that key did not sign this list of files: the "
    "list, or the signature, was changed afterwards.",
    "Do not load the model. Get it and its signature anew from the publisher.",
    _SIGNATURE,
)
UNTRUSTED = Rule(
    "signature/untrusted-signer",
    "Signed by somebody who is not trusted",
    Severity.HIGH,
    "A signature says who vouches for the bytes; anybody can make one with a key of their own.",
    "If you know the signer, name the key under `keys` or the authority under `certificates`.",
    _CERTIFICATE,
)
REVOKED = Rule(
    "signature/revoked",
    "Signed with a revoked key or certificate",
    Severity.CRITICAL,
    "Its owner or issuer has taken the key back, usually because it leaked. A bundle carries no time that "
    "could show that it was signed before.",
    "Get a release that is signed with the publisher's new key.",
    (*_SUPPLY, "cwe:CWE-299"),
)
EXPIRED = Rule(
    "signature/expired-certificate",
    "Certificate outside its time",
    Severity.MEDIUM,
    "A certificate of the chain has expired, or is not valid yet. A bundle carries no time that could show"
    " that it was valid when it signed.",
    "Ask the publisher to sign again. Approve the release if the certificate is merely old.",
    (*_SUPPLY, "cwe:CWE-298"),
)
CHANGED = Rule(
    "signature/file-changed",
    "File that is not the one that was signed",
    Severity.CRITICAL,
    "Its digest differs from the signed one: it was edited, replaced or damaged after the model was "
    "approved.",
    "Do not load the model. Get the file anew, and find out who wrote it.",
    _INTEGRITY,
)
ADDED = Rule(
    "signature/file-added",
    "File that was not signed",
    Severity.HIGH,
    "It was put there after the model was approved. Loaders pick files up by name: another weights file, a "
    "configuration, a template or a module beside the signed ones can replace them.",
    "Remove it, or have the model signed again with it.",
    _INTEGRITY,
)
REMOVED = Rule(
    "signature/file-removed",
    "Signed file that is missing",
    Severity.HIGH,
    "Without it the model is another one: a loader falls back to a default, or to a file of another name.",
    "Get the whole model anew.",
    _INTEGRITY,
)
IGNORED = Rule(
    "signature/ignored-file",
    "File that the signer left out",
    Severity.HIGH,
    "The signed statement says to pass over this path, so anybody may change the file and the signature "
    "still holds. Low for documentation and pictures, which no loader reads.",
    "Have the model signed without leaving it out; or name it under `accept_unsigned` with the reason.",
    _INTEGRITY,
)
UNSAFE_IGNORE = Rule(
    "signature/unsafe-ignore",
    "Signature that leaves out more than a file",
    Severity.HIGH,
    "The signed statement passes over the whole folder, a pattern, or a path with a second spelling. A "
    "verifier that follows it checks nothing, or other files than another verifier does.",
    "Have the model signed without it.",
    _SIGNATURE,
)
LINK = Rule(
    "signature/link",
    "Signed file that is a link",
    Severity.LOW,
    "The signer did not allow links. Its bytes are right now, and they lie elsewhere, where somebody else "
    "may write.",
    "Replace the link by the file itself.",
    (*_SUPPLY, "cwe:CWE-59"),
)
RULES = (
    MISSING,
    MALFORMED,
    INVALID,
    UNTRUSTED,
    REVOKED,
    EXPIRED,
    CHANGED,
    ADDED,
    REMOVED,
    IGNORED,
    UNSAFE_IGNORE,
    LINK,
)
