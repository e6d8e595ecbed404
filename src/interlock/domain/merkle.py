"""The RFC 6962 Merkle tree over SHA-256: its roots, its growing right edge and its two proofs.

A node is named by (level, index): level 0 holds the leaf hashes, and node (l, i) covers the leaves from i * 2^l up to
(i + 1) * 2^l. Only complete nodes have a name; a ragged right edge is folded from complete ones whenever it is needed,
because it changes with every leaf. Leaves and nodes are hashed under different first bytes (RFC 6962, section 2.1), so
that no node can be passed off as an entry.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

HashAt: TypeAlias = Callable[[int, int], bytes]
"""Gives the hash of the complete node (level, index)."""


class ProofError(ValueError):
    """A proof does not show what it was given for, or was asked for something outside its tree."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry into its leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into their parent."""
    return sha256(b"\x01" + left + right).digest()


class Frontier(msgspec.Struct, frozen=True, kw_only=True):
    """The right edge of a tree: all that is needed to append to it and to know its root.

    `peaks` are the roots of the complete subtrees the tree splits into, largest first: one for each bit set in `size`.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an edge that no tree has: it would go unnoticed until a proof fails."""
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of size {self.size} does not have {len(self.peaks)} peaks")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError(f"every peak is {HASH_BYTES} bytes long")

    def append(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """Give the edge after `leaf_hashes` were added in order."""
        size = self.size
        peaks = list(self.peaks)
        for added in leaf_hashes:
            node = added
            # Every set low bit of the size is a complete subtree waiting for exactly this right neighbour.
            waiting = size
            while waiting & 1:
                node = node_hash(peaks.pop(), node)
                waiting >>= 1
            peaks.append(node)
            size += 1
        return Frontier(size=size, peaks=tuple(peaks))

    def root(self) -> bytes:
        """Give the root hash of the tree."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Give the root of the tree that has exactly these leaves."""
    return Frontier().append(leaf_hashes).root()


def root_at(size: int, hash_at: HashAt) -> bytes:
    """Give the root of the first `size` leaves."""
    return _root_between(0, size, hash_at) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """Give the proof that leaf `index` is in the tree of `size` leaves, its sibling first (RFC 6962, section 2.1.1)."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of size {size}")
    start, end = 0, size
    siblings: list[tuple[int, int]] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    return tuple(_root_between(*sibling, hash_at) for sibling in reversed(siblings))


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return if `proof` shows the leaf hash at `index` of the tree of `size` leaves with this root, else ProofError.

    The steps are those of RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of size {size}")
    _check_lengths(leaf, root, *proof)
    place, last = index, size - 1
    node = leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the inclusion proof is too short")
    if node != root:
        raise ProofError("the inclusion proof leads to another root")


def consistency_proof(old: int, new: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """Give the proof that the tree of `new` leaves continues that of `old` leaves (RFC 6962, section 2.1.2).

    Between equal trees, and from the empty one, there is nothing to prove and the proof is empty.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of size {new} does not continue one of size {old}")
    if old in (0, new):
        return ()
    start, end = 0, new
    parts: list[tuple[int, int]] = []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((start, middle))
            start = middle
    if start:
        # Unless the old tree is itself one complete subtree from leaf 0, the verifier cannot know its last part.
        parts.append((start, end))
    return tuple(_root_between(*part, hash_at) for part in reversed(parts))


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return if `proof` shows that the new tree begins with the whole old one, else ProofError.

    The steps are those of RFC 9162, section 2.1.4.2.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of size {new} does not continue one of size {old}")
    _check_lengths(old_root, new_root, *proof)
    if old in (0, new):
        _check_trivial(old, new, old_root, new_root, proof)
        return
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        raise ProofError("the consistency proof is too short")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_node = new_node = hashes[0]
    for other in hashes[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if place & 1 or place == last:
            old_node = node_hash(other, old_node)
            new_node = node_hash(other, new_node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new_node = node_hash(new_node, other)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the consistency proof is too short")
    if old_node != old_root:
        raise ProofError("the consistency proof leads to another old root")
    if new_node != new_root:
        raise ProofError("the consistency proof leads to another new root")


def _check_trivial(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofError("the consistency proof is too long")
    if old == 0 and old_root != EMPTY_ROOT:
        raise ProofError("the old root is not that of the empty tree")
    if old == new and old_root != new_root:
        raise ProofError("two roots for one size")


def _check_lengths(*hashes: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofError(f"every hash of a proof is {HASH_BYTES} bytes long")


def _split(count: int) -> int:
    """Give the largest power of two smaller than `count`, which is at least 2: where RFC 6962 parts a tree."""
    return 1 << (count - 1).bit_length() - 1


def _root_between(start: int, end: int, hash_at: HashAt) -> bytes:
    """Give the root over the leaves from `start` up to `end`, a range that some split of a tree has made."""
    peaks: list[bytes] = []
    while start < end:
        # The start of such a range is a multiple of every power of two within it, so these nodes are complete.
        level = (end - start).bit_length() - 1
        peaks.append(hash_at(level, start >> level))
        start += 1 << level
    return _fold(peaks)


def _fold(peaks: Sequence[bytes]) -> bytes:
    """Join complete subtrees, largest first, into one root; there is at least one."""
    node = peaks[-1]
    for peak in peaks[-2::-1]:
        node = node_hash(peak, node)
    return node
