"""Anchoring: the log's head is cosigned by witnesses, time-stamped where there is an authority, and written back.

1. Every witness is asked to cosign the head, with the proof from where it says it is. *Nothing was written.*
2. What they signed is checked and put under the checkpoint; fewer than the quorum is an error. *Nothing was written; what they
   cosigned they remember, and continue from at the next time.*
3. The authority stamps the cosigned checkpoint.
4. The anchor is recorded: the cosigned checkpoint, and the token. *A crash before leaves the log without it, and the next one
   covers the same entries.*

A witness that has seen more of this log than there is, or something else, is an alarm: `IntegrityError`.
"""

from base64 import b64decode
from typing import Final

import anyio
import msgspec

from interlock.domain.anchoring import anchored, note_of
from interlock.domain.change import Change
from interlock.domain.cosignature import CheckCosigner, cosignatures
from interlock.domain.errors import IntegrityError, InterlockError, NotFound, WitnessError
from interlock.domain.note import (
    Checkpoint,
    NoteError,
    Signature,
    SignedNote,
    parse_checkpoint,
    parse_note,
    parse_signature,
)
from interlock.domain.quorum import TrustPolicy, Witness
from interlock.domain.statement import observed
from interlock.domain.witnessing import Request
from interlock.ports.clock import Clock
from interlock.ports.cosigning import Stamper, Witnesses
from interlock.ports.log import Log
from interlock.ports.store import Store
from interlock.services.following import size_of
from interlock.services.inclusion import continuation

ROUNDS: Final = 5
"""How often a witness that is somewhere else than it said is asked again: others may be anchoring, too."""
PATIENCE_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 64 * 1024


class Anchored(msgspec.Struct, frozen=True, kw_only=True):
    """What was anchored."""

    size: int
    root: str
    cosigners: tuple[str, ...]
    stamped: bool
    note: str
    failed: tuple[str, ...] = ()
    """What witnesses said that did not cosign."""


class Anchoring:
    """One log's way to its witnesses."""

    def __init__(
        self,
        *,
        store: Store,
        log: Log,
        policy: TrustPolicy,
        witnesses: Witnesses,
        stamper: Stamper | None,
        check: CheckCosigner,
        clock: Clock,
        every_ms: int = 0,
    ) -> None:
        self._store = store
        self._log = log
        self._policy = policy
        self._witnesses = witnesses
        self._stamper = stamper
        self._check = check
        self._clock = clock
        self.every_ms = every_ms

    async def due_in(self) -> int | None:
        """In how many ms the next anchor is due, 0 if it is; None where nothing is to be anchored or nobody asked for it."""
        entries = await self._log.marked("anchored")
        head = await self._log.head()
        if not self.every_ms or head is None or self._nothing_new(head, entries[-1].index if entries else -1):
            return None
        last = observed(entries[-1].leaf) if entries else None
        return 0 if last is None else max(0, last + self.every_ms - self._clock.now())

    async def anchor(self) -> Anchored | None:
        """Have the head cosigned and stamped, and record it; None where nothing came since the last anchor.

        Raises NotFound for an empty log, WitnessError where the quorum is not met or the authority does not stamp,
        IntegrityError where a witness has seen another log, and what the store raises.
        """
        text = await self._log.head()
        if text is None:
            raise NotFound("the log is empty: there is nothing to anchor", next_step="bring something into force first")
        before = await self._log.marked("anchored")
        if self._nothing_new(text, before[-1].index if before else -1):
            return None
        note = parse_note(text.encode())
        head = parse_checkpoint(note.text)
        known = self._sizes(note_of(before[-1]) if before else None)
        lines: dict[str, Signature] = {}
        failed: list[str] = []
        alarms: list[IntegrityError] = []

        async def cosigned(witness: Witness) -> None:
            try:
                with anyio.fail_after(PATIENCE_S):
                    lines[witness.name] = await self._cosigned(witness, note, head, known.get(witness.name, 0))
            except IntegrityError as alarm:
                alarms.append(alarm)
            except TimeoutError:
                failed.append(f"{witness.name}: no answer in {PATIENCE_S:.0f} s")
            except InterlockError as error:
                failed.append(f"{witness.name}: {error.detail}")

        async with anyio.create_task_group() as group:
            for witness in self._policy.witnesses:
                group.start_soon(cosigned, witness)
        if alarms:
            raise alarms[0]
        signed = [each for each in self._policy.witnesses if each.name in lines]
        if not self._policy.met(each.key for each in signed):
            said = "; ".join(failed) or "there are none"
            raise WitnessError(f"{len(signed)} of {len(self._policy.witnesses)} witnesses cosigned, no quorum: {said}")
        under = tuple(lines[each.name] for each in signed)
        whole = msgspec.structs.replace(note, signatures=(*note.signatures, *under))
        token = None if self._stamper is None else await self._stamper.stamp(whole.encode())
        await self._store.commit(Change(facts=(anchored(whole, len(under), token, self._clock.now()),)))
        return Anchored(
            size=head.size,
            root=head.root.hex(),
            cosigners=tuple(each.key.name for each in signed),
            stamped=token is not None,
            note=whole.encode().decode(),
            failed=tuple(failed),
        )

    def _nothing_new(self, head: str, anchor: int) -> bool:
        """Whether the last anchor is the log's last entry: anchoring it would go on for ever."""
        return parse_checkpoint(parse_note(head.encode()).text).size == anchor + 1

    def _sizes(self, last: SignedNote | None) -> dict[str, int]:
        """Where each witness was at the last anchor: only a guess, which it corrects."""
        if last is None:
            return {}
        size = parse_checkpoint(last.text).size
        there = {(line.name, line.key_id) for line in last.signatures}
        return {each.name: size for each in self._policy.witnesses if (each.key.name, each.key.key_id()) in there}

    async def _cosigned(self, witness: Witness, note: SignedNote, head: Checkpoint, old: int) -> Signature:
        """The witness's signature under `note`, checked. `old` is where it is believed to be."""
        for _ in range(ROUNDS):
            proof = await self._proof(old, head)
            status, body = await self._witnesses.ask(witness, Request(old=old, proof=proof, note=note).encode())
            if len(body) > MAX_ANSWER_BYTES:
                raise WitnessError(f"its answer is longer than {MAX_ANSWER_BYTES} bytes")
            if status == 200:
                return self._signature(witness, note, body)
            if status == 422 and old:
                raise IntegrityError(
                    f"the witness `{witness.name}` has seen another log of {old} entries than this one begins with",
                    next_step="stop writing and keep everything; ask the witness for what it has: `interlock witness show`",
                )
            at = _size(body) if status == 409 else None
            if at is None:
                raise WitnessError(f"it answered {status}: {_words(body)}")
            if at > head.size:
                await self._must_have(witness, at)
                raise WitnessError(f"it is at {at} entries already: somebody else is anchoring")
            if at == old == head.size:
                raise IntegrityError(
                    f"the witness `{witness.name}` has cosigned another log of {at} entries",
                    next_step="stop writing and keep everything; compare its checkpoint with yours",
                )
            old = at
        raise WitnessError("it is somewhere else each time it is asked")

    async def _must_have(self, witness: Witness, size: int) -> None:
        """The log may have grown meanwhile. If it did not, its end is gone."""
        now = await size_of(self._log)
        if now < size:
            raise IntegrityError(
                f"the witness `{witness.name}` has seen {size} entries of this log, and there are {now}: its end is gone",
                next_step="stop writing; the store was put back, or cut: find the later copy",
            )

    async def _proof(self, old: int, head: Checkpoint) -> tuple[bytes, ...]:
        if not old:
            return ()
        found = await continuation(self._log, old, head)
        return tuple(b64decode(each) for each in found.hashes)

    def _signature(self, witness: Witness, note: SignedNote, body: bytes) -> Signature:
        try:
            given = [parse_signature(line) for line in body.decode().splitlines()]
            own = [each for each in given if (each.name, each.key_id) == (witness.key.name, witness.key.key_id())]
            under = msgspec.structs.replace(note, signatures=(*note.signatures, *own[:1]))
            if not own or not cosignatures(under, [witness.key], self._check):
                raise NoteError("its key is another")
        except (NoteError, UnicodeDecodeError) as error:
            raise WitnessError(f"what it answered is not its cosignature: {error}") from None
        return own[0]


def _size(body: bytes) -> int | None:
    digits = body.removesuffix(b"\n")
    return int(digits) if digits.isdigit() and len(digits) < 20 else None


def _words(body: bytes) -> str:
    return body[:200].decode(errors="replace").strip()
