"""What one person sees of one action before deciding: put together from what is stored, by the rules of domain/.

That they saw it is recorded when they open it: the dossier stands behind a commitment of the log, and its digest with the word.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from interlock.domain.action import MEANING, Action
from interlock.domain.actor import Actor
from interlock.domain.agent import Agent
from interlock.domain.approval import Hold, Look, agreed, agreeing, look_of, roles_for
from interlock.domain.baseline import MEANS
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.contract import Contract
from interlock.domain.control import Control
from interlock.domain.diff import between, rows_of, text_of, unit_of
from interlock.domain.dossier import (
    VERBS,
    Asking,
    Dossier,
    May,
    Moment,
    Need,
    Said,
    Value,
    Verb,
    confidence_words,
    undo_of,
)
from interlock.domain.entitlement import able, entitled, handed_by, must_be_asked
from interlock.domain.errors import Conflict, InterlockError, NotAllowed, PolicyError
from interlock.domain.ids import ActionId, Digest, Person
from interlock.domain.naming_target import target_of
from interlock.domain.pace import Pace, warning
from interlock.domain.policy import Policy, Requirement
from interlock.domain.precedent import Precedents, precedents
from interlock.domain.record import plain
from interlock.domain.task import Task
from interlock.ports.clock import Clock
from interlock.ports.policies import Policies
from interlock.ports.store import Store
from interlock.services.explaining import Explaining
from interlock.services.figures import Figures
from interlock.services.glass import through_glass
from interlock.services.known_actions import stored_action
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder

LOOKED: Final = 200
"""How many of the newest cases of a contract that people ruled on are looked at for precedents."""
LONGEST_LINE: Final = 160
ROUNDS: Final = 20
_WAS_DONE: Final = frozenset({"done", "undoing", "undone", "undo_failed"})


class Dossiers:
    """Reads, and records who was shown what."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        policies: Policies,
        clock: Clock,
        figures: Figures,
        recorder: Recorder,
        explaining: Explaining | None = None,
    ) -> None:
        self._store = store
        self._orders = orders
        self._policies = policies
        self._clock = clock
        self._figures = figures
        self._recorder = recorder
        self._explaining = explaining

    async def of(self, action_id: ActionId, person: Person | None, *, session: str = "") -> Dossier:
        """Everything `person` sees of the action, whatever state it is in; None is somebody who only looks. `session` is where
        they look from, see `Approvals.approve`. Nothing is written. Raises NotFound."""
        return await self._made(await stored_action(self._store, action_id), person, session)

    async def open(self, action_id: ActionId, person: Person, *, session: str = "") -> Dossier:
        """The same, recorded as shown where `person` may decide on it now: their word will name its digest. What they were
        shown last is not recorded again."""
        for _ in range(ROUNDS):
            action = await stored_action(self._store, action_id)
            dossier = await self._made(action, person, session)
            asked = action.hold
            if asked is None or not dossier.may_do("approve"):
                return dossier
            before = look_of(asked, person)
            if before is not None and before.shown == dossier.shown:
                return dossier
            now = self._clock.now()
            look = Look(
                person=person,
                first_at=now if before is None else before.first_at,
                at=now,
                view=asked.view,
                shown=dossier.shown,
            )
            looks = (*(each for each in asked.looks if each.person != person), look)
            after = action.after("confer", hold=msgspec.structs.replace(asked, looks=looks))
            beside: dict[str, JsonValue] = {"viewer": person, "dossier": _kept(dossier)}
            try:
                await self._recorder.write(after, "shown", beside=beside)
            except Conflict:
                continue
            return dossier
        raise Conflict("the action kept changing while it was shown", kind=Action.kind, key=action_id)

    async def shown(self, action_id: ActionId, actor: Actor) -> Dossier:
        """What a surface shows to whoever asks: recorded as shown where they come with the permission to decide. A program that
        may only look leaves no look of its person."""
        if actor.may("decide"):
            return await self.open(action_id, actor.person, session=actor.session)
        return await self.of(action_id, actor.person, session=actor.session)

    async def _made(self, action: Action, person: Person | None, session: str) -> Dossier:
        orders = await self._orders.refresh()
        contract = await self._orders.contract(action.contract_digest) if action.contract_digest else None
        task = await self._store.get(Task, action.task)
        pace = await self._store.get(Pace, person) if person is not None and action.state == "held" else None
        near = None
        if contract is not None and action.hold is not None and not action.withheld:
            near = await self._precedents(action, contract)
        control = orders.control
        if person is not None and action.hold is not None and action.state == "held":
            wanted, now = action.hold.roles, self._clock.now()
            control = (await through_glass(self._store, person, control, wanted, now, session=session)).control
        dossier = msgspec.structs.replace(
            _dossier(action, contract, control, task, orders.agents.get(action.agent), person),
            policies=await self._asking(action),
            precedents=near,
            warning="" if pace is None else warning(pace.words, orders.control.routing.attention),
        )
        return msgspec.structs.replace(dossier, shown=shown_digest(dossier, action.nonce))

    async def _precedents(self, action: Action, contract: Contract) -> Precedents:
        near = await self._figures.near(action.contract, limit=LOOKED)
        found = [await self._store.get(Action, each) for each in near if each != action.id]
        decided = [each for each in found if each is not None]
        return precedents(action, contract, decided)

    async def _asking(self, action: Action) -> tuple[Asking, ...]:
        decision = action.decision
        if decision is None or action.withheld:
            return ()
        known = await self._known(decision.bundle)
        why = await self._why(action)
        found = [
            Asking(
                policy=name,
                reason=known[name].reason if name in known else "",
                owner=known[name].owner if name in known else "",
                why=why.get(name, ()),
            )
            for name in dict.fromkeys((*decision.because, *(need.policy for need in decision.requirements)))
        ]
        # Rules of ours say their reason with the decision, in the order in which they spoke.
        said = [each.reason for each in found]
        left = [reason for reason in decision.reasons if reason not in said]
        return tuple(
            msgspec.structs.replace(each, reason=left.pop(0)) if not each.reason and left else each for each in found
        )

    async def _known(self, bundle: Digest) -> Mapping[str, Policy]:
        stored = await self._store.get(Bundle, bundle) if bundle else None
        if stored is None:
            return {}
        try:
            return self._policies.load(stored).policies
        except PolicyError:
            return {}  # an older version's, which cannot be loaded any more: the decision's own words remain

    async def _why(self, action: Action) -> Mapping[str, tuple[str, ...]]:
        if self._explaining is None or action.decision is None:
            return {}
        try:
            found = await self._explaining.recorded(action, values=True)
        except InterlockError:
            return {}  # policies were not asked, or can be asked no more; what was decided then is told all the same
        return {each.policy: each.why for each in found.policies if each.policy in action.decision.because}


def shown_digest(dossier: Dossier, nonce: str) -> Digest:
    """What is kept with a word of what was shown. With the action's nonce: alone it could be guessed back."""
    return Digest(digest({"nonce": nonce, "dossier": _kept(dossier)}))


def _kept(dossier: Dossier) -> JsonValue:
    """A dossier as it stands in the log. The schema of the arguments is the contract's, whose digest is in it."""
    return plain(msgspec.structs.replace(dossier, shown=Digest(""), schema={}))


def line_of(action: Action, contract: Contract | None) -> str:
    """An action on one line: its contract and arguments."""
    said = [f"{name} {_worded(name, action.arguments, contract)}" for name in action.arguments]
    line = f"{action.contract}: {', '.join(said)}" if said else action.contract
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def _worded(name: str, values: Mapping[str, JsonValue], contract: Contract | None) -> str:
    return text_of(values[name], "" if contract is None else unit_of(contract, name, values))


def _dossier(
    action: Action,
    contract: Contract | None,
    control: Control,
    task: Task | None,
    agent: Agent | None,
    person: Person | None,
) -> Dossier:
    asked, decision = action.hold, action.decision
    held = action.state == "held" and asked is not None
    name, target = target_of(action, contract) if held and contract is not None else ("", "")
    return Dossier(
        action=action.id,
        line=line_of(action, contract),
        contract=action.contract,
        contract_digest=action.contract_digest,
        version="" if contract is None else contract.version,
        description="" if contract is None else contract.description,
        effect="" if contract is None else contract.effect,
        risk="" if contract is None else contract.risk,
        state=action.state,
        state_words=MEANING[action.state],
        proposed_at=action.proposed_at,
        withheld=action.withheld,
        agent=action.agent,
        agent_purpose="" if agent is None else agent.purpose,
        release=action.release,
        stage="" if action.asked is None else action.asked.stage,
        task=action.task,
        purpose="" if task is None else task.purpose,
        initiator=action.initiator,
        caller="" if action.caller is None else action.caller.instance,
        justification=action.justification,
        verdict="" if decision is None else decision.verdict,
        reasons=action.reasons if decision is None else decision.reasons,
        bundle=Digest("") if decision is None else decision.bundle,
        unusual=tuple(MEANS[each] for each in (action.asked.unusual if action.asked is not None else ())),
        confidence=action.confidence,
        confidence_words=confidence_words(action.confidence),
        kpi=action.kpi,
        arguments=_values(action.arguments, contract),
        facts=_values(action.facts, contract),
        parsed=_values({} if action.asked is None else action.asked.parsed, contract),
        changes=() if contract is None or action.withheld else rows_of(contract, action.arguments, action.facts),
        undo=undo_of(contract, action.ended_at if action.state in _WAS_DONE else None),
        modified=()
        if contract is None or asked is None or asked.requested is None
        else between(contract, asked.requested, action.arguments),
        schema={} if contract is None else contract.input_schema,
        needs=() if asked is None else _needs(action, asked, control),
        words=() if asked is None else _words(asked),
        deadline=action.deadline,
        questions=() if asked is None else asked.questions,
        handings=() if asked is None else asked.handings,
        timeline=_timeline(action, task),
        may=_may(action, person, control),
        target=target,
        target_name=name,
        view=Digest("") if asked is None else asked.view,
    )


def _values(values: Mapping[str, JsonValue], contract: Contract | None) -> tuple[Value, ...]:
    return tuple(
        Value(
            name=name,
            value=value,
            text=_worded(name, values, contract),
            data_class="" if contract is None else contract.data_classes.get(name, ""),
        )
        for name, value in values.items()
    )


def _needs(action: Action, asked: Hold, control: Control) -> tuple[Need, ...]:
    return tuple(
        Need(
            role=need.role,
            quorum=need.quorum,
            policy=need.policy,
            agreed=agreed(asked, need, initiator=action.initiator),
            by=agreeing(asked, need, initiator=action.initiator),
            able=_able(action, asked, need, control),
        )
        for need in asked.requirements
    )


def _able(action: Action, asked: Hold, need: Requirement, control: Control) -> tuple[Person, ...]:
    if action.state != "held":
        return ()
    return tuple(
        dict.fromkeys(who for role in sorted(roles_for(asked, need)) for who in able(action, asked, role, control))
    )


def _words(asked: Hold) -> tuple[Said, ...]:
    return tuple(
        Said(
            person=word.person,
            verdict=word.verdict,
            roles=word.roles,
            decided_at=word.decided_at,
            note=word.note,
            counts=word.binding == asked.binding,
        )
        for word in asked.approvals
    )


def _may(action: Action, person: Person | None, control: Control) -> tuple[May, ...]:
    if person is None:
        return ()
    asked = action.hold
    if action.state != "held" or asked is None or action.withheld:
        why = f"it is {action.state}: {MEANING[action.state]}"
        return tuple(May(verb=verb, allowed=False, why=why) for verb in VERBS)
    return tuple(_verb(verb, action, asked, person, control) for verb in VERBS)


def _verb(verb: Verb, action: Action, asked: Hold, person: Person, control: Control) -> May:
    try:
        match verb:
            case "ask":
                must_be_asked(action, asked, person, control)
            case "take_back":
                must_be_asked(action, asked, person, control)
                if handed_by(asked, person) is None:
                    return May(verb=verb, allowed=False, why="you handed it to nobody")
            case _:
                entitled(action, asked, person, control)
    except NotAllowed as error:
        return May(verb=verb, allowed=False, why=f"{error.detail}; {error.next_step}")
    return May(verb=verb, allowed=True)


def _timeline(action: Action, task: Task | None) -> tuple[Moment, ...]:
    found: list[Moment] = []
    if task is not None:
        found.append(Moment(at=task.opened_at, what="task", words="the task was opened", who=task.initiator))
    found.append(Moment(at=action.proposed_at, what="proposed", words="proposed", who=action.agent))
    if action.hold is not None:
        said = [*_spoken(action.hold), *_routed(action.hold)]
        found += [*_decided(action, min((each.at for each in said), default=None)), *said]
        if action.state == "held":
            found.append(Moment(at=action.hold.expires_at, what="deadline", words="the time to decide is over"))
    else:
        found += _decided(action, None)
    if action.first_dispatched_at is not None:
        found.append(Moment(at=action.first_dispatched_at, what="dispatched", words="it began to touch the world"))
    ended, settled = action.ended_at, action.outcome is not None and action.outcome.by == "person"
    if ended is None and action.state == "unknown" and action.outcome is not None and action.outcome.observed_at:
        ended = action.outcome.observed_at
    if ended is not None:
        words = "a person looked, and said what became of it" if settled else f"it is {action.state}"
        found.append(Moment(at=ended, what="ended", words=f"{words}: {MEANING[action.state]}"))
    return tuple(sorted(found, key=lambda each: each.at))


def _decided(action: Action, spoken_at: int | None) -> list[Moment]:
    """When policy was asked. What is kept is its last answer: where people had spoken before that, it was asked twice."""
    if action.decision is None:
        return []
    at, verdict = action.decision.decided_at, action.decision.verdict
    if spoken_at is None or spoken_at >= at:
        return [Moment(at=at, what="decided", words=f"policy said: {verdict.replace('_', ' ')}")]
    passed = action.state != "held" and verdict in ("require_approval", "escalate")
    again = "what people said is enough" if passed else verdict.replace("_", " ")
    return [
        Moment(at=action.proposed_at, what="decided", words="policy said: people must agree"),
        Moment(at=at, what="again", words=f"policy was asked again: {again}"),
    ]


def _routed(asked: Hold) -> list[Moment]:
    """What came to pass while nobody answered."""
    words = {"remind": "was reminded", "escalate": "may answer as well", "overdue": "overdue, and still open"}
    return [
        Moment(at=each.at, what=each.what, words=words[each.what], who=each.role)
        for each in asked.steps[: asked.walked]
    ]


def _spoken(asked: Hold) -> list[Moment]:
    found = [
        Moment(at=word.decided_at, what=word.verdict, words=_SAID[word.verdict], who=word.person)
        for word in asked.approvals
    ]
    for query in asked.questions:
        found.append(
            Moment(at=query.asked_at, what="asked", words=f"question {query.number} to the agent", who=query.person)
        )
        if query.answered_at is not None:
            found.append(Moment(at=query.answered_at, what="answered", words=f"question {query.number} was answered"))
    for each in asked.handings:
        found.append(Moment(at=each.at, what="delegated", words=f"handed to {each.to}", who=each.by))
        if each.back_at is not None:
            found.append(Moment(at=each.back_at, what="delegated", words=f"taken back from {each.to}", who=each.by))
    return found


_SAID: Final = {"approve": "agreed", "reject": "said no"}
