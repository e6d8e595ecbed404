"""The agent's side of handing a task on: the tokens a process holds, and what it makes of them.

A process that acts in a task handed to it shows its chain with every call, and has it renewed at two thirds of its life. What it
hands on further it signs with its own key: `derive` asks nobody for that, and `delegate` has the task opened at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from interlock.domain.asking import token_call
from interlock.domain.canonical import CanonicalError
from interlock.domain.chain import Chain, unverified
from interlock.domain.duration import SECOND
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.fitting import Amount, Millis, fitted
from interlock.domain.handover import Handover, Opened, Work
from interlock.domain.ids import AgentName, ContractName, TaskId
from interlock.domain.jws import JwsError
from interlock.domain.minting import Holder, derived
from interlock.domain.selector import Selector
from interlock.domain.spiffe import SpiffeError, agent_of
from interlock.domain.task import Task
from interlock.domain.token import TokenError
from interlock.ports.plane import Plane
from interlock.sdk.giving import given_data, given_tools
from interlock.sdk.identity import Identity, Showing

Wanted = Mapping[Any, Mapping[str, object]]
"""What is handed on: by tool, or by a contract's name, what its arguments may be. An argument's `...` is anything, a value
that value, a list one of its values, a dict a constraint; a tool without any: whatever arguments."""

_INVITED: Final = "hand over what `client.invitation(...)` gives in the program that is to do the work"


class Handing(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says of a task it hands on."""

    agent: AgentName
    to: str
    purpose: str
    tools: Wanted
    data: Selector | None
    budgets: dict[str, int]
    lasts_ms: int | None
    prohibited: tuple[ContractName, ...]
    plan: str


def wanted_of(
    agent: object,
    to: object,
    purpose: object,
    tools: object,
    data: object,
    budgets: object,
    lasts_ms: object,
    prohibited: object,
    plan: object,
) -> Handing:
    """What a program says, if it is of the kinds it should be. Raises ContractError."""
    advice = "mend the call: `help(interlock.AsyncTask.delegate)` says what it takes"
    if not isinstance(tools, Mapping) or not tools:
        raise ContractError("`tools` names no tool", path="/tools", next_step=advice)
    return Handing(
        agent=AgentName(fitted(agent, str, "agent", advice)),
        to=fitted(to, str, "to", advice),
        purpose=fitted(purpose, str, "purpose", advice),
        tools=cast(Wanted, tools),
        data=None if data is None else given_data(fitted(data, Mapping[str, Sequence[str | int]], "data", advice)),
        budgets=dict(fitted({} if budgets is None else budgets, dict[str, Amount], "budgets", advice)),
        lasts_ms=fitted(lasts_ms, Millis | None, "lasts_ms", advice),
        prohibited=tuple(ContractName(each) for each in fitted(prohibited, tuple[str, ...], "prohibited", advice)),
        plan=fitted(plan, str, "plan", advice),
    )


class Tokens:
    """The tokens of one task in this process. Lives where its plane does."""

    def __init__(self, plane: Plane, identity: Identity, task: Task, texts: tuple[str, ...] = ()) -> None:
        self._plane = plane
        self._identity = identity
        self._task = task
        self._texts = texts
        self._chain: Chain | None = unverified(texts) if texts else None

    async def shown(self) -> Showing:
        """The chain to be shown with a call, renewed where its time comes to an end."""
        chain = await self.held()
        return Showing(self._texts, chain.leaf.jti)

    async def held(self) -> Chain:
        """The chain, renewed or obtained where need be."""
        chain, now = self._chain, self._identity.now()
        if chain is None or now >= (chain.leaf.iat + (chain.leaf.exp - chain.leaf.iat) * 2 // 3) * SECOND:
            try:
                text = await self._obtained()
            except NotAllowed:
                if chain is None:
                    raise
                # What is held may still count: the gate says, and records it.
                return chain
            self._texts, chain = (text,), unverified((text,))
            self._chain = chain
        return chain

    async def handed(self, wanted: Handing, *, opened: bool) -> str:
        """The text that hands on a part of this task. With `opened` its task is open when this returns."""
        chain = await self._identity.again(self.held)
        text, work = self._child(chain, wanted)
        chains = (*self._texts, text)
        handover = Handover(chain=chains, works=(*(None for _ in self._texts), work))
        if not opened:
            return handover.text
        leaf = unverified(chains).leaf
        asked = Opened(task=TaskId(leaf.task), agent=self._task.agent, chain=handover.chain, works=handover.works)
        showing = Showing(self._texts, chain.leaf.jti)

        async def opening() -> Task:
            call = asked.call((await self._plane.expected(self._task.agent)).audience)
            return await self._plane.open_chain(asked, await self._identity.shown(self._task.agent, call, showing))

        await self._identity.again(opening)
        return msgspec.structs.replace(handover, works=tuple(None for _ in chains)).text

    def _child(self, chain: Chain, wanted: Handing) -> tuple[str, Work]:
        """The token of the one to whom it is handed, and what its task is about."""
        held = self._identity.read(wanted.to, _INVITED)
        now = self._identity.now()
        try:
            agent = agent_of(held.sub, held.sub.removeprefix("spiffe://").partition("/")[0])
            if agent != wanted.agent:
                raise ContractError(
                    f"the invitation is of `{agent}`, not of `{wanted.agent}`",
                    path="/to",
                    next_step=f"hand it to `{agent}`, or to what `client.invitation('{wanted.agent}')` gives there",
                )
            ends_at = self._task.expires_at
            ends_at = ends_at if wanted.lasts_ms is None else min(ends_at, now + wanted.lasts_ms)
            work = Work(
                purpose=wanted.purpose,
                to=wanted.to,
                ends_at=ends_at,
                salt=self._identity.chance(),
                plan=wanted.plan,
                prohibited=wanted.prohibited,
                data=wanted.data,
            )
            text = derived(
                chain,
                Holder(agent=agent, key=held.cnf.jwk.public, release=held.release),
                given_tools(wanted.tools),
                task=self._identity.new(),
                jti=self._identity.new(),
                now=now,
                sign=self._identity.sign,
                lasts_ms=max(ends_at - now, 0),
                budgets=wanted.budgets,
                work=work.digest,
            )
        except TokenError as error:
            raise NotAllowed(
                f"this cannot be handed on: {error.detail}", next_step="hand on no more than the task itself was given"
            ) from None
        except (SpiffeError, JwsError, CanonicalError) as error:
            raise ContractError(f"this cannot be handed on: {error}", next_step=_INVITED) from None
        return text, work

    async def _obtained(self) -> str:
        call = token_call(self._task.id, (await self._plane.expected(self._task.agent)).audience)
        return await self._plane.token(self._task.id, await self._identity.shown(self._task.agent, call))
