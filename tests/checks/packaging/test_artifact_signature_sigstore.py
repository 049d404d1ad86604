"""`artifact.signature` on bundles that a whole Sigstore instance on loopback helped to make."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from assay.core.canonical import JSON
from assay.core.errors import ConfigError, EngineError, UsageError
from assay.core.report import Status
from assay.subjects.model_signature import model_statement
from assay.subjects.model_signature.keyless_signing import sign_keyless
from fixtures.local_sigstore import WHO, LocalSigstore, Signed, made
from fixtures.local_sigstore.identity_provider import IdentityProvider
from fixtures.signed_models import FILES, check, found, rules, signed, write
from fixtures.signers import Authority, bundle, chain, key_files, statement

pytest.importorskip("sigstore")
pytest.importorskip("model_signing")


def test_a_bundle_of_the_package_verifies(model: Path, sigstore: Signed) -> None:
    signed(model, sigstore.document())
    report = sigstore.check(model)
    assert report.status is Status.PASS
    assert report.findings == ()
    assert report.metrics["method"] == "sigstore"
    assert report.metrics["verified"] is True
    assert report.metrics["signer"] == f"{WHO} ({sigstore.issuer})"


def test_a_client_trust_configuration_is_a_root_too(model: Path, sigstore: Signed) -> None:
    signed(model, sigstore.document())
    root = str(sigstore.trust / "trust_config.json")
    assert sigstore.check(model, sigstore=root).status is Status.PASS


def test_the_package_verifies_what_we_sign_and_so_do_we(model: Path, sigstore: Signed) -> None:
    from model_signing import verifying  # noqa: PLC0415

    who = "https://ci.example.org/team/repository"
    config = sigstore.trust / "trust_config.json"
    payload, _ = model_statement(model, model / "model.sig")
    token = sigstore.instance.identities.token(who)
    new = sign_keyless(payload, root=str(config), token=f"{token}\n")
    assert (new.identity, new.issuer) == (who, sigstore.issuer)
    (model / "model.sig").write_bytes(new.bundle)
    assert sigstore.check(model, identity=who).status is Status.PASS
    verifier = verifying.Config().use_sigstore_verifier(
        identity=who, oidc_issuer=sigstore.issuer, trust_config=config
    )
    verifier.verify(model, model / "model.sig")
    (model / "config.json").write_bytes(b"[]")
    with pytest.raises(ValueError, match=r"Hash mismatch for .*config\.json"):
        verifier.verify(model, model / "model.sig")


@pytest.mark.parametrize(
    "wanted",
    [
        {"identity": "other@example.org"},
        {"identity": "dev@example.or"},
        {"issuer": "https://accounts.example.org"},
        {"identity": "other@example.org", "issuer": "https://accounts.example.org"},
    ],
)
def test_another_identity_or_issuer_is_a_stranger(
    model: Path, sigstore: Signed, wanted: dict[str, JSON]
) -> None:
    signed(model, sigstore.document())
    report = sigstore.check(model, **wanted)
    assert report.status is Status.FAIL
    assert found(report) == [("untrusted-signer", "high", "model.sig")]
    assert f"signed by '{WHO}', vouched for by '{sigstore.issuer}'" in report.findings[0].message
    assert report.metrics["verified"] is False


def test_every_file_is_compared(model: Path, sigstore: Signed) -> None:
    signed(model, sigstore.document())
    (model / "model.safetensors").write_bytes(b"weightz")
    (model / "pytorch_model.bin").write_bytes(b"x")
    report = sigstore.check(model)
    assert report.status is Status.FAIL
    assert sorted(found(report)) == [
        ("file-added", "high", "pytorch_model.bin"),
        ("file-changed", "critical", "model.safetensors"),
    ]


def test_the_bundle_of_another_model_vouches_for_nothing(tmp_path: Path, sigstore: Signed) -> None:
    other = write(tmp_path / "other", {"model.safetensors": b"other weights", "config.json": b"{}"})
    signed(other, sigstore.document())
    report = sigstore.check(other)
    assert report.status is Status.FAIL
    assert sorted(rules(report)) == ["file-changed", "file-removed"]


@pytest.mark.parametrize("part", ["", "certificateAuthorities", "ctlogs", "tlogs"])
def test_every_part_of_the_root_must_confirm_it(
    model: Path, tmp_path: Path, sigstore: Signed, stranger: LocalSigstore, part: str
) -> None:
    signed(model, sigstore.document())
    theirs = {part: stranger.trusted_root()[part]} if part else {}
    root = tmp_path / "root.json"
    root.write_text(json.dumps({**sigstore.instance.trusted_root(), **theirs}))
    report = sigstore.check(model, sigstore=str(root))
    assert found(report) == ([("invalid", "critical", "model.sig")] if part else [])
    assert report.metrics["verified"] is not bool(part)


def test_another_instance_is_not_believed_whoever_it_names(
    model: Path, tmp_path: Path, sigstore: Signed, stranger: LocalSigstore
) -> None:
    theirs = made(stranger, tmp_path / "stranger")
    signed(model, theirs.document())
    report = sigstore.check(model, issuer=theirs.issuer)
    assert found(report) == [("invalid", "critical", "model.sig")]
    assert report.metrics["verified"] is False
    assert theirs.check(model).status is Status.PASS


def test_a_key_or_a_plain_certificate_does_not_stand_in_for_an_identity(
    model: Path, tmp_path: Path, sigstore: Signed
) -> None:
    own = key_files(tmp_path / "keys")
    root = Authority(tmp_path / "ca", "root")
    signer = root.issue("dev", email=WHO)
    trusted: dict[str, JSON] = {"keys": [str(own.public)], "certificates": [str(root.own.path)]}
    for document in (bundle(statement(FILES), own), bundle(statement(FILES), signer.keys, chain(signer))):
        signed(model, document)
        assert check(model, **trusted).status is Status.PASS
        assert rules(sigstore.check(model, **trusted)) == ["untrusted-signer"]


@pytest.mark.parametrize("missing", ["identity", "issuer", "sigstore"])
def test_without_knowing_whose_it_is_not_established(model: Path, sigstore: Signed, missing: str) -> None:
    signed(model, sigstore.document())
    report = sigstore.check(model, **{missing: ""})
    assert report.status is Status.INCOMPLETE
    assert report.metrics["verified"] is False
    assert "`identity`, `issuer` and `sigstore`" in report.coverage.skipped[0].remedy


@pytest.mark.parametrize(
    "spoil", ["gone", "{}", "[]", "\0", '{"trustedRoot": 1}', "tlogs", "certificateAuthorities"]
)
def test_a_root_that_is_none_is_the_users_mistake(
    model: Path, tmp_path: Path, sigstore: Signed, spoil: str
) -> None:
    signed(model, sigstore.document())
    root = tmp_path / "root.json"
    if spoil in {"tlogs", "certificateAuthorities"}:
        root.write_text(json.dumps({**sigstore.instance.trusted_root(), spoil: []}))
    elif spoil != "gone":
        root.write_text(spoil)
    with pytest.raises(ConfigError):
        sigstore.check(model, sigstore=str(root))


def test_without_the_package_it_says_what_to_install(
    model: Path, sigstore: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed(model, sigstore.document())
    monkeypatch.setitem(sys.modules, "sigstore", None)  # as Python marks a module that cannot be imported
    report = sigstore.check(model)
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].reason == "the package `sigstore` is not installed"
    assert "assay-llm[signing]" in report.coverage.skipped[0].remedy
    with pytest.raises(EngineError, match="is not installed"):
        sign_keyless(b"", root="production")


def _sign(sigstore: Signed, token: str) -> None:
    payload, _ = model_statement(sigstore.trust / "model", sigstore.trust / "model.sig")
    sign_keyless(payload, root=str(sigstore.trust / "trust_config.json"), token=token)


def test_signing_says_what_went_wrong(tmp_path: Path, sigstore: Signed, stranger: LocalSigstore) -> None:
    with pytest.raises(EngineError, match="Identity token is malformed"):
        _sign(sigstore, "nonsense")
    with pytest.raises(EngineError, match="Signature verification failed"):
        _sign(sigstore, IdentityProvider(sigstore.issuer).token(WHO))  # its keys are not the issuer's
    with pytest.raises(EngineError, match="malformed"):
        _sign(sigstore, sigstore.instance.identities.token(WHO, lifetime=-timedelta(hours=1)))
    with pytest.raises(UsageError, match="nothing says who signs"):
        _sign(sigstore, "")
    stranger.log.late = timedelta(hours=1)
    late = made(stranger, tmp_path / "late")
    with pytest.raises(EngineError, match="the new signature does not verify"):
        _sign(late, stranger.identities.token(WHO))
    with pytest.raises(ConfigError, match="not a client trust configuration"):
        sign_keyless(b"", root=str(sigstore.trust / "trusted_root.json"))
