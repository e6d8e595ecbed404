"""Keys that can be forgotten one by one without being stored one by one: a binary tree of secrets.

A block of 1,024 keys hangs from one random secret. The two children of a node are the halves of BLAKE2b keyed with it, so a
node gives every key below it and nothing above or beside it. To forget a key is to put, in the place of the node above it,
the siblings along the way down: what is left gives every other key and can no longer give this one. (Goldreich,
Goldwasser and Micali, 1986; puncturing as Boneh and Waters, 2013, describe it.)

A number names a key for ever: its block, chosen at random, and its place in it.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

LEVELS: Final = 10
PER_BLOCK: Final = 1 << LEVELS
"""How many keys hang from one secret."""
SECRET_BYTES: Final = 32
BLOCK_BITS: Final = 48

_CHILDREN: Final = b"interlock tree"
_NODE_BYTES: Final = 3 + SECRET_BYTES


class Node(NamedTuple):
    """A secret of the tree: how far below the top it stands, and how many stand to its left there."""

    level: int
    place: int
    secret: bytes


Cover = tuple[Node, ...]
"""The nodes that together give every key of a block that was not forgotten, and no other; from left to right."""


def number_of(block: int, place: int) -> int:
    """The number of a key."""
    return block << LEVELS | place


def block_of(number: int) -> int:
    """The block that a number is of."""
    return number >> LEVELS


def place_in(number: int) -> int:
    """The place in its block that a number is of."""
    return number & (PER_BLOCK - 1)


def whole(secret: bytes) -> Cover:
    """A block of which nothing was forgotten."""
    return (Node(0, 0, secret),)


def key_at(cover: Cover, place: int) -> bytes | None:
    """The key at `place`, or None where it was forgotten."""
    for level, left, key in cover:
        below = LEVELS - level
        if place >> below == left:
            for bit in range(below - 1, -1, -1):
                key = _children(key)[place >> bit & 1]  # noqa: PLW2901  going down is what it is about
            return key
    return None


def without(cover: Cover, places: Iterable[int]) -> Cover:
    """The cover once the keys at `places` are forgotten. Forgetting twice is forgetting once."""
    gone = set(places)
    return tuple(left for node in cover for left in _without(node, gone))


def packed(cover: Cover) -> bytes:
    """The bytes to store: for each node its level, its place and its secret."""
    return b"".join(bytes((node.level,)) + node.place.to_bytes(2, "big") + node.secret for node in cover)


def unpacked(data: bytes) -> Cover:
    """The cover in `data`, or ValueError."""
    if len(data) % _NODE_BYTES:
        raise ValueError("a cover is a number of whole nodes")
    nodes: list[Node] = []
    for start in range(0, len(data), _NODE_BYTES):
        level, place = data[start], int.from_bytes(data[start + 1 : start + 3], "big")
        if level > LEVELS or place >> level:
            raise ValueError("a node stands outside its tree")
        nodes.append(Node(level, place, data[start + 3 : start + _NODE_BYTES]))
    return tuple(nodes)


def _without(node: Node, gone: set[int]) -> Iterator[Node]:
    below = LEVELS - node.level
    first = node.place << below
    inside = [place for place in gone if first <= place < first + (1 << below)]
    if not inside:
        yield node
    elif below:
        left, right = _children(node.secret)
        yield from _without(Node(node.level + 1, 2 * node.place, left), gone)
        yield from _without(Node(node.level + 1, 2 * node.place + 1, right), gone)


def _children(secret: bytes) -> tuple[bytes, bytes]:
    both = blake2b(key=secret, person=_CHILDREN).digest()
    return both[:SECRET_BYTES], both[SECRET_BYTES:]
