from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope

from assay.core.errors import AssayError, SigningKeyError, TamperError
from assay.core.evidence import PAYLOAD_TYPE, REPORT
from assay.ledger import Keyring, Revocation, SigningKey, open_envelope, sign
from assay.ledger.envelope import parse_envelope, subject_digests

Make = Callable[..., bytes]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def pem_of(private: Any) -> bytes:
    return bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def statement_of(**changes: Any) -> bytes:
    document: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "m", "digest": {"sha256": "a" * 64}}],
        "predicateType": REPORT,
        "predicate": {},
    }
    return json.dumps(document | changes).encode()


def altered(envelope: bytes, **changes: Any) -> bytes:
    return json.dumps(json.loads(envelope) | changes).encode()


def test_what_is_signed_can_be_opened(make: Make, ring: Keyring, key: SigningKey) -> None:
    opened = open_envelope(make("b" * 64, candidate="c" * 64), ring)
    assert opened.keyids == (key.keyid,)
    assert opened.statement["subject"][0]["digest"]["sha256"] == "b" * 64
    assert json.loads(opened.payload) == opened.statement
    assert subject_digests(opened.statement) == ("b" * 64, "c" * 64)


def test_an_envelope_is_canonical_json(make: Make) -> None:
    envelope = make()
    assert rfc8785.dumps(json.loads(envelope)) == envelope
    assert json.loads(envelope)["payloadType"] == "application/vnd.in-toto+json"


def test_securesystemslib_accepts_our_envelopes_and_we_accept_theirs(make: Make, key: SigningKey) -> None:
    theirs = Envelope.from_dict(json.loads(make()))
    assert set(theirs.verify([key.public.library_key], 1)) == {key.keyid}
    made = Envelope(statement_of(), PAYLOAD_TYPE, {})
    made.sign(key._signer)
    assert open_envelope(json.dumps(made.to_dict(), indent=1).encode(), Keyring.of(key)).keyids == (
        key.keyid,
    )


def test_ecdsa_p256_signs_and_verifies() -> None:
    key = SigningKey.from_pem(pem_of(ec.generate_private_key(ec.SECP256R1())))
    assert key.public.algorithm == "ecdsa-sha2-nistp256"
    envelope = sign(statement_of(), key)
    assert open_envelope(envelope, Keyring.of(key)).keyids == (key.keyid,)
    with pytest.raises(TamperError, match="does not fit its bytes"):
        open_envelope(
            altered(envelope, payload=base64.b64encode(statement_of(x=1)).decode()), Keyring.of(key)
        )


@pytest.mark.parametrize(
    "private", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)]
)
def test_other_algorithms_are_refused(private: Any) -> None:
    with pytest.raises(SigningKeyError, match="are not accepted") as caught:
        SigningKey.from_pem(pem_of(private))
    assert "Ed25519 or ECDSA P-256" in caught.value.diagnostics()


def test_bits_that_padding_leaves_are_no_second_form() -> None:
    place = ENVELOPE.rindex(b'=="') - 1
    for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
        changed = ENVELOPE[:place] + bytes([letter]) + ENVELOPE[place + 1 :]
        if changed != ENVELOPE:
            with pytest.raises(TamperError):
                open_envelope(changed, RING)


@given(place=st.integers(0), value=st.integers(0, 255))
def test_no_changed_byte_goes_unnoticed(place: int, value: int) -> None:
    original = ENVELOPE
    place %= len(original)
    changed = original[:place] + bytes([value]) + original[place + 1 :]
    if changed == original:
        assert open_envelope(changed, RING).keyids == (KEY.keyid,)
    else:
        with pytest.raises(TamperError):
            open_envelope(changed, RING)


@given(st.binary(max_size=300) | st.text(max_size=80).map(str.encode))
def test_nonsense_is_refused_with_our_error(raw: bytes) -> None:
    with pytest.raises(TamperError):
        parse_envelope(raw)


KEY = SigningKey.generate()
RING = Keyring.of(KEY)
ENVELOPE = sign(statement_of(), KEY)
HUGE = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (b"[]", "the statement is not a JSON object"),
        (b'{"a":1,"a":2}', "the statement is not strict JSON: a key stands twice in one object"),
        (b'{"a":NaN}', "the statement is not strict JSON: NaN is not JSON"),
        (b'{"a":1e999}', "the statement is not strict JSON: a number is out of range"),
        (b'{"a":"\\ud800"}', "the statement is not strict JSON: it is not UTF-8"),
        (b'{"a":"\xff"}', "the statement is not strict JSON: it is not UTF-8"),
        (HUGE, "the statement is nested too deeply"),
        (
            statement_of(_type="https://in-toto.io/Statement/v0.1"),
            "its payload is not an in-toto Statement v1",
        ),
        (statement_of(subject=[]), "a statement has 1 to 100,000 subjects"),
        (
            statement_of(subject=[{"digest": {"sha1": "aa"}}]),
            "a subject of the statement lacks its sha256 digest",
        ),
        (
            statement_of(subject=[{"digest": {"sha256": "A" * 64}}]),
            "a subject of the statement lacks its sha256 digest",
        ),
        (statement_of(predicate=[]), "the statement lacks its predicate"),
        (statement_of(predicateType=None), "the statement lacks its predicate"),
    ],
)
def test_a_signed_payload_must_be_a_strict_statement(payload: bytes, cause: str) -> None:
    with pytest.raises(TamperError) as caught:
        open_envelope(sign(payload, KEY), RING)
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (ENVELOPE.replace(b'"payloadType"', b'"payload":"","payloadType"'), "a key stands twice"),
        (altered(ENVELOPE, payloadType="text/plain"), "its payload is not an in-toto statement"),
        (altered(ENVELOPE, extra=1), "it is not a DSSE envelope"),
        (altered(ENVELOPE, signatures=[]), "carries 1 to 16 signatures"),
        (altered(ENVELOPE, signatures=json.loads(ENVELOPE)["signatures"] * 2), "a key signs twice"),
        (altered(ENVELOPE, signatures=[{"sig": ""}]), "a signature names no key"),
        (altered(ENVELOPE, payload=7), "a base64 field is not text"),
        (altered(ENVELOPE, payload="@@@@"), "a base64 field is damaged"),
        (b"", "the envelope is not strict JSON"),
        (b" " * (64 * 1024 * 1024 + 1), "the envelope is larger than 67,108,864 bytes"),
    ],
    ids=range(10),
)
def test_an_ambiguous_envelope_is_refused(raw: bytes, cause: str) -> None:
    with pytest.raises(TamperError) as caught:
        open_envelope(raw, RING)
    assert cause in caught.value.cause


def test_a_key_that_is_not_trusted_does_not_count(make: Make) -> None:
    stranger = SigningKey.generate()
    with pytest.raises(TamperError, match="signed by a key that is not trusted") as caught:
        open_envelope(make(), Keyring.of(stranger))
    assert "signing.trusted" in caught.value.diagnostics()


def test_a_stranger_beside_a_good_signature_is_ignored_but_a_bad_one_is_not() -> None:
    both = json.loads(ENVELOPE)
    stranger = json.loads(sign(statement_of(), SigningKey.generate()))["signatures"][0]
    both["signatures"].append(stranger)
    assert open_envelope(json.dumps(both).encode(), RING).keyids == (KEY.keyid,)
    other = SigningKey.generate()
    both["signatures"][1] = {"keyid": other.keyid, "sig": both["signatures"][0]["sig"]}
    with pytest.raises(TamperError, match="does not fit its bytes"):
        open_envelope(json.dumps(both).encode(), Keyring.of(KEY, other))


def test_a_signature_cannot_be_moved_to_another_key_id(make: Make) -> None:
    other = SigningKey.generate()
    forged = make().replace(KEY.keyid.encode(), other.keyid.encode())
    with pytest.raises(TamperError):
        open_envelope(forged, Keyring.of(other))


def test_a_revoked_key_counts_only_for_what_was_logged_before(make: Make, key: SigningKey) -> None:
    ring = Keyring.of(key, revoked=[Revocation(key.keyid, NOON, "stolen")])
    assert open_envelope(make(), ring, at=NOON - timedelta(microseconds=1)).keyids == (key.keyid,)
    for moment in (None, NOON, NOON + timedelta(days=1)):
        with pytest.raises(TamperError, match="revoked at 2026-03-01T12:00:00Z"):
            open_envelope(make(), ring, at=moment)


def test_a_payload_type_cannot_be_swapped_under_a_signature() -> None:
    other = sign(statement_of(), KEY, "application/vnd.in-toto+json2")
    swapped = other.replace(b"json2", b"json")
    with pytest.raises(TamperError, match="does not fit its bytes"):
        open_envelope(swapped, RING)


def test_the_candidate_is_found_wherever_a_predicate_carries_it() -> None:
    def of(predicate: dict[str, Any]) -> tuple[str, ...]:
        return subject_digests({"subject": [{"digest": {"sha256": "a" * 64}}], "predicate": predicate})

    found = ("a" * 64, "d" * 64)
    assert of({"candidate": "d" * 64}) == found
    assert of({"execution": {"candidate": "d" * 64}}) == found
    assert of({"assay": {"candidate": "d" * 64}}) == found
    assert of({"candidate": "", "execution": [], "assay": None}) == ("a" * 64,)


def test_every_refusal_is_an_assay_error_with_a_remedy() -> None:
    with pytest.raises(AssayError) as caught:
        open_envelope(b"{}", RING)
    assert caught.value.remedy
