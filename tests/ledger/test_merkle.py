from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ledger import merkle

# The eight leaves of Certificate Transparency's reference tests, and the roots of trees over the first n.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, word for word, over entries."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = power_below(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = power_below(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = power_below(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def entries_of(size: int) -> list[bytes]:
    return [b"entry %d" % index for index in range(size)]


def reader(entries: Sequence[bytes]) -> merkle.NodeReader:
    nodes: dict[tuple[int, int], bytes] = {}
    frontier = merkle.Frontier()
    for index, entry in enumerate(entries):
        leaf = merkle.leaf_hash(entry)
        nodes[0, index] = leaf
        for level, node in frontier.append(leaf):
            nodes[level, index >> level] = node
    return lambda level, position: nodes[level, position]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    root = merkle.root_of(map(merkle.leaf_hash, CT_LEAVES[:size]))
    assert root.hex() == CT_ROOTS[size]


@pytest.mark.parametrize("size", range(66))
def test_every_proof_of_small_trees_is_that_of_the_recursive_definition(size: int) -> None:
    entries = entries_of(size)
    read, root = reader(entries), mth(entries)
    assert merkle.root_at(read, size) == root
    for index in range(size):
        proof = merkle.inclusion_proof(read, index, size)
        assert proof == path(index, entries)
        assert merkle.verify_inclusion(merkle.leaf_hash(entries[index]), index, size, proof, root)
    for old in range(1, size + 1):
        proof = merkle.consistency_proof(read, old, size)
        assert proof == subproof(old, entries, whole=True)
        assert merkle.verify_consistency(old, size, mth(entries[:old]), root, proof)


@given(st.integers(0, 400), st.data())
def test_a_frontier_continues_a_tree_where_another_left_it(size: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, size))
    leaves = [merkle.leaf_hash(entry) for entry in entries_of(size)]
    first = merkle.Frontier()
    for leaf in leaves[:cut]:
        first.append(leaf)
    second = merkle.Frontier(cut, first.hashes)
    for leaf in leaves[cut:]:
        second.append(leaf)
    assert second.root() == mth(entries_of(size))


@given(st.integers(1, 300), st.data())
def test_an_inclusion_proof_proves_nothing_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    entries = entries_of(size)
    read, root = reader(entries), mth(entries)
    leaf, proof = merkle.leaf_hash(entries[index]), merkle.inclusion_proof(read, index, size)
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index)) if size > 1 else size
    assert not merkle.verify_inclusion(leaf, other, size, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"forged"), index, size, proof, root)
    assert not merkle.verify_inclusion(leaf, index, size, [*proof, bytes(32)], root)
    assert not merkle.verify_inclusion(leaf, index, size, proof, bytes(32))
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        bent = [*proof[:place], merkle.node_hash(proof[place], b""), *proof[place + 1 :]]
        assert not merkle.verify_inclusion(leaf, index, size, bent, root)
        assert not merkle.verify_inclusion(leaf, index, size, proof[:-1], root)


@given(st.integers(2, 300), st.data())
def test_a_consistency_proof_refuses_a_rewritten_past(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    entries = entries_of(size)
    read, root = reader(entries), mth(entries)
    proof = merkle.consistency_proof(read, old, size)
    rewritten = [b"forged", *entries[1:old]]
    assert not merkle.verify_consistency(old, size, mth(rewritten), root, proof)
    assert not merkle.verify_consistency(old, size, mth(entries[:old]), bytes(32), proof)
    assert not merkle.verify_consistency(old, size, mth(entries[:old]), root, [*proof, bytes(32)])
    assert not merkle.verify_consistency(old, size, mth(entries[:old]), root, proof[:-1])


@pytest.mark.parametrize(
    ("old", "new", "proof", "holds"),
    [
        (0, 0, [], True),
        (0, 5, [], True),
        (5, 5, [], True),
        (5, 5, [bytes(32)], False),
        (0, 5, [bytes(32)], False),
        (4, 5, [], False),
        (3, 5, [], False),
        (6, 5, [], False),
        (-1, 5, [], False),
        (4, 5, [b"short"], False),
    ],
)
def test_edges_of_consistency(old: int, new: int, proof: list[bytes], *, holds: bool) -> None:
    old_root, new_root = mth(entries_of(max(old, 0))), mth(entries_of(new))
    assert merkle.verify_consistency(old, new, old_root, new_root, proof) is holds


def test_the_empty_tree_includes_nothing() -> None:
    assert not merkle.verify_inclusion(bytes(32), 0, 0, [], merkle.EMPTY_ROOT)
    with pytest.raises(ValueError, match="a tree of 0 has no leaf 0"):
        merkle.inclusion_proof(reader([]), 0, 0)
    with pytest.raises(ValueError, match="a tree of 2 has no earlier tree of 3"):
        merkle.consistency_proof(reader(entries_of(2)), 3, 2)


def test_a_leaf_cannot_pose_as_a_node() -> None:
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
    assert merkle.leaf_hash(b"\x01" + left + right) != merkle.node_hash(left, right)


def test_a_frontier_refuses_hashes_that_do_not_fit_its_size() -> None:
    with pytest.raises(ValueError, match="a tree of 3 has 2 complete subtrees, not 1"):
        merkle.Frontier(3, [bytes(32)])
