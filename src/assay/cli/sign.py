"""`assay sign PATH`: an OpenSSF Model Signing bundle for a model, made with the user's own key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.core.errors import SigningKeyError, UsageError

if TYPE_CHECKING:
    from cryptography import x509

    from assay.ledger import SigningKey

FILE = click.Path(dir_okay=False)


@click.command("sign")
@click.argument("path", type=click.Path())
@click.option("--key", type=FILE, help="PEM private key; default: the project's, else your own Assay key.")
@click.option("--certificate", type=FILE, help="PEM certificate of that key; the bundle carries it.")
@click.option("--chain", multiple=True, type=FILE, help="PEM certificates between it and the authority.")
@click.option("-o", "--output", type=FILE, help="Default: model.sig in the folder, NAME.sig beside a file.")
@click.option("--force", is_flag=True, help="Replace a signature that is there.")
def command(
    path: str,
    key: str | None,
    certificate: str | None,
    chain: tuple[str, ...],
    output: str | None,
    force: bool,  # noqa: FBT001  click hands flags over so
) -> int:
    """Sign the bytes of a model, file by file, so that `assay verify` can tell later that they are the same.

    The bundle is that of OpenSSF Model Signing. Its own tool takes ECDSA keys; a new Assay key is Ed25519,
    which Assay verifies. Make an ECDSA key with
    `openssl ecparam -genkey -noout -name prime256v1 | openssl pkcs8 -topk8 -nocrypt`.

    \b
    Examples:
      assay sign model/
      assay sign model/ --key release.pem -o model.sig
    """  # noqa: D301  click keeps lines after the backspace
    from assay.core.evidence import PAYLOAD_TYPE, pae  # noqa: PLC0415
    from assay.ledger.keyfile import write_public  # noqa: PLC0415
    from assay.subjects.model_signature import (  # noqa: PLC0415
        VerificationKey,
        bundle_of,
        model_statement,
        signature_path,
    )

    model = Path(path)
    if not model.exists():
        raise UsageError("there is no such file or folder", subject=path, remedy="Correct the path.")
    target = Path(output) if output else signature_path(model)
    if target.exists() and not force:
        raise UsageError("there is a signature already", subject=str(target), remedy="Use --force, or -o.")
    signing = _key(key)
    certificates = _certificates(signing, certificate, chain)
    payload, manifest = model_statement(model, target)
    public = VerificationKey.of(_public(signing))
    bundle = bundle_of(
        payload, signing.sign(pae(PAYLOAD_TYPE, payload)), hint=public.hint, certificates=certificates
    )
    write_public(target, bundle)
    click.echo(f"wrote {target}")
    files = f"{len(manifest.files):,} file{'s' if len(manifest.files) > 1 else ''}"
    click.echo(f"  {files}, {manifest.size:,} bytes, signed with key {signing.public.short}")
    if signing.public.algorithm == "ed25519" and not certificates:
        click.echo("  Ed25519: `assay verify` reads it; the model_signing tool takes ECDSA keys only")
    return 0


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
