from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import SigningKeyError
from assay.core.evidence import STATEMENT
from assay.ledger import (
    KEY,
    Keyring,
    PublicKey,
    SigningKey,
    default_key_path,
    open_envelope,
    revoke,
    rotate,
    sign,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_key_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.pem"
    made = SigningKey.load_or_create(path)
    assert SigningKey.load_or_create(path).keyid == made.keyid
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert [entry.name for entry in path.parent.iterdir()] == ["signing.pem"]


def test_processes_that_race_for_the_first_use_get_one_key(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from assay.ledger import SigningKey
print("ready", flush=True)
sys.stdin.read(1)
print(*[SigningKey.load_or_create(Path(sys.argv[1], str(n), "signing.pem")).keyid for n in range(40)])
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == b"ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write(b"x")
        racer.stdin.flush()
    answers = {racer.communicate()[0].decode() for racer in racers}
    ids = [SigningKey.load(tmp_path / str(number) / "signing.pem").keyid for number in range(40)]
    assert answers == {" ".join(ids) + "\n"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_key_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "signing.pem"
    SigningKey.load_or_create(path)
    path.chmod(mode)
    with pytest.raises(SigningKeyError, match="other users can read or write") as caught:
        SigningKey.load_or_create(path)
    assert f"chmod 600 {path}" in caught.value.remedy
    path.chmod(0o400)
    assert SigningKey.load(path).keyid


def test_the_key_id_is_the_digest_of_the_der_public_key(key: SigningKey) -> None:
    der = load_pem_public_key(key.public.pem.encode()).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert key.keyid == hashlib.sha256(der).hexdigest()
    assert key.keyid.startswith(key.public.short)
    assert len(key.public.short) == 16
    assert key.public.algorithm == "ed25519"


def test_an_exported_key_is_the_same_key_to_others(tmp_path: Path, key: SigningKey) -> None:
    path = tmp_path / "signer.pub"
    key.export_public(path)
    assert PublicKey.load(path) == key.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert b"PRIVATE" not in path.read_bytes()


def test_a_private_key_never_shows_itself(key: SigningKey) -> None:
    assert repr(key) == f"SigningKey({key.public.short}…)"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "not a PEM private key"),
        (b"nonsense", "not a PEM private key"),
        (b"x" * 70_000, "too large to be a key"),
    ],
)
def test_a_damaged_key_file_is_named(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "signing.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SigningKeyError) as caught:
        SigningKey.load_or_create(path)
    assert (caught.value.cause, caught.value.subject) == (cause, str(path))
    assert caught.value.remedy
    assert path.read_bytes() == content


def test_a_key_with_a_passphrase_says_so(tmp_path: Path) -> None:
    encryption = BestAvailableEncryption(b"secret")
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    path = tmp_path / "signing.pem"
    path.write_bytes(pem)
    path.chmod(0o600)
    with pytest.raises(SigningKeyError, match="protected by a passphrase"):
        SigningKey.load(path)


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    with pytest.raises(SigningKeyError, match="not a regular file"):
        SigningKey.load_or_create(fifo)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SigningKeyError, match="cannot be read: no such file"):
        SigningKey.load_or_create(tmp_path / "dangling")
    (tmp_path / "file").touch()
    with pytest.raises(SigningKeyError, match="cannot be created"):
        SigningKey.load_or_create(tmp_path / "file" / "signing.pem")
    with pytest.raises(SigningKeyError, match="not a PEM public key"):
        PublicKey.load(tmp_path / "file")


def test_where_the_own_key_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ASSAY_KEY", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_key_path() == tmp_path / ".local/share/assay/keys/signing.pem"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_key_path() == tmp_path / ".local/share/assay/keys/signing.pem"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_key_path() == tmp_path / "data/assay/keys/signing.pem"
    monkeypatch.setenv("ASSAY_KEY", "~/my.pem")
    assert default_key_path() == tmp_path / "my.pem"


def test_after_a_rotation_the_old_key_verifies_but_signs_no_more(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    old = SigningKey.load_or_create(path)
    before = sign_something(old)
    change = rotate(path, at=NOON)
    new = SigningKey.load(path)
    ring = Keyring.load(path)
    assert (change.previous, change.current) == (old.public, new.public)
    assert new.keyid != old.keyid
    assert set(ring.keys) == {old.keyid, new.keyid}
    assert open_envelope(before, ring).keyids == (old.keyid,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    private = [file for file in tmp_path.rglob("*") if file.is_file() and b"PRIVATE" in file.read_bytes()]
    assert private == [path]
    endorsed = open_envelope(change.envelope, Keyring.of(old))
    assert endorsed.statement["predicateType"] == KEY
    assert endorsed.statement["predicate"]["current"]["keyid"] == new.keyid


def test_a_revoked_key_stops_counting_when_it_was_revoked(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    old = SigningKey.load_or_create(path)
    rotate(path, at=NOON)
    change = revoke(path, old.public.short, at=NOON, reason="laptop stolen")
    ring = Keyring.load(path)
    assert (
        ring.refusal(old.keyid, NOON)
        == f"it is signed by key {old.public.short}, revoked at 2026-03-01T12:00:00Z"
    )
    assert ring.refusal(old.keyid, NOON - timedelta(seconds=1)) == ""
    statement = open_envelope(change.envelope, ring).statement
    assert statement["_type"] == STATEMENT
    assert statement["predicate"]["action"] == "revoke"
    assert statement["predicate"]["reason"] == "laptop stolen"
    revoke(path, old.keyid, at=NOON + timedelta(days=9), reason="again")
    assert Keyring.load(path).revocations[old.keyid].revoked_at == NOON
    revoke(path, old.keyid, at=NOON - timedelta(days=1), reason="it leaked earlier")
    assert Keyring.load(path).revocations[old.keyid].revoked_at == NOON - timedelta(days=1)


def test_the_key_in_use_cannot_be_revoked_nor_one_that_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    own = SigningKey.load_or_create(path)
    with pytest.raises(SigningKeyError, match="this is the key in use"):
        revoke(path, own.keyid, at=NOON, reason="")
    with pytest.raises(SigningKeyError, match="no trusted key has this id"):
        revoke(path, "0" * 64, at=NOON, reason="")
    assert not (tmp_path / "revoked.json").exists()


def test_trusted_files_count_and_can_be_revoked(tmp_path: Path) -> None:
    path, theirs = tmp_path / "own" / "signing.pem", tmp_path / "colleague.pub"
    SigningKey.load_or_create(path)
    colleague = SigningKey.generate()
    colleague.export_public(theirs)
    assert colleague.keyid in Keyring.load(path, [theirs]).keys
    revoke(path, colleague.keyid, at=NOON, reason="left", trusted=[theirs])
    assert Keyring.load(path, [theirs]).refusal(colleague.keyid, None)


def test_without_an_own_key_the_trusted_ones_are_enough_to_verify(tmp_path: Path, key: SigningKey) -> None:
    key.export_public(tmp_path / "signer.pub")
    ring = Keyring.load(tmp_path / "none" / "signing.pem", [tmp_path / "signer.pub"])
    assert set(ring.keys) == {key.keyid}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "{}",
        '{"revoked": 1}',
        '{"revoked": [{"keyid": "a"}]}',
        '{"revoked": [{"keyid": "a", "revokedAt": "2026-01-01T00:00:00"}]}',
    ],
)
def test_a_damaged_list_of_revocations_never_reads_as_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / "signing.pem"
    SigningKey.load_or_create(path)
    (tmp_path / "revoked.json").write_text(content)
    with pytest.raises(SigningKeyError, match="the list of revoked keys cannot be read"):
        Keyring.load(path)


def sign_something(key: SigningKey) -> bytes:
    payload = (
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"t",'
        b'"subject":[{"digest":{"sha256":"' + b"a" * 64 + b'"}}]}'
    )
    return sign(payload, key)


@given(st.binary(max_size=200), st.integers(0, 63), st.booleans())
def test_libsodium_and_openssl_agree_on_every_signature(data: bytes, place: int, tampered: bool) -> None:
    key = SigningKey.generate()
    signature = bytearray(key.sign(data))
    if tampered:
        signature[place] ^= 1
    openssl = load_pem_public_key(key.public.pem.encode())
    assert isinstance(openssl, Ed25519PublicKey)
    try:
        openssl.verify(bytes(signature), data)
        accepted = True
    except InvalidSignature:
        accepted = False
    assert key.public.verifies(bytes(signature), data) is accepted is not tampered


def test_a_signature_of_the_wrong_length_is_no_signature() -> None:
    key = SigningKey.generate()
    assert key.public.verifies(key.sign(b"x"), b"x")
    for wrong in (b"", key.sign(b"x")[:-1], key.sign(b"x") + b"\0"):
        assert not key.public.verifies(wrong, b"x")
    whole = key.sign(b"x")
    assert not key.public.verifies(whole[:63], whole[63:] + b"x")


def test_a_key_of_small_order_verifies_nothing() -> None:
    # The neutral element: for it, OpenSSL accepts one signature for any message.
    point = (1).to_bytes(32, "little")
    pem = Ed25519PublicKey.from_public_bytes(point).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    public = PublicKey.from_pem(pem)
    assert not public.verifies(point + bytes(32), b"any message")
