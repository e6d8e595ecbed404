"""The card of an agent: its operating contract on one page, for whoever answers for it.

Everything on it is read from what is in force: the agent's file, the contracts it may use, the policies over them, the
people there are. What the file does not say is said to be missing, never filled in.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from interlock.domain import duration
from interlock.domain.agent import OFFICES, Agent, Office, Stage
from interlock.domain.agent_state import MEANS, AgentState
from interlock.domain.answering import holders
from interlock.domain.contract import Contract, Reversal
from interlock.domain.ids import ContractName, Person
from interlock.domain.policy import Policy
from interlock.domain.release import Release

STAGE_MEANS: Final[Mapping[Stage, str]] = {
    "shadow": "is only watched, and changes nothing",
    "assisted": "asks a person before anything above low risk",
    "partial": "acts by itself inside the policies",
    "bounded": "acts by itself inside the policies, and only where it can be undone",
}
OFFICE_MEANS: Final[Mapping[Office, str]] = {
    "decision": "its being there, and what it does",
    "policy": "its policies",
    "data": "the data it sees",
    "engineering": "its code",
}
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
NOT_SAID: Final = "its file does not say"


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a card is made from."""

    agent: Agent
    state: AgentState
    release: Release
    contracts: Mapping[ContractName, Contract]
    """Those it may use, and those that undo them."""
    policies: Mapping[ContractName, tuple[Policy, ...]]
    """By contract, the policies in force that look at it."""
    people: Mapping[Person, tuple[str, ...]]


class Part(NamedTuple):
    """One heading of the card, and the lines below it."""

    title: str
    lines: tuple[str, ...]


def parts(card: Inputs) -> tuple[Part, ...]:
    """The card as headings and lines, in the order in which it is read."""
    agent = card.agent
    return (
        Part("What it is for", (agent.purpose, *agent.scope.includes)),
        Part("What it is not for", agent.scope.excludes or (NOT_SAID,)),
        Part("What it may do", tuple(_may(card)) or ("nothing: it has no capability",)),
        Part(
            "What it must not do",
            (*agent.restrictions, "anything that is not listed under what it may do: to the gate it does not exist"),
        ),
        Part("What it accesses", tuple(_accesses(agent)) or (NOT_SAID,)),
        Part("Its limits", tuple(_limits(agent))),
        Part("Who is asked", tuple(_asked(card))),
        Part("When it hands over", tuple(_over(agent)) or (NOT_SAID,)),
        Part("How it is measured", tuple(f"{each.name}: {each.words}" for each in agent.metrics) or (NOT_SAID,)),
        Part("Who answers for it", tuple(_answers(card))),
        Part("What rules it is under", agent.compliance or (NOT_SAID,)),
        Part("How it stands, and how to stop it", tuple(_stops(card))),
        Part("Which version this is", tuple(_version(card))),
    )


def as_markdown(card: Inputs) -> str:
    """The card as Markdown. Words of the file stand as they are: nothing of them becomes a heading, a link or HTML."""
    text = [f"# Operating contract: {card.agent.name}"]
    for part in parts(card):
        text += ["", f"## {part.title}", "", *(f"- {_escaped(_line(line))}" for line in part.lines)]
    return "\n".join(text) + "\n"


def as_text(card: Inputs) -> str:
    """The same as plain text."""
    title = f"OPERATING CONTRACT: {card.agent.name}"
    text = [title, "=" * len(title)]
    for part in parts(card):
        text += ["", part.title, "-" * len(part.title), *(f"  {_line(line)}" for line in part.lines)]
    return "\n".join(text) + "\n"


def _may(card: Inputs) -> Iterator[str]:
    for name in card.agent.capabilities:
        contract = card.contracts.get(name)
        if contract is None:
            yield f"{name}: there is no such contract in force"
            continue
        what = f": {contract.description.rstrip('.')}" if contract.description else ""
        if not contract.acts:
            yield f"{name}{what}. It only reads."
            continue
        yield (
            f"{name}{what}. {contract.risk.capitalize()} risk; {_undone(contract)}; "
            f"with it the agent {STAGE_MEANS[card.agent.stage_for(name)]}."
        )


def _undone(contract: Contract) -> str:
    way = contract.reversal
    if isinstance(way, Reversal):
        asks = f" with the word of {way.approver}" if way.approver else ""
        return f"undone by {way.contract} within {duration.words(way.within_ms)}{asks}"
    return f"cannot be undone ({way.why})" if way is not None else "cannot be undone"


def _accesses(agent: Agent) -> Iterator[str]:
    for each in agent.data:
        yield f"{each.records}: {'reads and writes' if each.access == 'write' else 'reads'}"
    yield from agent.scope.data


def _limits(agent: Agent) -> Iterator[str]:
    runtime = agent.runtime
    yield f"a task lasts at most {duration.words(runtime.max_task_ms)} and proposes at most {runtime.max_actions} actions"
    yield f"one task asks for exactly the same at most {runtime.max_repeats} times"
    yield f"tasks nest at most {runtime.max_depth} deep, with at most {runtime.max_fanout} open within one"
    if not runtime.may_recur:
        yield "it never works for itself, through others or not"
    if runtime.rate is not None:
        yield f"at most {runtime.rate.words}, whenever they are made"
    for unit, limit in sorted(agent.budgets.items()):
        yield f"at most {limit} {unit}{' in minor units' if _CURRENCY.fullmatch(unit) else ''} in all"
    yield f"models: {', '.join(runtime.models)}" if runtime.models else "models: any"


def _asked(card: Inputs) -> Iterator[str]:
    agent = card.agent
    yield f"people have {duration.words(agent.approvals.within_ms)}; silence is a no"
    for name, role in agent.approvals.required.items():
        yield f"{name}: always {role}"
    for name in agent.capabilities:
        contract = card.contracts.get(name)
        if contract is not None and contract.irreversible and agent.stage_for(name) != "bounded":
            yield f"{name}: always a person, because it cannot be undone"
        for policy in card.policies.get(name, ()):
            if policy.effect == "forbid" and policy.mode == "enforce":
                yield f"{name}: {_said(policy)}"
    if agent.approvals.notify:
        yield f"told of it: {', '.join(agent.approvals.notify)}"


def _said(policy: Policy) -> str:
    whom = f" by {policy.approver}" if policy.approver else ""
    outcome = {"deny": "refused", "shadow": "only watched", "escalate": f"escalated{whom}"}
    why = f": {policy.reason}" if policy.reason else ""
    return f"{outcome.get(policy.verdict, f'approved{whom} first')} where policy {policy.id} applies{why}"


def _over(agent: Agent) -> Iterator[str]:
    yield from agent.escalation_triggers
    if agent.behaviour.escalation:
        yield f"how: {agent.behaviour.escalation}"


def _answers(card: Inputs) -> Iterator[str]:
    for office in OFFICES:
        owner = card.agent.owners.of(office)
        if not owner:
            yield f"for {OFFICE_MEANS[office]}: nobody, so it stays in shadow"
            continue
        there = sorted(holders(owner, card.people))
        held_by = "" if there == [owner] else f" ({', '.join(there) or 'nobody in people.yaml any more'})"
        yield f"for {OFFICE_MEANS[office]}: {owner}{held_by}"


def _stops(card: Inputs) -> Iterator[str]:
    name = card.agent.name
    yield f"it is {card.state}: {MEANS[card.state]}"
    if card.state != "retired":
        yield f"stop it at once, anybody: interlock stop agent:{name} --as NAME --why WHY"
    if card.state == "active":
        yield f"suspend it, any owner or operator: interlock agent suspend {name} --as NAME --why WHY"
    if card.state == "suspended":
        yield f"let it act again, its decision owner: interlock agent activate {name} --as NAME --why WHY"
    if card.state != "retired":
        yield (
            "retire it for good, its decision owner and one other person: "
            f"interlock agent retire {name} --as NAME --why WHY"
        )
    yield f"take back all that this release did: interlock undo release:{card.release.label} --as NAME --why WHY"


def _version(card: Inputs) -> Iterator[str]:
    yield f"file: {card.agent.digest}"
    yield f"release: {card.release.label}"
    yield f"policies: {card.release.bundle}"
    if card.agent.tags:
        yield f"cohorts: {', '.join(card.agent.tags)}"


def _line(text: str) -> str:
    """Somebody's words on one line, without what moves a cursor or reorders."""
    words = " ".join(text.split())
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in words)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*<\[])", r"\\\1", text)
