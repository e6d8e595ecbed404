"""Chains that were verified before, by the digest of their texts: so that a task's second call costs no signatures.

Kept is only what a text can never lose again: that its signatures, links and narrowing hold. Times, the keys that count,
revocation and the proof are asked of what is kept as of what is new. What did not verify is not kept: an attacker fills
nothing, and pushes out no more than others' next verification.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from interlock.domain.chain import Chain, Issuers, digest_of, verified
from interlock.domain.ids import Digest
from interlock.domain.jws import Verify

KEPT: Final = 1024
"""So many chains; about 5 kB each."""


class Chains:
    """Verifies chains, and remembers the last ones that were presented. For one thread."""

    def __init__(self, verify: Verify, kept: int = KEPT) -> None:
        self._verify = verify
        self._kept = kept
        self._known: OrderedDict[Digest, Chain] = OrderedDict()

    def verified(self, texts: Sequence[str], issuers: Issuers) -> Chain:
        """The chain that `texts` are. Raises TokenError; whether it counts now is for `Chain.refusal` to say."""
        digest = digest_of(texts)
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = verified(texts, issuers=issuers, verify=self._verify)
            if len(self._known) > self._kept:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(digest)
        return known
