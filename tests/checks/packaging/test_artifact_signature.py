"""`artifact.signature`: whose signature counts, and every file that is not the one that was signed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from datetime import UTC
from pathlib import Path

import pytest

from assay.checks.packaging.artifact_signature import ArtifactSignature
from assay.checks.packaging.artifact_signature.files import unsafe
from assay.core.canonical import JSON
from assay.core.check import Check, Context
from assay.core.errors import CheckError, ConfigError, SigningKeyError, SubjectError
from assay.core.finding import Severity
from assay.core.report import Status
from assay.core.subject import Subject
from assay.ledger import revoke, rotate
from fixtures.signed_models import FILES, check, found, honest, signed, write
from fixtures.signers import IN_TOTO, NOW, Authority, KeyFiles, bundle, chain, key_files, statement


def test_it_is_a_check() -> None:
    assert isinstance(ArtifactSignature(), Check)
    assert len({rule.id for rule in ArtifactSignature.info.rules}) == len(ArtifactSignature.info.rules)


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519"])
def test_what_a_trusted_key_signed_passes(model: Path, tmp_path: Path, kind: str) -> None:
    keys = key_files(tmp_path / "keys", kind=kind)
    honest(model, keys)
    report = check(model, keys=[str(keys.public)])
    assert report.status is Status.PASS
    assert report.findings == ()
    assert report.coverage.notes == ()
    assert report.metrics == {
        "signed": True,
        "verified": True,
        "demanded": True,
        "method": "key",
        "signer": report.metrics["signer"],
        "files_signed": 3,
        "files_matched": 3,
        "files_changed": 0,
        "files_removed": 0,
        "files_added": 0,
        "files_left_out": 0,
    }
    assert str(report.metrics["signer"]).startswith("key ")
    told = report.details["signature"]
    assert isinstance(told, dict)
    assert told["sha256"] == report.subject.sha256
    assert told["root"] == report.subject.digests["oms-root"]


def test_a_model_without_a_signature_is_not_established_and_never_a_pass(model: Path) -> None:
    report = check(model)
    assert report.status is Status.INCOMPLETE
    assert found(report) == [("missing", "low", "")]
    assert report.metrics["signed"] is report.metrics["verified"] is report.metrics["demanded"] is False


@pytest.mark.parametrize("how", ["required", "keys", "certificates"])
def test_a_stripped_signature_fails_where_one_is_demanded(model: Path, tmp_path: Path, how: str) -> None:
    options: dict[str, JSON] = {
        "required": True,
        "keys": [str(key_files(tmp_path / "keys").public)],
        "certificates": [str(Authority(tmp_path / "ca", "root").own.path)],
    }
    report = check(model, **{how: options[how]})
    assert report.status is Status.FAIL
    assert found(report) == [("missing", "high", "")]
    assert report.metrics["demanded"] is True


def test_a_signature_that_is_named_must_be_there(model: Path) -> None:
    with pytest.raises(SubjectError, match="there is no such file"):
        check(model, signature="release.sig")


def test_a_signature_by_nobody_we_know(model: Path, keys: KeyFiles, tmp_path: Path) -> None:
    honest(model, keys)
    open_ended = check(model)
    assert open_ended.status is Status.INCOMPLETE
    assert found(open_ended) == [("untrusted-signer", "low", "model.sig")]
    other = key_files(tmp_path / "keys", "other")
    demanded = check(model, keys=[str(other.public)])
    assert demanded.status is Status.FAIL
    assert found(demanded) == [("untrusted-signer", "high", "model.sig")]
    assert demanded.metrics["verified"] is False


def test_our_own_key_is_believed_and_a_revoked_one_is_not(model: Path, own_key: Path) -> None:
    from assay.ledger import SigningKey  # noqa: PLC0415

    first = SigningKey.load_or_create(own_key)
    own = KeyFiles(own_key, own_key.with_suffix(".pub"), first)  # type: ignore[arg-type]
    first.export_public(own.public)

    class Signing(KeyFiles):
        def sign(self, data: bytes) -> bytes:
            return first.sign(data)

    signed(model, bundle(statement(FILES), Signing(own.private, own.public, own.key)))
    assert check(model).status is Status.PASS
    rotate(own_key, at=NOW)
    assert check(model, required=True).status is Status.PASS  # a retired key keeps verifying
    revoke(own_key, first.keyid, at=NOW, reason="it leaked")
    report = check(model)
    assert report.status is Status.FAIL
    assert found(report) == [("revoked", "critical", "model.sig")]


def test_a_changed_list_under_an_old_signature_is_invalid(model: Path, keys: KeyFiles) -> None:
    document = bundle(statement(FILES), keys)
    forged = {**FILES, "model.safetensors": b"backdoor"}
    (model / "model.safetensors").write_bytes(b"backdoor")
    payload = base64.b64encode(json.dumps(statement(forged)).encode()).decode()
    document["dsseEnvelope"]["payload"] = payload
    signed(model, document)
    report = check(model, keys=[str(keys.public)])
    assert found(report) == [("invalid", "critical", "model.sig")]
    assert report.metrics["verified"] is False


def test_every_difference_is_named(model: Path, keys: KeyFiles) -> None:
    honest(model, keys)
    (model / "model.safetensors").write_bytes(b"weightz")
    (model / "tokenizer/vocab.txt").unlink()
    (model / "pytorch_model.bin").write_bytes(b"x")
    report = check(model, keys=[str(keys.public)])
    assert report.status is Status.FAIL
    assert sorted(found(report)) == [
        ("file-added", "high", "pytorch_model.bin"),
        ("file-changed", "critical", "model.safetensors"),
        ("file-removed", "high", "tokenizer/vocab.txt"),
    ]
    assert report.metrics["verified"] is False
    assert report.findings[0].message == "'model.safetensors' is not the file that was signed."


def test_differences_count_even_where_the_signer_is_unknown(model: Path, keys: KeyFiles) -> None:
    honest(model, keys)
    (model / "config.json").write_bytes(b"[]")
    assert check(model).status is Status.FAIL


def test_a_longer_file_is_another_file(model: Path, keys: KeyFiles) -> None:
    honest(model, keys)
    (model / "config.json").write_bytes(FILES["config.json"] + b"\0")
    assert ("file-changed", "critical", "config.json") in found(check(model, keys=[str(keys.public)]))


def test_many_differences_are_capped(model: Path, keys: KeyFiles) -> None:
    honest(model, keys)
    write(model, {f"extra/{number:03}.bin": b"x" for number in range(60)})
    report = check(model, keys=[str(keys.public)])
    assert len(report.findings) == 51
    assert report.metrics["files_added"] == 60
    assert any("10 files more" in f.message for f in report.findings)


def test_swapped_names_are_seen_although_the_root_digest_stays(tmp_path: Path, keys: KeyFiles) -> None:
    signed_files = {"a.txt": b"import os", "weights.bin": b"w"}
    model = write(tmp_path / "model", {"auto.py": b"import os", "weights.pkl": b"w"})
    signed(model, bundle(statement(signed_files), keys))
    assert (
        Subject.from_path(model).digests["oms-root"]
        == statement(signed_files)["subject"][0]["digest"]["sha256"]
    )
    assert len(found(check(model, keys=[str(keys.public)]))) == 4


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [
        (("extra.pkl",), [("ignored-file", "high", "extra.pkl")]),
        (("./extra.pkl/",), [("ignored-file", "high", "extra.pkl")]),
        (("*.pkl",), [("file-added", "high", "extra.pkl"), ("unsafe-ignore", "high", "")]),
        ((".",), [("file-added", "high", "extra.pkl"), ("unsafe-ignore", "high", "")]),
        (("",), [("file-added", "high", "extra.pkl"), ("unsafe-ignore", "high", "")]),
        (("tokenizer/../extra.pkl",), [("file-added", "high", "extra.pkl"), ("unsafe-ignore", "high", "")]),
        (("../elsewhere.sig", "/abs/extra.pkl"), [("file-added", "high", "extra.pkl")]),
    ],
)
def test_what_the_signer_passes_over_is_looked_at(
    model: Path, keys: KeyFiles, ignored: tuple[str, ...], expected: list[tuple[str, str, str]]
) -> None:
    honest(model, keys, ignored=(".git", "model.sig", *ignored))
    (model / "extra.pkl").write_bytes(b"anything")
    report = check(model, keys=[str(keys.public)])
    assert sorted(found(report)) == expected
    assert report.status is Status.FAIL


def test_documentation_may_be_left_out(model: Path, keys: KeyFiles) -> None:
    honest(model, keys, ignored=("README.md", "docs"))
    write(model, {"README.md": b"# hello", "docs/a.png": b"png"})
    report = check(model, keys=[str(keys.public)])
    assert report.status is Status.PASS
    assert [severity for _, severity, _ in found(report)] == ["low", "low"]
    assert report.metrics["files_left_out"] == 2


def test_what_is_left_out_may_be_accepted_with_a_reason(model: Path, keys: KeyFiles) -> None:
    honest(model, keys, ignored=("calibration.json",))
    (model / "calibration.json").write_bytes(b"{}")
    options: dict[str, JSON] = {"keys": [str(keys.public)]}
    assert check(model, **options).status is Status.FAIL
    accepted: dict[str, JSON] = {"calibration.json": "written at start-up"}
    assert check(model, **options, accept_unsigned=accepted).status is Status.PASS
    assert check(model, **options, accept_unsigned={"calibration.json": " "}).status is Status.FAIL


@pytest.mark.parametrize("path", [".git", ".github", "model.sig", "sub/folder/", "./a.bin", "../x.sig", "/x"])
def test_ordinary_paths_to_pass_over_are_not_suspicious(path: str) -> None:
    assert not unsafe(path)


def test_what_git_keeps_is_not_expected_to_be_signed(model: Path, keys: KeyFiles) -> None:
    honest(model, keys)
    write(model, {".git/HEAD": b"ref", ".gitattributes": b"*", ".github/x.yml": b"x"})
    assert check(model, keys=[str(keys.public)]).status is Status.PASS


def test_what_git_keeps_counts_where_it_was_signed(model: Path, keys: KeyFiles) -> None:
    files = {**FILES, ".gitattributes": b"*.bin filter=lfs"}
    write(model, files)
    signed(model, bundle(statement(files), keys))
    assert check(model, keys=[str(keys.public)]).status is Status.PASS
    (model / ".gitattributes").write_bytes(b"other")
    assert found(check(model, keys=[str(keys.public)])) == [("file-changed", "critical", ".gitattributes")]


def test_links_are_told_where_the_signer_allowed_none(model: Path, keys: KeyFiles, tmp_path: Path) -> None:
    honest(model, keys)
    (tmp_path / "blob").write_bytes(FILES["model.safetensors"])
    (model / "model.safetensors").unlink()
    (model / "model.safetensors").symlink_to(tmp_path / "blob")
    report = check(model, keys=[str(keys.public)])
    assert found(report) == [("link", "low", "model.safetensors")]
    honest(model, keys, links=True)
    assert found(check(model, keys=[str(keys.public)])) == []


def test_a_pipe_in_a_files_place_does_not_hang(model: Path, keys: KeyFiles) -> None:
    honest(model, keys)
    subject = Subject.from_path(model)
    (model / "config.json").unlink()
    os.mkfifo(model / "config.json")
    with pytest.raises(SubjectError, match="not a regular file"):
        ArtifactSignature().run(subject, Context(model, options={"keys": [str(keys.public)]}))


def test_one_file_by_its_own_signature_and_by_its_folders(tmp_path: Path, keys: KeyFiles) -> None:
    file = write(tmp_path / "m", FILES) / "model.safetensors"
    signed(file, bundle(statement({".": FILES["model.safetensors"]}), keys))
    assert check(file, keys=[str(keys.public)]).status is Status.PASS
    file.with_name("model.safetensors.sig").unlink()
    signed(file.parent, bundle(statement(FILES), keys))
    partly = check(file, keys=[str(keys.public)])
    assert partly.status is Status.PASS
    assert partly.coverage.notes == ("the signature is of a folder of 3 files; one was looked at",)
    file.write_bytes(b"other")
    assert check(file, keys=[str(keys.public)]).status is Status.FAIL


def test_the_signature_of_one_file_does_not_count_for_a_folder(model: Path, keys: KeyFiles) -> None:
    signed(model, bundle(statement({".": FILES["model.safetensors"]}), keys))
    assert found(check(model, keys=[str(keys.public)])) == [("malformed", "high", "model.sig")]


def test_the_old_form_is_read_with_a_note(model: Path, keys: KeyFiles) -> None:
    subjects = [
        {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
        for name, content in FILES.items()
    ]
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://model_signing/Digests/v0.1",
        "predicate": {"unused": "Unused"},
    }
    raw = json.dumps(document).encode()
    old = bundle(raw, keys)
    # What version 0.2 of the package signed: https://github.com/sigstore/model-transparency, `pae_compat`.
    mistaken = f"DSSEV1 {len(IN_TOTO)} {IN_TOTO} {len(raw)} {raw!r}".encode()
    old["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(keys.sign(mistaken)).decode()
    for form in (old, bundle(raw, keys)):
        signed(model, form)
        report = check(model, keys=[str(keys.public)])
        assert report.status is Status.PASS
        assert "model-signing 0.2" in report.coverage.notes[0]
    current = bundle(statement(FILES), keys)
    payload = base64.b64decode(current["dsseEnvelope"]["payload"])
    mistaken = f"DSSEV1 {len(IN_TOTO)} {IN_TOTO} {len(payload)} {payload!r}".encode()
    current["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(keys.sign(mistaken)).decode()
    signed(model, current)
    assert found(check(model, keys=[str(keys.public)])) == [("invalid", "critical", "model.sig")]


def test_a_sigstore_identity_is_not_established_without_knowing_whose(model: Path, tmp_path: Path) -> None:
    signer = Authority(tmp_path / "ca", "fulcio").issue("nobody", email="dev@example.org")
    signed(model, bundle(statement(FILES), signer.keys, chain(signer, logged=True)))
    report = check(model, required=True)
    assert report.status is Status.INCOMPLETE
    assert report.metrics["method"] == "sigstore"
    assert "`identity`, `issuer` and `sigstore`" in report.coverage.skipped[0].remedy


def test_a_sigstore_bundle_that_the_root_does_not_confirm_fails(model: Path, tmp_path: Path) -> None:
    sigstore = pytest.importorskip("sigstore")
    root = next((Path(sigstore.__file__).parent / "_store").glob("*sigstore.dev/trusted_root.json"))
    shutil.copy(root, tmp_path / "trusted_root.json")
    signer = Authority(tmp_path / "ca", "fulcio").issue("nobody", email="dev@example.org")
    signed(model, bundle(statement(FILES), signer.keys, chain(signer, logged=True)))
    options: dict[str, JSON] = {"identity": "dev@example.org", "issuer": "https://accounts.example.org"}
    report = check(model, **options, sigstore="trusted_root.json", root=str(tmp_path))
    assert report.status is Status.FAIL
    assert found(report) == [("invalid", "critical", "model.sig")]
    (tmp_path / "trusted_root.json").write_text("{}")
    with pytest.raises(ConfigError, match="not a root of trust"):
        check(model, **options, sigstore="trusted_root.json", root=str(tmp_path))


def test_a_certificate_is_no_key(model: Path, tmp_path: Path) -> None:
    honest(model, key_files(tmp_path / "keys"))
    authority = Authority(tmp_path / "ca", "root")
    with pytest.raises(SigningKeyError, match="not a PEM public key"):
        check(model, keys=[str(authority.own.path)])
    with pytest.raises(SigningKeyError, match="cannot be read"):
        check(model, keys=["nowhere.pub"])


def test_it_stops_when_it_is_cancelled(model: Path, keys: KeyFiles) -> None:
    honest(model, keys)
    context = Context(model, options={"keys": [str(keys.public)]}, cancelled=lambda: True)
    with pytest.raises(CheckError, match="cancelled"):
        ArtifactSignature().run(Subject.from_path(model), context)


def test_the_severities_fail_by_default() -> None:
    failing = {r.id for r in ArtifactSignature.info.rules if r.severity.at_least(Severity.MEDIUM)}
    assert len(failing) == len(ArtifactSignature.info.rules) - 1
    assert NOW.tzinfo is UTC
