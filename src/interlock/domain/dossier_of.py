"""A dossier as one person has it of one action, put together from what is stored of it and around it."""

from collections.abc import Mapping
from typing import Final

import msgspec

from interlock.domain.action import MEANING, Action
from interlock.domain.agent import Agent
from interlock.domain.approval import Hold, agreed, agreeing, is_initiator, roles_for
from interlock.domain.baseline import MEANS
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.contract import Contract
from interlock.domain.control import Control
from interlock.domain.diff import between, rows_of, unit_of
from interlock.domain.dossier import VERBS, Dossier, May, Need, Said, Value, Verb, confidence_words, undo_of
from interlock.domain.entitlement import able, entitled, handed_by, may_be_handed, must_be_asked
from interlock.domain.errors import NotAllowed
from interlock.domain.ids import Digest, Person
from interlock.domain.line import line_of, worded
from interlock.domain.naming_target import target_of
from interlock.domain.policy import Requirement
from interlock.domain.record import plain
from interlock.domain.task import Task
from interlock.domain.timeline import timeline_of
from interlock.domain.vigilance import turned_out

_WAS_DONE: Final = frozenset({"done", "undoing", "undone", "undo_failed"})


def dossier_of(
    action: Action,
    contract: Contract | None,
    control: Control,
    task: Task | None,
    agent: Agent | None,
    person: Person | None,
) -> Dossier:
    """All of it but what takes reading more: which policies ask, precedents, the warning, and its own digest."""
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
        state_words=action.reasons[-1] if turned_out(action) else MEANING[action.state],
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
        timeline=timeline_of(action, task),
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
            text=worded(name, values, contract),
            data_class="" if contract is None else contract.data_classes.get(name, ""),
            unit="" if contract is None else unit_of(contract, name, values),
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
            may_take=_may_take(action, asked, need, control),
        )
        for need in asked.requirements
    )


def _may_take(action: Action, asked: Hold, need: Requirement, control: Control) -> tuple[Person, ...]:
    """Who could not answer by themselves, and may be handed it."""
    if action.state != "held" or not need.terms.delegate:
        return ()
    own, spoken = _able(action, asked, need, control), {word.person for word in asked.words}
    return tuple(
        each
        for each in control.people
        if each not in own
        and each not in spoken
        and not is_initiator(each, action.initiator)
        and may_be_handed(need.terms.delegate, control.roles(each))
        and handed_by(asked, each) is None
        and asked.roles.isdisjoint(control.roles(each))
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


def shown_digest(dossier: Dossier, nonce: str) -> Digest:
    """What is kept with a word of what was shown. With the action's nonce: alone it could be guessed back."""
    return Digest(digest({"nonce": nonce, "dossier": kept(dossier)}))


def kept(dossier: Dossier) -> JsonValue:
    """A dossier as it stands in the log. The schema of the arguments is the contract's, whose digest is in it."""
    return plain(msgspec.structs.replace(dossier, shown=Digest(""), schema={}))
