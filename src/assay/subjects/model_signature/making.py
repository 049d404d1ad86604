"""Make a bundle that every Model Signing verifier reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.core.canonical import JSON
from assay.core.digest import IGNORED, FileDigest, Manifest, hash_folder, sha256_file
from assay.core.evidence import PAYLOAD_TYPE, statement
from assay.subjects.model_signature.bundle import MEDIA_TYPE
from assay.subjects.model_signature.comparison import inside
from assay.subjects.model_signature.manifest import PREDICATE, SINGLE_FILE

FOLDER_SIGNATURE = "model.sig"
FILE_SUFFIX = ".sig"


def signature_path(model: Path) -> Path:
    """Where a model's signature lies unless told otherwise: in the folder, or beside the file."""
    if model.is_dir():
        return model / FOLDER_SIGNATURE
    beside = model.with_name(model.name + FILE_SUFFIX)
    folder = model.with_name(FOLDER_SIGNATURE)
    return folder if folder.is_file() and not beside.exists() else beside


def model_statement(model: Path, signature: Path) -> tuple[bytes, Manifest]:
    """What is signed for the model, and the list in it.

    Args:
        model: a folder or a file.
        signature: where the bundle will lie; inside the folder it is left out of the list.

    Raises:
        SubjectError: a file cannot be read.
    """
    location = model.absolute()
    if location.is_dir():
        own = inside(location, signature)
        manifest = hash_folder(location, ignored=tuple(dict.fromkeys((*IGNORED, *own))))
    else:
        digest = sha256_file(location)
        manifest = Manifest((FileDigest(SINGLE_FILE, digest.sha256, digest.size),))
    subject: dict[str, JSON] = {"name": location.name, "digest": {"sha256": manifest.oms_root}}
    return statement([subject], PREDICATE, manifest.predicate()), manifest


def bundle_of(
    payload: bytes, signature: bytes, *, hint: str = "", certificates: Sequence[x509.Certificate] = ()
) -> bytes:
    """A signed statement as a Sigstore bundle v0.3.

    Args:
        payload: the statement.
        signature: over its pre-authentication encoding.
        hint: SHA-256 of the public key's PEM, where a bare key signed.
        certificates: the signer's and those between it and the authority, where a certificate signed.
    """
    chain = [{"rawBytes": _text(c.public_bytes(Encoding.DER))} for c in certificates]
    signer = {"x509CertificateChain": {"certificates": chain}} if chain else {"publicKey": {"hint": hint}}
    document = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {**signer, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": _text(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _text(signature), "keyid": ""}],
        },
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
