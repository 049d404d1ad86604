"""`assay sign PATH`: an OpenSSF Model Signing bundle for a model, by a key or as a Sigstore identity."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.output import file_to_write
from assay.cli.saying import say
from assay.core.errors import SigningKeyError, UsageError

if TYPE_CHECKING:
    from cryptography import x509

    from assay.ledger import SigningKey

FILE = click.Path(dir_okay=False)
MAX_TOKEN = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Signed:
    """A bundle, who made it, and what the user should know about it."""

    bundle: bytes
    by: str
    note: str


@click.command("sign")
@click.argument("path", type=click.Path())
@click.option("--key", type=FILE, help="PEM private key; default: the project's, else your own Assay key.")
@click.option("--certificate", type=FILE, help="PEM certificate of that key; the bundle carries it.")
@click.option("--chain", multiple=True, type=FILE, help="PEM certificates between it and the authority.")
@click.option(
    "--sigstore",
    "--trust-config",
    "sigstore",
    metavar="ROOT",
    help="Sign as a Sigstore identity instead: a client trust configuration, `production` or `staging`.",
)
@click.option(
    "--identity-token",
    type=click.File(),
    help="File with an OpenID Connect token, - for stdin; default: the CI system's, or log in.",
)
@click.option(
    "-o", "--output", type=click.Path(), help="Default: model.sig in the folder, NAME.sig beside a file."
)
@click.option("--force", is_flag=True, help="Replace a signature that is there.")
def command(
    path: str,
    output: str | None,
    force: bool,  # noqa: FBT001  click hands flags over so
    **who: Any,
) -> int:
    """Sign the bytes of a model, file by file, so that `assay verify` can tell later that they are the same.

    The bundle is that of OpenSSF Model Signing. Its own tool takes ECDSA keys; a new Assay key is Ed25519,
    which Assay verifies. Make an ECDSA key with
    `openssl ecparam -genkey -noout -name prime256v1 | openssl pkcs8 -topk8 -nocrypt`.
    With --sigstore no key is kept: whom your token names is certified, and written to a public log.

    \b
    Examples:
      assay sign model/
      assay sign model/ --key release.pem -o model.sig
      assay sign model/ --sigstore production
    """  # noqa: D301  click keeps lines after the backspace
    from assay.ledger.keyfile import write_public  # noqa: PLC0415
    from assay.subjects.model_signature import model_statement, signature_path  # noqa: PLC0415

    _require_one_way(who)
    model = Path(path)
    if not model.exists():
        raise UsageError("there is no such file or folder", subject=path, remedy="Correct the path.")
    target = file_to_write(output) if output else signature_path(model)
    if target.exists() and not force:
        raise UsageError("there is a signature already", subject=str(target), remedy="Use --force, or -o.")
    sign = _as_identity(who) if who["sigstore"] else _with_key(who)
    payload, manifest = model_statement(model, target)
    signed = sign(payload)
    write_public(target, signed.bundle)
    say(f"wrote {target}")
    files = f"{len(manifest.files):,} file{'s' if len(manifest.files) > 1 else ''}"
    say(f"  {files}, {manifest.size:,} bytes, signed {signed.by}")
    if signed.note:
        say(f"  {signed.note}")
    return 0


def _require_one_way(who: dict[str, Any]) -> None:
    keyed = [name for name in ("key", "certificate", "chain") if who[name]]
    if who["sigstore"] and keyed:
        remedy = "Leave one of them out: a Sigstore identity has no key of its own."
        raise UsageError(f"--sigstore does not go with --{keyed[0]}", remedy=remedy)
    if who["identity_token"] and not who["sigstore"]:
        remedy = "Name the instance: --sigstore production, or its client trust configuration."
        raise UsageError("--identity-token needs --sigstore", remedy=remedy)


def _as_identity(who: dict[str, Any]) -> Callable[[bytes], _Signed]:
    from assay.subjects.model_signature.keyless_signing import sign_keyless  # noqa: PLC0415

    token = who["identity_token"].read(MAX_TOKEN) if who["identity_token"] else ""

    def sign(payload: bytes) -> _Signed:
        made = sign_keyless(payload, root=who["sigstore"], token=token, interactive=sys.stdin.isatty())
        note = (
            f"verify it with --sigstore {who['sigstore']} --identity {made.identity} --issuer {made.issuer}"
        )
        return _Signed(made.bundle, f"as {made.identity}", note)

    return sign


def _with_key(who: dict[str, Any]) -> Callable[[bytes], _Signed]:
    from assay.core.evidence import PAYLOAD_TYPE, pae  # noqa: PLC0415
    from assay.subjects.model_signature import VerificationKey, bundle_of  # noqa: PLC0415

    signing = _key(who["key"])
    certificates = _certificates(signing, who["certificate"], who["chain"])
    hint = VerificationKey.of(_public(signing)).hint
    ed25519 = signing.public.algorithm == "ed25519" and not certificates
    note = "Ed25519: `assay verify` reads it; the model_signing tool takes ECDSA keys only" if ed25519 else ""

    def sign(payload: bytes) -> _Signed:
        signature = signing.sign(pae(PAYLOAD_TYPE, payload))
        bundle = bundle_of(payload, signature, hint=hint, certificates=certificates)
        return _Signed(bundle, f"with key {signing.public.short}", note)

    return sign


def _key(named: str | None) -> SigningKey:
    from assay.ledger import SigningKey, default_key_path  # noqa: PLC0415
    from assay.pipeline.journal import key_path  # noqa: PLC0415
    from assay.pipeline.project import find_project, load_project  # noqa: PLC0415

    if named:
        return SigningKey.load(Path(named))
    try:
        find_project(Path())
    except UsageError:
        return SigningKey.load_or_create(default_key_path())
    return SigningKey.load_or_create(key_path(load_project(Path())))


def _public(signing: SigningKey) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    return load_pem_public_key(signing.public.pem.encode())


def _certificates(
    signing: SigningKey, certificate: str | None, chain: tuple[str, ...]
) -> list[x509.Certificate]:
    from assay.ledger import PublicKey  # noqa: PLC0415
    from assay.ledger.keyfile import read_bounded  # noqa: PLC0415
    from assay.subjects.model_signature import load_certificates  # noqa: PLC0415

    if certificate is None:
        if chain:
            raise UsageError("--chain needs --certificate", remedy="Name the key's own certificate.")
        return []
    found = [
        c for file in (certificate, *chain) for c in load_certificates(read_bounded(Path(file)), source=file)
    ]
    if PublicKey.from_crypto(found[0].public_key(), source=certificate).keyid != signing.keyid:
        raise SigningKeyError(
            "the certificate is of another key", subject=certificate, remedy="Name the key's own certificate."
        )
    return found
