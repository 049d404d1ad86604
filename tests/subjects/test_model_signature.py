"""Bundles that we make and the `model-signing` package verifies, and the other way round."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import AssayError, SubjectError
from assay.core.evidence import PAYLOAD_TYPE, pae
from assay.subjects.model_signature import (
    bundle_of,
    compare,
    load_certificates,
    load_key,
    model_statement,
    parse_bundle,
    parse_manifest,
    read_bundle,
    signature_path,
)
from assay.subjects.model_signature.bundle import NotABundleError
from assay.subjects.model_signature.comparison import left_out
from fixtures.signers import Authority, KeyFiles, key_files

model_signing = pytest.importorskip("model_signing")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def quiet(done: int, total: int) -> None:
    assert 0 < done <= total


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "c.bin").write_bytes(b"x" * 1000)
    (folder / "b.txt").write_bytes(b"text")
    (folder / "empty").touch()
    (folder / "ünï.json").write_bytes(b"{}")
    return folder


def sign_with_package(model: Path, target: Path, keys: KeyFiles, hashing: Any = None) -> None:
    from model_signing import signing  # noqa: PLC0415

    config = signing.Config().use_elliptic_key_signer(private_key=keys.private)
    if hashing is not None:
        config.set_hashing_config(hashing)
    config.sign(model, target)


def _plain() -> Any:
    return None


def _blake2() -> Any:
    from model_signing import hashing  # noqa: PLC0415

    return hashing.Config().use_file_serialization(hashing_algorithm="blake2")


def _blake3() -> Any:
    from model_signing import hashing  # noqa: PLC0415

    return hashing.Config().use_file_serialization(hashing_algorithm="blake3")


def _shards() -> Any:
    from model_signing import hashing  # noqa: PLC0415

    return hashing.Config().use_shard_serialization(shard_size=300)


def _blake2_shards() -> Any:
    from model_signing import hashing  # noqa: PLC0415

    return hashing.Config().use_shard_serialization(hashing_algorithm="blake2", shard_size=999)


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
@pytest.mark.parametrize("hashing", [_plain, _blake2, _blake3, _shards, _blake2_shards])
def test_we_verify_what_the_package_signed(
    model: Path, tmp_path: Path, kind: str, hashing: Callable[[], Any]
) -> None:
    keys = key_files(tmp_path / "keys", kind=kind)
    target = tmp_path / "model.sig"
    sign_with_package(model, target, keys, hashing())
    bundle = parse_bundle(read_bundle(target))
    key = load_key(keys.public.read_bytes())
    assert bundle.key_hint == key.hint
    assert key.verifies(bundle.signature, bundle.payload_type, bundle.payload, legacy=False)
    manifest = parse_manifest(bundle.payload_type, bundle.payload)
    same = compare(model, manifest, bundle=target, step=quiet)
    assert same.equal
    assert set(same.matched) >= {"b/c.bin", "b.txt", "ünï.json"}
    for change in (b"x" * 999, b"x" * 1001, b"x" * 999 + b"y"):
        (model / "b" / "c.bin").write_bytes(change)
        assert compare(model, manifest, bundle=target, step=quiet).changed == ("b/c.bin",)


def our_bundle(model: Path, keys: KeyFiles, target: Path) -> None:
    payload, _ = model_statement(model, target)
    target.write_bytes(bundle_of(payload, keys.sign(pae(PAYLOAD_TYPE, payload)), hint=keys.hint))


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
@pytest.mark.parametrize("inside", [True, False])
def test_the_package_verifies_what_we_signed(model: Path, tmp_path: Path, kind: str, inside: bool) -> None:
    from model_signing import verifying  # noqa: PLC0415

    keys = key_files(tmp_path / "keys", kind=kind)
    target = (model if inside else tmp_path) / "model.sig"
    our_bundle(model, keys, target)
    verifier = verifying.Config().use_elliptic_key_verifier(public_key=keys.public)
    verifier.verify(model, target)
    (model / "b.txt").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"Hash mismatch for .*b\.txt"):
        verifying.Config().use_elliptic_key_verifier(public_key=keys.public).verify(model, target)


def test_the_package_verifies_one_file_that_we_signed(model: Path, tmp_path: Path) -> None:
    from model_signing import verifying  # noqa: PLC0415

    keys = key_files(tmp_path / "keys")
    our_bundle(model / "b.txt", keys, tmp_path / "b.sig")
    verifying.Config().use_elliptic_key_verifier(public_key=keys.public).verify(
        model / "b.txt", tmp_path / "b.sig"
    )


def test_certificates_go_both_ways(model: Path, tmp_path: Path) -> None:
    from model_signing import signing, verifying  # noqa: PLC0415

    root = Authority(tmp_path / "ca", "root")
    middle = Authority(tmp_path / "ca", "middle", root)
    signer = middle.issue("release", kind="p384")
    theirs = tmp_path / "theirs.sig"
    signing.Config().use_certificate_signer(
        private_key=signer.keys.private,
        signing_certificate=signer.path,
        certificate_chain=[middle.own.path],
    ).sign(model, theirs)
    assert parse_bundle(read_bundle(theirs)).certificates == (signer.der, middle.own.der)
    ours = tmp_path / "ours.sig"
    payload, _ = model_statement(model, ours)
    certificates = [*load_certificates(signer.path.read_bytes()), middle.own.certificate]
    signature = signer.keys.sign(pae(PAYLOAD_TYPE, payload))
    ours.write_bytes(bundle_of(payload, signature, certificates=certificates))
    for bundle in (theirs, ours):
        verifying.Config().use_certificate_verifier(certificate_chain=[root.own.path]).verify(model, bundle)


def test_the_root_digest_is_that_of_the_package(model: Path, tmp_path: Path) -> None:
    keys = key_files(tmp_path / "keys")
    sign_with_package(model, tmp_path / "model.sig", keys)
    bundle = parse_bundle(read_bundle(tmp_path / "model.sig"))
    payload, manifest = model_statement(model, tmp_path / "model.sig")
    assert parse_manifest(bundle.payload_type, bundle.payload).root == manifest.oms_root
    assert parse_manifest(PAYLOAD_TYPE, payload).root == manifest.oms_root


def test_the_same_model_gives_the_same_statement(model: Path) -> None:
    target = model / "model.sig"
    before = model_statement(model, target)[0]
    target.write_bytes(b"a signature")
    assert model_statement(model, target)[0] == before


def test_a_signature_inside_is_found_by_any_spelling(model: Path, tmp_path: Path) -> None:
    spelled = tmp_path / "model" / "b" / ".." / "release.sig"
    (tmp_path / "link").symlink_to(model)
    for target in (spelled, tmp_path / "link" / "release.sig"):
        payload, manifest = model_statement(model, target)
        assert "release.sig" in manifest.ignored
        target.write_bytes(b"a signature")
        assert compare(model, parse_manifest(PAYLOAD_TYPE, payload), bundle=target, step=quiet).equal


def test_where_a_signature_lies(model: Path) -> None:
    assert signature_path(model) == model / "model.sig"
    assert signature_path(model / "b.txt") == model / "b.txt.sig"
    (model / "model.sig").touch()
    assert signature_path(model / "b.txt") == model / "model.sig"
    (model / "b.txt.sig").touch()
    assert signature_path(model / "b.txt") == model / "b.txt.sig"


@pytest.mark.parametrize(
    ("name", "ignored", "expected"),
    [
        ("a/b.pkl", ("a",), True),
        ("a/b.pkl", ("a/",), True),
        ("a/b.pkl", ("./a/b.pkl",), True),
        ("ab/c", ("a",), False),
        ("a/b.pkl", (".", "", "*"), False),
    ],
)
def test_what_a_signer_leaves_out(name: str, ignored: tuple[str, ...], expected: bool) -> None:
    assert (left_out([name], ignored) == {name}) is expected


def test_shards_that_leave_bytes_out_are_refused(model: Path, tmp_path: Path) -> None:
    keys = key_files(tmp_path / "keys")
    sign_with_package(model, tmp_path / "model.sig", keys, _shards())
    document = json.loads(parse_bundle(read_bundle(tmp_path / "model.sig")).payload)
    resources = document["predicate"]["resources"]
    assert len(resources) == 6
    del resources[2]
    import hashlib  # noqa: PLC0415

    root = hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources)).hexdigest()
    document["subject"][0]["digest"]["sha256"] = root
    with pytest.raises(SubjectError, match="leave bytes out"):
        parse_manifest(PAYLOAD_TYPE, json.dumps(document).encode())


def test_a_bundle_is_read_with_bounds(tmp_path: Path) -> None:
    import os  # noqa: PLC0415

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SubjectError, match="not a regular file"):
        read_bundle(tmp_path / "pipe")
    with pytest.raises(NotABundleError):
        parse_bundle(b"[" * 100_000)
    with pytest.raises(SubjectError, match="too deeply"):
        parse_bundle(b'{"a":' * 100_000)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "mediaType",
                    "verificationMaterial",
                    "publicKey",
                    "hint",
                    "dsseEnvelope",
                    "payload",
                    "signatures",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_no_bundle_does_more_than_raise(value: Any) -> None:
    media = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}
    document = {**value, **media} if isinstance(value, dict) else value
    try:
        parse_bundle(json.dumps(document).encode())
    except AssayError:
        return


STATEMENT_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "subject",
                    "predicate",
                    "serialization",
                    "resources",
                    "name",
                    "digest",
                    "sha256",
                    "algorithm",
                    "method",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(STATEMENT_VALUES)
def test_no_statement_does_more_than_raise(value: Any) -> None:
    fixed = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://model_signing/signature/v1.0",
    }
    document = {**value, **fixed} if isinstance(value, dict) else value
    try:
        parse_manifest(PAYLOAD_TYPE, json.dumps(document).encode())
    except AssayError:
        return


def test_base64_has_one_reading(model: Path, tmp_path: Path) -> None:
    our_bundle(model, key_files(tmp_path / "keys"), tmp_path / "x.sig")
    document = json.loads((tmp_path / "x.sig").read_text())
    payload = document["dsseEnvelope"]["payload"]
    assert base64.b64decode(payload)
    for changed in (payload[:10] + "\n" + payload[10:], payload + "=", payload.replace("a", "-", 1)):
        document["dsseEnvelope"]["payload"] = changed
        with pytest.raises(SubjectError, match="not base64"):
            parse_bundle(json.dumps(document).encode())
