"""`artifact.signature` on Sigstore bundles whose log entry proves less than it should."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.core.report import Status
from assay.ledger.merkle import leaf_hash, root_of
from fixtures.local_sigstore import LocalSigstore, Signed, made
from fixtures.local_sigstore.transparency_log import TransparencyLog
from fixtures.signed_models import found, signed

Spoil = Callable[[dict[str, Any]], None]


def test_a_logged_certificate_counts_only_while_it_was_valid(
    model: Path, tmp_path: Path, stranger: LocalSigstore
) -> None:
    stranger.log.late = timedelta(minutes=9)
    in_time = made(stranger, tmp_path / "in time")
    signed(model, in_time.document())
    assert in_time.check(model).status is Status.PASS
    for late in (timedelta(minutes=11), timedelta(days=2), -timedelta(minutes=1)):
        stranger.log.late = late
        signed(model, made(stranger, tmp_path / "late").document())
        assert found(in_time.check(model)) == [("invalid", "critical", "model.sig")], late


def test_a_time_stamp_counts_beside_the_logs_own_time_and_without_it(model: Path, tmp_path: Path) -> None:
    with LocalSigstore(stamps=True) as instance:
        one = made(instance, tmp_path / "trust")
    assert one.document()["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    signed(model, one.document())
    assert one.check(model).status is Status.PASS
    promised = one.document()
    _no_promise(promised)
    signed(model, promised)
    assert one.check(model).status is Status.PASS


def test_a_time_stamp_outside_the_certificates_time_does_not_count(model: Path, tmp_path: Path) -> None:
    with LocalSigstore(stamps=True) as instance:
        assert instance.stamper is not None
        instance.stamper.late = timedelta(minutes=11)
        late = made(instance, tmp_path / "trust")
    signed(model, late.document())
    assert found(late.check(model)) == [("invalid", "critical", "model.sig")]


def test_the_time_stamp_of_another_authority_or_signature_does_not_count(model: Path, tmp_path: Path) -> None:
    with LocalSigstore(stamps=True) as instance, LocalSigstore(stamps=True) as other:
        one, second = made(instance, tmp_path / "trust"), made(instance, tmp_path / "second")
        theirs = made(other, tmp_path / "other")
    for source in (second, theirs):
        document = one.document()
        _no_promise(document)
        stamps = source.document()["verificationMaterial"]["timestampVerificationData"]
        document["verificationMaterial"]["timestampVerificationData"] = stamps
        signed(model, document)
        assert found(one.check(model)) == [("invalid", "critical", "model.sig")]


def _entry(document: dict[str, Any]) -> dict[str, Any]:
    (entry,) = document["verificationMaterial"]["tlogEntries"]
    assert isinstance(entry, dict)
    return entry


def _proof(document: dict[str, Any]) -> dict[str, Any]:
    proof = _entry(document)["inclusionProof"]
    assert isinstance(proof, dict)
    return proof


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _no_entry(document: dict[str, Any]) -> None:
    document["verificationMaterial"]["tlogEntries"] = []


def _two_entries(document: dict[str, Any]) -> None:
    document["verificationMaterial"]["tlogEntries"] *= 2


def _no_proof(document: dict[str, Any]) -> None:
    del _entry(document)["inclusionProof"]


def _no_checkpoint(document: dict[str, Any]) -> None:
    del _proof(document)["checkpoint"]


def _no_promise(document: dict[str, Any]) -> None:
    del _entry(document)["inclusionPromise"]


def _shorter_proof(document: dict[str, Any]) -> None:
    _proof(document)["hashes"].pop()


def _other_hash(document: dict[str, Any]) -> None:
    _proof(document)["hashes"][0] = _text(bytes(32))


def _other_place(document: dict[str, Any]) -> None:
    _proof(document)["logIndex"] = "0"


def _tree_of_its_own(document: dict[str, Any]) -> None:
    leaf = leaf_hash(base64.b64decode(_entry(document)["canonicalizedBody"]))
    _proof(document).update(logIndex="0", treeSize="1", hashes=[], rootHash=_text(root_of([leaf])))


def _checkpoint_by_another_log(document: dict[str, Any]) -> None:
    _tree_of_its_own(document)
    root = base64.b64decode(_proof(document)["rootHash"])
    _proof(document)["checkpoint"]["envelope"] = TransparencyLog().checkpoint(1, root)


def _unsigned_checkpoint(document: dict[str, Any]) -> None:
    checkpoint = _proof(document)["checkpoint"]
    checkpoint["envelope"] = checkpoint["envelope"].partition("\n\n")[0] + "\n\n"


def _other_time(document: dict[str, Any]) -> None:
    _entry(document)["integratedTime"] = str(int(_entry(document)["integratedTime"]) + 1)


def _forged_promise(document: dict[str, Any]) -> None:
    _entry(document)["inclusionPromise"]["signedEntryTimestamp"] = _text(b"0" * 70)


def _other_signature(document: dict[str, Any]) -> None:
    document["dsseEnvelope"]["signatures"][0]["sig"] = _text(b"0" * 70)


def _a_time_beyond_all_calendars(document: dict[str, Any]) -> None:
    _entry(document)["integratedTime"] = str(2**62)


@pytest.mark.parametrize(
    "spoil",
    [
        _no_entry,
        _two_entries,
        _no_proof,
        _no_checkpoint,
        _no_promise,
        _shorter_proof,
        _other_hash,
        _other_place,
        _tree_of_its_own,
        _checkpoint_by_another_log,
        _unsigned_checkpoint,
        _other_time,
        _forged_promise,
        _other_signature,
        _a_time_beyond_all_calendars,
    ],
)
def test_what_the_log_does_not_prove_does_not_count(model: Path, sigstore: Signed, spoil: Spoil) -> None:
    document = sigstore.document()
    spoil(document)
    signed(model, document)
    report = sigstore.check(model)
    assert report.status is Status.FAIL
    assert found(report) == [("invalid", "critical", "model.sig")]
    assert report.metrics["verified"] is False


@pytest.mark.parametrize("part", ["tlogEntries", "certificate", "dsseEnvelope"])
def test_parts_of_two_bundles_do_not_make_one(
    model: Path, tmp_path: Path, sigstore: Signed, part: str
) -> None:
    document = sigstore.document()
    other = made(sigstore.instance, tmp_path / "other").document()
    whole = document if part == "dsseEnvelope" else document["verificationMaterial"]
    whole[part] = (other if part == "dsseEnvelope" else other["verificationMaterial"])[part]
    signed(model, document)
    assert found(sigstore.check(model)) == [("invalid", "critical", "model.sig")]
    signed(model, other)
    assert sigstore.check(model).status is Status.PASS


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in a document."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*path, key))


# What says nothing that is not said elsewhere too: empty lists, and names that nobody goes by.
_IDLE = {"timestampVerificationData", "rfc3161Timestamps", "keyid"}


@pytest.mark.parametrize("value", [None, "", "AAAA", "-1", 0, 2**70, [], {}, [[]], "\ud800", "\0"])
def test_no_changed_value_crashes_or_passes(model: Path, sigstore: Signed, value: Any) -> None:
    for place in _places(sigstore.document()):
        document = sigstore.document()
        target: Any = document
        for key in place[:-1]:
            target = target[key]
        if target[place[-1]] == value or place[-1] in _IDLE:
            continue
        target[place[-1]] = value
        signed(model, document)
        assert sigstore.check(model).metrics["verified"] is False, place
