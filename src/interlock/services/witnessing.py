"""A witness: cosigns a checkpoint once it is shown to continue the one it cosigned before, and never two that fork.

1. The request is read and held against what was cosigned last. *A refusal changes nothing but what is kept as evidence.*
2. What is to be cosigned is remembered, durably, if nobody was faster. *A crash leaves a checkpoint that nobody has a
   cosignature of: the log asks again, hears its size, and gets it.*
3. The cosignature is made and leaves.

The order of 2 and 3 is the promise: a cosignature that anybody holds is in the memory of who made it.
"""

import logging
from typing import Final, NamedTuple

from interlock.domain.note import NoteError, VerifyFunction, parse_checkpoint
from interlock.domain.witnessing import FORKED, SIZE_TYPE, Refusal, considered, parse_request
from interlock.ports.clock import Clock
from interlock.ports.steps import Steps
from interlock.ports.witness import Cosigner, Memory

TEXT: Final = "text/plain; charset=utf-8"
ROUNDS: Final = 20
UNSHOWN: Final = "a checkpoint came without proof that it continues the one before"

_log = logging.getLogger("interlock.witness")


class Answer(NamedTuple):
    """What is said to a log, in HTTP's words."""

    status: int
    kind: str
    body: bytes


class Witnessing:
    """One witness. Any number of processes may be it, on one memory."""

    def __init__(
        self, *, memory: Memory, cosigner: Cosigner, verify: VerifyFunction, clock: Clock, steps: Steps
    ) -> None:
        self._memory = memory
        self._cosigner = cosigner
        self._verify = verify
        self._clock = clock
        self._steps = steps

    def add_checkpoint(self, data: bytes) -> Answer:
        """Answer a request of C2SP tlog-witness. Raises StoreErrors: then nothing is cosigned."""
        try:
            request = parse_request(data)
            origin = parse_checkpoint(request.note.text).origin
        except NoteError as error:
            return _said(400, str(error))
        note = request.note.encode()
        for _ in range(ROUNDS):
            latest = self._memory.latest(origin)
            found = considered(request, self._memory.log_keys(origin), latest, self._verify)
            at_s = self._clock.now() // 1000
            if isinstance(found, Refusal):
                if found.evidence:
                    self._memory.keep(note, self._memory.note(origin), found.said, at_s)
                    _log.warning("%s: %s", origin, found.said if found.said == FORKED else UNSHOWN)
                return _refused(found)
            if found != latest and not self._memory.advance(latest, found, note, at_s):
                continue
            self._steps.reached("witness.remembered")
            return Answer(200, TEXT, self._cosigner.cosign(found, at_s))
        return _said(503, "others are faster; ask again")


def _refused(refusal: Refusal) -> Answer:
    if refusal.size is not None:
        return Answer(refusal.status, SIZE_TYPE, f"{refusal.size}\n".encode())
    return _said(refusal.status, refusal.said)


def _said(status: int, words: str) -> Answer:
    return Answer(status, TEXT, f"{words}\n".encode())
