"""The agent's side of identity: one key for each running program, and who it may act as, proven with every call.

The key is made when the program opens its client and lives in its memory alone. For each agent that the program opens
tasks for it obtains a credential, and the next one in good time: at two thirds of its life, or when another release is in
force. Nobody who writes an agent sees any of it.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar, cast

import msgspec

from interlock.domain.attesting import METHODS, Method
from interlock.domain.canonical import CanonicalError
from interlock.domain.credential import Credential, renew_at, unverified
from interlock.domain.duration import SECOND
from interlock.domain.enrolling import LOCAL, Enrolling, Expected
from interlock.domain.errors import ContractError, FileError, NotAllowed
from interlock.domain.ids import AgentName, Digest
from interlock.domain.jwk import jwk
from interlock.domain.jws import JwsError
from interlock.domain.possession import Call, prove
from interlock.domain.presented import MAX_BYTES, Presented, called
from interlock.domain.proposal import Proposal
from interlock.ports.clock import Clock, Ids
from interlock.ports.plane import Plane
from interlock.ports.possession import Possession
from interlock.sdk.patience import Patience
from interlock.sdk.together import Together

R = TypeVar("R")


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    claims: Credential


Shown = Callable[[AgentName], str]
"""Gives what a program is recognised by, as an agent. Asked anew each time: tokens on a disk are exchanged."""


def _nothing(agent: AgentName) -> str:
    del agent
    return ""


class Shows(NamedTuple):
    """How a program is to be recognised."""

    by: Method = LOCAL
    evidence: Shown = _nothing

    def __repr__(self) -> str:
        # The evidence may be a secret, and what holds it says so when it is shown.
        return f"Shows(by={self.by!r})"


def shows(attest: str, evidence: object) -> Shows:
    """What a program that opens a client says of that: the way, and a text, a file that holds one, or a function of an
    agent's name that gives one. Raises NotAllowed for what cannot be that."""
    by: Method | None = next((each for each in METHODS if each == attest), None)
    if by is None:
        raise NotAllowed(f"`{attest[:64]}` is no way to be recognised", next_step=f"one of {', '.join(METHODS)}")
    if evidence == "" and by != LOCAL:
        raise NotAllowed(
            f"a program that is recognised by `{by}` shows something for it, and nothing was given",
            next_step="give `evidence=`: a token, a `Path` that holds one, or a function of an agent's name",
        )
    if evidence != "" and by == LOCAL:
        raise NotAllowed(
            "`evidence` was given, and nothing says by what way this program is recognised",
            next_step="say it, such as `attest='bootstrap'`; or leave `evidence` away",
        )
    if isinstance(evidence, Path):
        return Shows(by, partial(_text_of, evidence))
    if isinstance(evidence, str):
        return Shows(by, partial(_as_given, evidence))
    if callable(evidence):
        return Shows(by, partial(_asked, cast("Callable[[str], object]", evidence)))
    raise NotAllowed(
        "what a program is recognised by is a text, a file or a function of an agent's name",
        next_step="`interlock.open(..., attest='oidc', evidence=Path('/var/run/token'))`",
    )


def _as_given(text: str, agent: AgentName) -> str:
    del agent
    return text


def _asked(ask: Callable[[str], object], agent: AgentName) -> str:
    return str(ask(agent))


def _text_of(file: Path, agent: AgentName) -> str:
    del agent
    try:
        with file.open("rb") as source:
            return source.read(MAX_BYTES + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileError(f"`{file}`, by which this program is to be recognised, cannot be read: {said}") from None


class Showing(NamedTuple):
    """The chain of task tokens to be shown with a call, and the id of its last."""

    chain: tuple[str, ...] = ()
    token: str = ""


NOTHING: Final = Showing()


class Identity:
    """Who a program is. Not for two event loops at once: it lives where its plane does."""

    def __init__(
        self,
        plane: Plane,
        key: Possession,
        clock: Clock,
        ids: Ids,
        shows: Shows = Shows(),  # noqa: B008  a value
        patience: Patience | None = None,
    ) -> None:
        self._shows = shows
        self._patience = patience
        self._plane = plane
        self._key = key
        self._jwk = jwk(key.public)
        self._clock = clock
        self._ids = ids
        self._held: dict[AgentName, _Held] = {}
        self._enrolling: Together[tuple[AgentName, Digest], _Held] = Together()

    @property
    def thumbprint(self) -> str:
        """By which this instance is known."""
        return self._jwk.thumbprint

    async def presented(self, proposal: Proposal, showing: Showing = NOTHING) -> Proposal:
        """`proposal` with what shows who makes it. Made anew for each call, since a proof counts once."""
        task = proposal.task
        expected = await self._plane.expected(task.agent)
        call = called(
            task.id,
            proposal.contract,
            proposal.arguments,
            proposal.idempotency_key,
            audience=expected.audience,
        )
        return msgspec.structs.replace(proposal, presented=await self._shown(task.agent, call, showing, expected))

    async def shown(self, agent: AgentName, call: Call, showing: Showing = NOTHING) -> Presented:
        """What shows that `call` is made by this instance, as `agent`."""
        return await self._shown(agent, call, showing, await self._plane.expected(agent))

    async def still(self, agent: AgentName, call: Callable[[str], Call]) -> Presented:
        """What shows that a call about something of this instance's own is made by it: by the credential it has while that
        counts, of whatever release, so that what was begun is ended also once the agent may act no more. `call` makes the call
        to the control plane it is given."""
        held = self._held.get(agent)
        if held is None or held.claims.exp * SECOND <= self._clock.now():
            held = await self._current(agent, await self._plane.expected(agent))
        return Presented(credential=held.text, proof=self._proof(call(held.claims.iss)))

    async def credential(self, agent: AgentName) -> str:
        """The credential by which this instance is `agent`. It is no secret: it is worth nothing without the key."""

        async def obtained() -> str:
            return (await self._current(agent, await self._plane.expected(agent))).text

        return await self.again(obtained)

    def read(self, credential: str, advice: str) -> Credential:
        """What somebody's credential says, which nobody verified here. Raises ContractError."""
        try:
            return unverified(credential)
        except JwsError:
            raise ContractError("that is no invitation", path="/to", next_step=advice) from None

    def sign(self, message: bytes) -> bytes:
        """Signed with the instance's key."""
        return self._key.sign(message)

    def now(self) -> int:
        """UTC ms."""
        return self._clock.now()

    async def pause(self, ms: int) -> None:
        """Let `ms` pass."""
        await self._clock.sleep(ms)

    def new(self) -> str:
        """An identifier that nobody else has."""
        return self._ids.new()

    def chance(self) -> str:
        """128 bits of it."""
        return self._ids.nonce()

    @property
    def patient(self) -> bool:
        """Whether calls that got lost on the way are made again."""
        return self._patience is not None

    async def again(
        self, attempt: Callable[[], Awaitable[R]], *, repeatable: bool = True, patience: Patience | None = None
    ) -> R:
        """`attempt`, which shows who makes it, made again where the network lost it; in the program's own process once."""
        patience = patience or self._patience
        if patience is None:
            return await attempt()
        return await patience.over(attempt, self._clock, self._ids, repeatable=repeatable)

    async def _shown(self, agent: AgentName, call: Call, showing: Showing, expected: Expected) -> Presented:
        held = await self._current(agent, expected)
        if showing.chain:
            call = msgspec.structs.replace(call, token=showing.token)
        return Presented(credential=held.text, proof=self._proof(call), chain=showing.chain)

    async def _current(self, agent: AgentName, expected: Expected) -> _Held:
        held = self._held.get(agent)
        if held is None or held.claims.release != expected.release or renew_at(held.claims) <= self._clock.now():
            wanted = (agent, expected.release)
            return await self._enrolling.one(wanted, lambda: self._enrolled(agent, held, expected))
        return held

    async def _enrolled(self, agent: AgentName, held: _Held | None, expected: Expected) -> _Held:
        """The next credential: by the one that is held while it counts, and attested anew once it does not."""
        counts = held is not None and self._clock.now() < held.claims.exp * SECOND
        if counts and held is not None:
            asked = Enrolling(agent=agent, jwk=self._jwk, credential=held.text)
        else:
            evidence = self._shows.evidence(agent)
            if self._shows.by == "bootstrap":
                # What `interlock identity token` printed, kept as it is: the secret, and below it until when it counts.
                evidence = evidence.strip().partition("\n")[0].rstrip()
            asked = Enrolling(agent=agent, jwk=self._jwk, by=self._shows.by, evidence=evidence)
        proof = self._proof(asked.call(expected.audience))
        text = await self._plane.enrol(msgspec.structs.replace(asked, proof=proof))
        found = self._held[agent] = _Held(text=text, claims=unverified(text))
        return found

    def _proof(self, call: Call) -> str:
        try:
            return self._prove(call)
        except CanonicalError:
            return self._prove(msgspec.structs.replace(call, arguments=None))

    def _prove(self, call: Call) -> str:
        return prove(call, jti=self._ids.new(), now=self._clock.now(), public=self._key.public, sign=self._key.sign)
