from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import LedgerError, TamperError
from assay.core.evidence import ALIAS, APPROVAL, NOT_APPLICABLE, REPORT, VERDICT
from assay.ledger import EntryKind, Keyring, Ledger, SigningKey, TreeHead, merkle, open_head
from assay.ledger.entry import leaf_bytes

Make = Callable[..., bytes]


def test_an_append_is_acknowledged_with_its_place_in_the_tree(ledger: Ledger, make: Make) -> None:
    first = ledger.append(EntryKind.EVIDENCE, make("1" * 64))
    second = ledger.append(EntryKind.EVIDENCE, make("2" * 64))
    assert (first.index, first.size, second.index, second.size) == (0, 1, 1, 2)
    assert first.root == first.leaf_hash
    assert second.root == merkle.node_hash(first.leaf_hash, second.leaf_hash)
    assert ledger.head() == TreeHead(2, second.root)


def test_entries_come_back_as_they_went_in(ledger: Ledger, make: Make) -> None:
    envelopes = [make(f"{number:064x}") for number in range(5)]
    receipts = ledger.append_many((EntryKind.EVIDENCE, envelope) for envelope in envelopes)
    assert [receipt.index for receipt in receipts] == [0, 1, 2, 3, 4]
    assert {receipt.size for receipt in receipts} == {5}
    entry = ledger.get(3)
    assert (entry.index, entry.kind, entry.envelope) == (3, EntryKind.EVIDENCE, envelopes[3])
    assert entry.appended_at == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert merkle.leaf_hash(entry.leaf_bytes) == receipts[3].leaf_hash
    assert [found.envelope for found in ledger.entries()] == envelopes
    assert ledger.append_many([]) == []


def test_entries_are_found_by_kind_subject_and_candidate(ledger: Ledger, make: Make) -> None:
    model, candidate = "a" * 64, "c" * 64
    ledger.append(EntryKind.EVIDENCE, make(model, candidate=candidate))
    ledger.append(EntryKind.EVIDENCE, make("b" * 64))
    ledger.append(EntryKind.VERDICT, make(model, predicate_type=VERDICT, assay={"candidate": candidate}))
    ledger.append(EntryKind.APPROVAL, make("b" * 64, predicate_type=APPROVAL))

    def indexes(**wanted: object) -> list[int]:
        return [entry.index for entry in ledger.entries(**wanted)]  # type: ignore[arg-type]

    assert indexes(subject=candidate) == [0, 2]
    assert indexes(subject=f"sha256:{model.upper()}") == [0, 2]
    assert indexes(subject=candidate, kind=EntryKind.VERDICT) == [2]
    assert indexes(kind=EntryKind.EVIDENCE, newest_first=True) == [1, 0]
    assert indexes(newest_first=True, limit=3) == [3, 2, 1]
    assert indexes(subject="d" * 64) == []
    assert indexes(limit=0) == []
    with pytest.raises(LedgerError, match="not a SHA-256"):
        ledger.entries(subject="latest")


@pytest.mark.parametrize("newest_first", [False, True])
def test_listings_longer_than_a_page_are_whole(ledger: Ledger, make: Make, *, newest_first: bool) -> None:
    envelope = make("e" * 64)
    ledger.append_many([(EntryKind.EVIDENCE, envelope)] * 600)
    expected = list(range(600))[:: -1 if newest_first else 1]
    for subject in (None, "e" * 64):
        found = [entry.index for entry in ledger.entries(subject=subject, newest_first=newest_first)]
        assert found == expected
        capped = ledger.entries(subject=subject, newest_first=newest_first, limit=300)
        assert [entry.index for entry in capped] == expected[:300]


def test_a_listing_does_not_chase_what_is_appended_meanwhile(ledger: Ledger, make: Make) -> None:
    ledger.append_many([(EntryKind.EVIDENCE, make())] * 300)
    seen = []
    for entry in ledger.entries():
        seen.append(entry.index)
        if entry.index % 100 == 0:
            ledger.append(EntryKind.EVIDENCE, make())
    assert seen == list(range(300))


@pytest.mark.parametrize(
    ("kind", "predicate_type", "fits"),
    [
        (EntryKind.APPROVAL, APPROVAL, True),
        (EntryKind.APPROVAL, REPORT, False),
        (EntryKind.VERDICT, VERDICT, True),
        (EntryKind.VERDICT, APPROVAL, False),
        (EntryKind.PROMOTION, ALIAS, True),
        (EntryKind.ROLLBACK, ALIAS, True),
        (EntryKind.PROMOTION, REPORT, False),
        (EntryKind.NOT_APPLICABLE, NOT_APPLICABLE, True),
        (EntryKind.EVIDENCE, APPROVAL, False),
        (EntryKind.EVIDENCE, "https://example.com/anything/v1", True),
        (EntryKind.EXCEPTION, "https://example.com/exception/v1", True),
    ],
)
def test_a_statement_can_only_be_logged_as_what_it_is(
    ledger: Ledger, make: Make, kind: EntryKind, predicate_type: str, *, fits: bool
) -> None:
    envelope = make(predicate_type=predicate_type)
    if fits:
        assert ledger.append(kind, envelope).index == 0
    else:
        with pytest.raises(LedgerError, match=r"holds a statement of type|cannot be logged as"):
            ledger.append(kind, envelope)
        assert ledger.head().size == 0


def test_what_is_not_a_statement_is_not_logged_and_nor_is_its_batch(ledger: Ledger, make: Make) -> None:
    with pytest.raises(TamperError):
        ledger.append_many([(EntryKind.EVIDENCE, make()), (EntryKind.EVIDENCE, b'{"payload":""}')])
    assert ledger.head().size == 0


def test_what_does_not_exist_is_named(ledger: Ledger, make: Make) -> None:
    ledger.append(EntryKind.EVIDENCE, make())
    for index in (1, -1, 10**30):
        with pytest.raises(LedgerError, match=f"there is no entry {index}") as caught:
            ledger.get(index)
        assert caught.value.remedy == "The ledger holds 1 entries."
    with pytest.raises(LedgerError, match="a tree of 1 has no leaf 1"):
        ledger.inclusion_proof(1)
    with pytest.raises(LedgerError, match="the tree has 1 leaves, not 2"):
        ledger.inclusion_proof(0, 2)
    with pytest.raises(LedgerError, match="has no earlier tree of 2"):
        ledger.consistency_proof(2)


def test_proofs_hold_across_the_life_of_a_ledger(ledger: Ledger, make: Make) -> None:
    roots, leaves = [merkle.EMPTY_ROOT], []
    for number in range(37):
        receipt = ledger.append(EntryKind.EVIDENCE, make(f"{number:064x}"))
        roots.append(receipt.root)
        leaves.append(receipt.leaf_hash)
    for size in range(1, 38):
        assert ledger.root_at(size) == roots[size]
        for index in range(0, size, 5):
            proof = ledger.inclusion_proof(index, size)
            assert merkle.verify_inclusion(leaves[index], index, size, proof, roots[size])
        for old in range(0, size, 4):
            proof = ledger.consistency_proof(old, size)
            assert merkle.verify_consistency(old, size, roots[old], roots[size], proof)


def test_a_signed_head_is_an_anchor_of_this_ledger_only(
    ledger: Ledger, make: Make, key: SigningKey, ring: Keyring, tmp_path: Path
) -> None:
    receipt = ledger.append(EntryKind.EVIDENCE, make())
    signed = ledger.signed_head(key)
    assert open_head(signed, ring, ledger.origin) == TreeHead(1, receipt.root)
    with pytest.raises(TamperError, match="not trusted"):
        open_head(signed, Keyring.of(SigningKey.generate()), ledger.origin)
    with pytest.raises(TamperError, match="not a signed tree head"):
        open_head(make(), ring, ledger.origin)
    with (
        Ledger.open(tmp_path / "other.db") as other,
        pytest.raises(TamperError, match="the head of another ledger"),
    ):
        open_head(signed, ring, other.origin)


def test_times_never_run_backwards(tmp_path: Path, make: Make) -> None:
    moments = iter([datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)])
    with Ledger.open(tmp_path / "l.db", clock=lambda: next(moments)) as first:
        first.append(EntryKind.EVIDENCE, make())
        first.append(EntryKind.EVIDENCE, make())
    earlier = datetime(2025, 1, 1, tzinfo=UTC)
    with Ledger.open(tmp_path / "l.db", clock=lambda: earlier) as second:
        second.append(EntryKind.EVIDENCE, make())
        assert {entry.appended_at for entry in second.entries()} == {datetime(2026, 5, 1, tzinfo=UTC)}


def test_two_ledgers_on_one_file_see_each_other(tmp_path: Path, make: Make, ring: Keyring) -> None:
    with Ledger.open(tmp_path / "l.db") as one, Ledger.open(f"sqlite:///{tmp_path}/l.db") as two:
        for _ in range(5):
            one.append(EntryKind.EVIDENCE, make())
            two.append_many([(EntryKind.EVIDENCE, make())] * 2)
        assert one.head() == two.head()
        assert one.head().size == 15
        assert one.verify(ring).problems == ()


@given(st.integers(0, 2**53 - 1), st.sampled_from(EntryKind), st.integers(0, 2**52), st.binary(max_size=40))
def test_leaf_bytes_are_canonical_json(index: int, kind: EntryKind, moment: int, envelope: bytes) -> None:
    written = leaf_bytes(index, kind, moment, envelope)
    document = json.loads(written)
    assert rfc8785.dumps(document) == written
    assert (document["index"], document["kind"], document["appendedAt"]) == (index, kind, moment)


def test_a_leaf_says_when_to_the_microsecond(ledger: Ledger, make: Make) -> None:
    ledger.append(EntryKind.EVIDENCE, make())
    entry = ledger.get(0)
    micro = (entry.appended_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert json.loads(entry.leaf_bytes)["appendedAt"] == micro


def test_importing_the_package_loads_neither_the_database_nor_the_cryptography() -> None:
    heavy = {"sqlalchemy", "cryptography", "securesystemslib"}
    script = f"import sys, assay.ledger.entry; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_public_name_is_there() -> None:
    import assay.ledger as face  # noqa: PLC0415  looked at as a module

    assert {name for name in face.__all__ if getattr(face, name, None) is None} == set()
    assert dir(face) == sorted(face.__all__)
    with pytest.raises(AttributeError):
        face.nothing  # noqa: B018
