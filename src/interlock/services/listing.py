"""The list of a log's erasures, to be kept outside of what it is the log of."""

from base64 import b64encode

from interlock.domain.erasure_list import ErasureList, Proven
from interlock.domain.errors import NotFound
from interlock.domain.evidence import Entry
from interlock.domain.keyring import ABOUT_KEYS
from interlock.domain.merkle import HashAt, inclusion_proof
from interlock.ports.log import Log
from interlock.services.inclusion import from_tiles
from interlock.services.showing import opened_as, unverified


async def erasure_list(log: Log) -> ErasureList:
    """Every erasure up to the log's head, proven. Raises NotFound where the log is empty, IntegrityError where it is damaged."""
    head = await log.head()
    if head is None:
        raise NotFound("the log is empty", next_step="bring something into force first: `interlock apply`")
    size = opened_as(head, unverified).size
    keys = [entry for entry in await log.marked(*ABOUT_KEYS) if entry.index < size]
    gone = [entry for entry in await log.marked("erased") if entry.index < size]

    def proofs(tree: HashAt) -> list[tuple[str, ...]]:
        found = (inclusion_proof(entry.index, size, tree) for entry in (*keys, *gone))
        return [tuple(b64encode(each).decode() for each in proof) for proof in found]

    proven = [_proven(*each) for each in zip((*keys, *gone), await from_tiles(log, size, proofs), strict=True)]
    return ErasureList(checkpoint=head, keys=tuple(proven[: len(keys)]), erasures=tuple(proven[len(keys) :]))


def _proven(entry: Entry, proof: tuple[str, ...]) -> Proven:
    return Proven(index=entry.index, leaf=entry.leaf, proof=proof)
