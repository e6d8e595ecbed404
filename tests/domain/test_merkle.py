"""The Merkle tree against its definition in RFC 6962, written out here a second time as plainly as it stands there."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)

EXHAUSTIVE = 70


@cache
def leaf(index: int) -> bytes:
    """Give the leaf hash of the entry that spells its index."""
    return sha256(b"\x00" + str(index).encode()).digest()


@cache
def mth(start: int, end: int) -> bytes:
    """MTH of RFC 6962, section 2.1, over the leaves from `start` up to `end`."""
    count = end - start
    if count == 0:
        return sha256(b"").digest()
    if count == 1:
        return leaf(start)
    k = largest_power_below(count)
    return sha256(b"\x01" + mth(start, start + k) + mth(start + k, end)).digest()


def path(m: int, start: int, end: int) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1."""
    count = end - start
    if count == 1:
        return []
    k = largest_power_below(count)
    if m < k:
        return [*path(m, start, start + k), mth(start + k, end)]
    return [*path(m - k, start + k, end), mth(start, start + k)]


def subproof(m: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2; PROOF is the one over the whole tree."""
    count = end - start
    if m == count:
        return [] if whole else [mth(start, end)]
    k = largest_power_below(count)
    if m <= k:
        return [*subproof(m, start, start + k, whole=whole), mth(start + k, end)]
    return [*subproof(m - k, start + k, end, whole=False), mth(start, start + k)]


def largest_power_below(count: int) -> int:
    """Give the largest power of two smaller than `count`."""
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def hash_at(level: int, index: int) -> bytes:
    """Give a complete node by the definition."""
    return mth(index << level, (index + 1) << level)


def broken(proof: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    """Give every proof that differs from `proof` in one hash, plus one with a hash more or less at either end."""
    other = sha256(b"other").digest()
    whole = tuple(proof)
    found = [(*whole[:i], other, *whole[i + 1 :]) for i in range(len(whole))]
    found += [(*whole, other), (other, *whole)]
    if whole:
        found += [whole[1:], whole[:-1]]
    return found


# The test vectors of the reference implementation of Certificate Transparency.
CT_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
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


@pytest.mark.proves("log.tree_is_rfc6962")
def test_roots_are_those_of_certificate_transparency() -> None:
    """Trees of 0 to 8 published entries have their published roots."""
    hashes = [leaf_hash(bytes.fromhex(entry)) for entry in CT_ENTRIES]

    assert [root_of(hashes[:size]).hex() for size in range(len(CT_ROOTS))] == CT_ROOTS


@pytest.mark.proves("log.tree_is_rfc6962")
def test_every_small_tree_has_the_defined_root() -> None:
    """Appended leaf by leaf, the root is the defined one at every size."""
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    for size in range(1, EXHAUSTIVE + 1):
        frontier = frontier.append([leaf(size - 1)])

        assert frontier.size == size
        assert frontier.root() == mth(0, size)


@given(st.lists(st.integers(0, 40), max_size=8))
def test_appending_in_parts_is_appending_at_once(counts: list[int]) -> None:
    """However a log was cut into commits, its right edge is the same."""
    frontier = Frontier()
    for count in counts:
        frontier = frontier.append(leaf(frontier.size + i) for i in range(count))

    assert frontier == Frontier().append(map(leaf, range(sum(counts))))
    assert frontier.root() == mth(0, sum(counts))


def test_appending_leaves_the_old_edge_as_it_was() -> None:
    """An edge is a value: who still holds it, because a commit failed, can append to it again."""
    before = Frontier().append(map(leaf, range(5)))
    before.append([leaf(5)])

    assert before.root() == mth(0, 5)


@pytest.mark.parametrize(
    ("size", "peaks"),
    [(0, (bytes(32),)), (1, ()), (3, (bytes(32),)), (1, (bytes(31),)), (-1, (bytes(32),))],
)
def test_refuses_an_edge_that_no_tree_has(size: int, peaks: tuple[bytes, ...]) -> None:
    """A stored edge with the wrong number or length of hashes cannot be loaded."""
    with pytest.raises(ValueError, match="peak"):
        Frontier(size=size, peaks=peaks)


def test_refuses_a_leaf_hash_of_the_wrong_length() -> None:
    """What is appended is a hash, not an entry."""
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().append([b"an entry"])


@pytest.mark.proves("log.tree_is_rfc6962")
def test_every_small_inclusion_proof_is_the_defined_one_and_holds() -> None:
    """For every leaf of every tree up to size 70, the proof is PATH of RFC 6962 and is accepted."""
    for size in range(1, EXHAUSTIVE + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, hash_at)

            assert list(proof) == path(index, 0, size)
            check_inclusion(leaf(index), index, size, proof, mth(0, size))


def test_no_small_inclusion_proof_holds_for_anything_else() -> None:
    """A proof with another leaf, index, root, or a hash changed, added or left out is refused."""
    for size in range(1, 20):
        for index in range(size):
            root = mth(0, size)
            proof = inclusion_proof(index, size, hash_at)
            wrong: list[tuple[bytes, int, int, Sequence[bytes], bytes]] = [
                (leaf(size), index, size, proof, root),
                (leaf(index), index, size, proof, mth(0, size + 1)),
                *((leaf(index), other, size, proof, root) for other in range(size) if other != index),
                *((leaf(index), index, size, other, root) for other in broken(proof)),
            ]
            for attempt in wrong:
                with pytest.raises(ProofError):
                    check_inclusion(*attempt)


@pytest.mark.proves("log.tree_is_rfc6962")
def test_every_small_consistency_proof_is_the_defined_one_and_holds() -> None:
    """For every pair of sizes up to 70, the proof is PROOF of RFC 6962 and is accepted."""
    for new in range(1, EXHAUSTIVE + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, hash_at)

            assert list(proof) == subproof(old, 0, new, whole=True)
            check_consistency(old, new, mth(0, old), mth(0, new), proof)


@pytest.mark.proves("log.history_cannot_be_edited")
def test_no_small_consistency_proof_holds_for_anything_else() -> None:
    """A proof with another root on either side, or a hash changed, added or left out is refused."""
    other_root = sha256(b"other").digest()
    for new in range(1, 20):
        for old in range(1, new + 1):
            roots = mth(0, old), mth(0, new)
            proof = consistency_proof(old, new, hash_at)
            wrong: list[tuple[bytes, bytes, Sequence[bytes]]] = [
                (other_root, roots[1], proof),
                (roots[0], other_root, proof),
                *((*roots, other) for other in broken(proof)),
            ]
            for old_root, new_root, attempt in wrong:
                with pytest.raises(ProofError):
                    check_consistency(old, new, old_root, new_root, attempt)


def test_the_empty_tree_begins_every_tree() -> None:
    """Nothing needs proof from the empty tree on, but its root must be the empty root."""
    assert consistency_proof(0, 7, hash_at) == ()
    check_consistency(0, 7, EMPTY_ROOT, mth(0, 7), ())
    with pytest.raises(ProofError):
        check_consistency(0, 7, mth(0, 1), mth(0, 7), ())


@pytest.mark.proves("log.history_cannot_be_edited")
def test_one_size_has_one_root() -> None:
    """Two roots for the same size are a fork, not a continuation."""
    check_consistency(7, 7, mth(0, 7), mth(0, 7), ())
    with pytest.raises(ProofError):
        check_consistency(7, 7, mth(0, 7), mth(1, 8), ())


@pytest.mark.proves("log.history_cannot_be_edited")
def test_an_edited_history_cannot_be_continued() -> None:
    """When an old entry is replaced, no proof the new tree can make fits the old root."""
    edited = [leaf(i) if i != 3 else leaf_hash(b"edited") for i in range(11)]

    def edited_at(level: int, index: int) -> bytes:
        return root_of(edited[index << level : (index + 1) << level])

    proof = consistency_proof(8, 11, edited_at)
    with pytest.raises(ProofError):
        check_consistency(8, 11, mth(0, 8), root_of(edited), proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3), (0, -1)])
def test_there_is_no_proof_outside_the_tree(index: int, size: int) -> None:
    """An index that the tree does not have is refused by both sides."""
    with pytest.raises(ProofError):
        inclusion_proof(index, size, hash_at)
    with pytest.raises(ProofError):
        check_inclusion(leaf(0), index, size, (), leaf(0))


def test_a_proof_cannot_climb_past_the_root() -> None:
    """A hash too many is refused even by a caller who was talked into the root that it leads to."""
    extra = leaf(9)
    with pytest.raises(ProofError):
        check_inclusion(leaf(0), 0, 1, (extra,), node_hash(extra, leaf(0)))
    proof = consistency_proof(3, 5, hash_at)
    with pytest.raises(ProofError):
        check_consistency(3, 5, node_hash(extra, mth(0, 3)), node_hash(extra, mth(0, 5)), (*proof, extra))


def test_proofs_are_made_of_hashes() -> None:
    """Bytes of any other length than a hash are refused, even where they would agree."""
    with pytest.raises(ProofError):
        check_inclusion(b"short", 0, 1, (), b"short")
    with pytest.raises(ProofError):
        check_consistency(1, 1, b"short", b"short", ())


@pytest.mark.proves("log.history_cannot_be_edited")
@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 3), (0, -1)])
def test_a_log_does_not_shrink(old: int, new: int) -> None:
    """A smaller tree never continues a larger one."""
    with pytest.raises(ProofError):
        consistency_proof(old, new, hash_at)
    with pytest.raises(ProofError):
        check_consistency(old, new, leaf(0), leaf(0), ())


def test_a_node_cannot_pass_for_a_leaf() -> None:
    """An entry made of two child hashes does not hash to their parent."""
    assert leaf_hash(leaf(0) + leaf(1)) != node_hash(leaf(0), leaf(1))


@given(st.integers(1, 3000), st.data())
def test_larger_proofs_hold_and_are_the_defined_ones(size: int, data: st.DataObject) -> None:
    """Beyond the sizes tried one by one, proofs are still those of RFC 6962 and still hold."""
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    inclusion = inclusion_proof(index, size, hash_at)
    consistency = consistency_proof(old, size, hash_at)

    assert list(inclusion) == path(index, 0, size)
    assert list(consistency) == subproof(old, 0, size, whole=True)
    check_inclusion(leaf(index), index, size, inclusion, mth(0, size))
    check_consistency(old, size, mth(0, old), mth(0, size), consistency)


@given(st.integers(1, 2**62), st.data())
def test_proofs_stay_short_for_any_size(size: int, data: st.DataObject) -> None:
    """A proof for a log of any size asks for few nodes, all of them complete, and is at most 63 hashes long."""
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))

    def complete(level: int, place: int) -> bytes:
        assert (place + 1) << level <= size
        return bytes(32)

    assert len(inclusion_proof(index, size, complete)) <= 63
    assert len(consistency_proof(old, size, complete)) <= 64


HASHES = st.binary(min_size=31, max_size=33) | st.sampled_from([leaf(0), mth(0, 2), mth(0, 3)])
INTEGERS = st.integers(-2, 2**70) | st.integers(-1, 9)


@pytest.mark.proves("log.parsers_closed")
@given(HASHES, INTEGERS, INTEGERS, st.lists(HASHES, max_size=8), HASHES)
def test_hostile_proofs_give_a_typed_error(first: bytes, low: int, high: int, proof: list[bytes], root: bytes) -> None:
    """Whatever numbers and hashes a stranger sends, a check returns or raises ProofError."""
    with suppress(ProofError):
        check_inclusion(first, low, high, proof, root)
    with suppress(ProofError):
        check_consistency(low, high, first, root, proof)
