"""`artifact.signature` on bundles that are damaged, ambiguous, or of another kind."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from assay.core.report import Status
from fixtures.signed_models import FILES, check, found, signed
from fixtures.signers import KeyFiles, bundle, statement


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PGP SIGNATURE-----", b"MEUCIQ==", b"[]", b'{"a": 1}'])
def test_another_kind_of_signature_is_not_read_and_not_a_pass(model: Path, content: bytes) -> None:
    (model / "model.sig").write_bytes(content)
    report = check(model)
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].reason == "is not a Sigstore bundle"
    assert check(model, required=True).metrics["demanded"] is True


def _without_root(document: dict[str, Any]) -> None:
    document["subject"][0]["digest"]["sha256"] = "0" * 64


def _twice(document: dict[str, Any]) -> None:
    resources = document["predicate"]["resources"]
    resources.append(resources[0])
    raw = b"".join(bytes.fromhex(r["digest"]) for r in resources)
    document["subject"][0]["digest"]["sha256"] = hashlib.sha256(raw).hexdigest()


def _climbing(document: dict[str, Any]) -> None:
    document["predicate"]["resources"][0]["name"] = "../config.json"


def _second_spelling(document: dict[str, Any]) -> None:
    document["predicate"]["resources"][0]["name"] = "./config.json"


def _two_subjects(document: dict[str, Any]) -> None:
    document["subject"].append(document["subject"][0])


def _other_predicate(document: dict[str, Any]) -> None:
    document["predicateType"] = "https://slsa.dev/provenance/v1"


def _other_method(document: dict[str, Any]) -> None:
    document["predicate"]["serialization"]["method"] = "tensors"


def _short_digest(document: dict[str, Any]) -> None:
    document["predicate"]["resources"][0]["digest"] = "00"


def _no_resources(document: dict[str, Any]) -> None:
    document["predicate"]["resources"] = []
    document["subject"][0]["digest"]["sha256"] = hashlib.sha256().hexdigest()


def _no_list(document: dict[str, Any]) -> None:
    document["predicate"]["serialization"]["ignore_paths"] = "*"


@pytest.mark.parametrize(
    "spoil",
    [
        _without_root,
        _twice,
        _climbing,
        _second_spelling,
        _two_subjects,
        _other_predicate,
        _other_method,
        _short_digest,
        _no_resources,
        _no_list,
    ],
)
def test_a_statement_that_contradicts_itself_is_refused_even_if_signed(
    model: Path, keys: KeyFiles, spoil: Any
) -> None:
    document = statement(FILES)
    spoil(document)
    signed(model, bundle(document, keys))
    report = check(model, keys=[str(keys.public)])
    assert report.status is Status.FAIL
    assert found(report) == [("malformed", "high", "model.sig")]


def test_a_key_that_stands_twice_is_refused(model: Path, keys: KeyFiles) -> None:
    payload = json.dumps(statement(FILES))[:-1] + ', "predicateType": "x"}'
    signed(model, bundle(payload.encode(), keys))
    assert found(check(model, keys=[str(keys.public)])) == [("malformed", "high", "model.sig")]


@pytest.mark.parametrize("field", ["payloadType", "signatures", "verificationMaterial", "mediaType"])
def test_an_ambiguous_bundle_is_refused(model: Path, keys: KeyFiles, field: str) -> None:
    document = bundle(statement(FILES), keys)
    if field == "payloadType":
        document["dsseEnvelope"]["payloadType"] = "text/plain"
    elif field == "signatures":
        document["dsseEnvelope"]["signatures"] *= 2
    elif field == "verificationMaterial":
        document["verificationMaterial"]["certificate"] = {"rawBytes": ""}
    else:
        document["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json"
    signed(model, document)
    assert found(check(model, keys=[str(keys.public)])) == [("malformed", "high", "model.sig")]


def test_every_prefix_of_a_bundle_neither_crashes_nor_passes(model: Path, keys: KeyFiles) -> None:
    raw = json.dumps(bundle(statement(FILES), keys)).encode()
    for length in range(0, len(raw), 7):
        (model / "model.sig").write_bytes(raw[:length])
        assert check(model, keys=[str(keys.public)]).metrics["verified"] is False


def test_no_changed_byte_of_a_bundle_passes_for_another_model(model: Path, keys: KeyFiles) -> None:
    raw = bytearray(json.dumps(bundle(statement(FILES), keys)).encode())
    (model / "model.safetensors").write_bytes(b"backdoor")
    for at in range(0, len(raw), 11):
        changed = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])
        (model / "model.sig").write_bytes(changed)
        assert check(model, keys=[str(keys.public)]).metrics["verified"] is False


def test_an_unknown_digest_is_not_examined(model: Path, keys: KeyFiles) -> None:
    document = statement(FILES)
    document["predicate"]["resources"][0] |= {"algorithm": "sha3", "digest": "00" * 32}
    digests = b"".join(bytes.fromhex(r["digest"]) for r in document["predicate"]["resources"])
    document["subject"][0]["digest"]["sha256"] = hashlib.sha256(digests).hexdigest()
    signed(model, bundle(document, keys))
    report = check(model, keys=[str(keys.public)])
    assert report.status is Status.INCOMPLETE
    assert report.coverage.skipped[0].what == "config.json"
    assert report.metrics["verified"] is False
