"""A workspace with very many actions, made fast: a few go through the gate, and the rest are copies of them.

Copies have ids, times and entries of their own, and are stored by the store itself, in a log whose tree and checkpoints are
right. Their leaves are the first ones' bytes with other names in them, so their signatures hold nothing: this is to be
measured, not to be verified.
"""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, cast

import anyio
import msgspec

from interlock.adapters.keys import KeyFolder
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.system import SystemIds
from interlock.bootstrap.beginning import initialise
from interlock.bootstrap.connecting import connect, identity_of, vault_of
from interlock.bootstrap.site import definition, read_site, settled
from interlock.domain.account import told
from interlock.domain.action import Action
from interlock.domain.binding import action_digest, fingerprint
from interlock.domain.canonical import JsonValue
from interlock.domain.card import Card, card_of
from interlock.domain.change import Change
from interlock.domain.contract import Contract
from interlock.domain.course import Sighting, seen
from interlock.domain.dsse import IN_TOTO, Envelope, parse
from interlock.domain.dsse import encode as encode_envelope
from interlock.domain.evidence import Entry, Fact, Phase, Position, at
from interlock.domain.ids import ActionId, AgentName, ContractName, Person, StreamId, TaskId
from interlock.domain.merkle import leaf_hash
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.embedded import Embedded
from interlock.ports.derived import Reached
from interlock.ports.sealer import Sealer
from interlock.services.holding import held
from interlock.services.plane import plane
from interlock.worker import Worker

AGENTS: Final = 12
CONTRACTS: Final = 8
PER_TASK: Final = 20
GROUP: Final = 500
SPAN_MS: Final = 30 * 86_400_000
VOTERS: Final = tuple(f"voter{n}" for n in range(80))
KINDS: Final = {"done": 5, "held": 500, "approved": 500, "rejected": 500, "denied": 5000}
"""By what becomes of it, how many an action puts into stock."""

_TOOLS: Final = """
from typing import Annotated

import msgspec

import interlock

Count = Annotated[int, msgspec.Meta(ge=0)]
"""
_TOOL: Final = """

@interlock.tool(
    name="stock.put{n}", effect="write", risk="{risk}", idempotency=interlock.Keyed(retention_ms=interlock.DAY),
    reversal=interlock.Reversal(contract="stock.take", arguments={{"n": "$args.n"}}),
)
def put{n}(n: Count, sku: str = "x", note: str = "") -> int:
    \"\"\"Put so many into stock.\"\"\"
    return n
"""
_TAKE: Final = """

@interlock.tool(
    name="stock.take", effect="write", risk="low", idempotency=interlock.Keyed(retention_ms=interlock.DAY),
    reversal=interlock.NoReversal(why="it is an undo"),
)
def take(n: Count) -> int:
    \"\"\"Take them out again.\"\"\"
    return n
"""
_AGENT: Final = """
name: {name}
purpose: to be measured
owners: {{decision: rita, policy: rita, data: rita, engineering: rita}}
stage: partial
capabilities: [{capabilities}]
runtime: {{max_actions: 100000, max_task: 1d, max_repeats: 100000}}
approvals: {{within: 7d}}
"""
_POLICIES: Final = """
@id("all") @owner("rita") permit(principal, action, resource);
@id("ask") @owner("rita") @outcome("require_approval") @approver("reviewer") @reason("more than a hundred")
forbid(principal, action in Action::"effect:write", resource) when { context.args.n > 100 };
@id("no") @owner("rita") @outcome("deny") @reason("more than a thousand")
forbid(principal, action in Action::"effect:write", resource) when { context.args.n > 1000 };
"""


class Template(msgspec.Struct, kw_only=True):
    """One action that went through the gate, with what the log says of it."""

    action: Action
    contract: Contract
    entries: tuple[Entry, ...]
    payloads: tuple[bytes, ...]
    times: tuple[bytes, ...]
    """When each was observed, as its Statement writes it."""
    cards: tuple[Card, ...]
    seen: tuple[Sighting, ...]


def lay_out(folder: Path, *, settings: str = "") -> None:
    """The files of the workspace, and keys. `settings` are further lines of interlock.yaml."""
    names = [f"stock.put{n}" for n in range(CONTRACTS)]
    risks = ("low", "medium", "high", "low")
    tools = _TOOLS + "".join(_TOOL.format(n=n, risk=risks[n % 4]) for n in range(CONTRACTS)) + _TAKE
    files = {
        "interlock.yaml": "tenant: bench\nmodules: [bench_stock_tools]\npolicy_tests: advised\n" + settings,
        "people.yaml": "rita: [reviewer, admin]\nria: [reviewer]\n"
        + "".join(f"{each}: [reviewer]\n" for each in VOTERS),
        "bench_stock_tools.py": tools,
        "policies/all.cedar": _POLICIES,
    }
    for n in range(AGENTS):
        files[f"agents/agent{n}.yaml"] = _AGENT.format(name=f"agent{n}", capabilities=", ".join(names))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    initialise(folder, "bench")


class Copying:
    """A sealer that gives leaves of templates with other names in them; what else is to be sealed it leaves to the real one."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self.templates: list[Template] = []
        self.last = Reached()
        """Up to where the log was made."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sealer, name)

    def seal(self, fact: Fact, index: int, position: Position) -> Entry:
        """See `Sealer.seal`."""
        copied = fact.body.get("copied")
        if copied is None:
            return self._sealer.seal(fact, index, position)
        template, number = self.templates[int(str(copied))], fact.seq - 1
        old, before = template.action, template.entries[number]
        payload = template.payloads[number].replace(old.id.encode(), fact.subject_id.encode())
        payload = payload.replace(old.task.encode(), str(fact.body["task"]).encode())
        payload = payload.replace(template.times[number], at(fact.observed_at).encode())
        signatures = parse(before.leaf).signatures
        leaf = encode_envelope(Envelope(payload=payload, payload_type=IN_TOTO, signatures=signatures))
        self.last = Reached(index + 1, leaf_hash(leaf))
        return msgspec.structs.replace(
            before,
            index=index,
            leaf=leaf,
            leaf_hash=self.last.leaf,
            stream=position.stream,
            seq=position.seq,
            action=ActionId(fact.subject_id),
        )


class Crowd:
    """A workspace being filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        means, settings, ids = connect(folder, begin=True).means, settled(folder).settings, SystemIds()
        self._first = means.store
        self._sealer = Copying(LogSealer(KeyFolder(settings.keys).load(), StreamId(ids.new()), ids))
        store = SqliteStore.open(settings.store, settings.tenant, cast(Sealer, self._sealer), vault_of(settings.keys))
        self.plane = plane(msgspec.structs.replace(means, store=store, log=store))
        self._rng = random.Random(1)  # noqa: S311  the same month every time
        self._task: Task | None = None

    async def fill(self, *, actions: int, waiting: int) -> None:
        """So many actions over the last month, of which so many wait for people; index and figures as they would be."""
        await self._first.close()
        await self._go_through_the_gate()
        templates = self._sealer.templates
        kinds = {kind: [n for n, each in enumerate(templates) if _kind(each.action) == kind] for kind in KINDS}
        await self.plane.searching.catch_up()
        await self.plane.figures.catch_up()
        reached = await self.plane.figures.derived.reached()
        now, made = self.plane.means.clock.now(), 0
        while made < actions:
            change: list[tuple[Action, int]] = []
            tasks: list[Task] = []
            for _ in range(min(GROUP, actions - made)):
                began = now - SPAN_MS + SPAN_MS * made // actions
                kind = self._rng.choices(("done", "approved", "rejected", "denied"), (86, 7, 2, 5))[0]
                if actions - made <= waiting:
                    kind, began = "held", now - self._rng.randrange(3_600_000)
                template = self._rng.choice(kinds[kind])
                if made % PER_TASK == 0:
                    tasks.append(self._new_task(began))
                change.append((self._copy(templates[template], began), template))
                made += 1
            facts = [each for action, template in change for each in self._facts(action, template)]
            puts = (*tasks, *(each for each, _ in change))
            await self.plane.means.store.commit(Change(puts=puts, facts=tuple(facts)))
            await self._derived(change, tasks, reached)
            reached = self._sealer.last

    async def _go_through_the_gate(self) -> None:
        plane = self.plane
        await plane.registry.apply(definition(read_site(self.folder)), by="bench")
        embedded, identity = Embedded(plane), identity_of(plane)
        found: list[ActionId] = []
        for n in range(AGENTS):
            opening = Opening(agent=AgentName(f"agent{n}"), purpose="to fill the shelves", initiator=f"user:person{n}")
            self._task = task = await plane.tasks.open(opening)
            for place, (kind, amount) in enumerate(KINDS.items()):
                arguments: dict[str, JsonValue] = {"n": amount + n, "sku": f"sku-{n}", "note": "as usual"}
                contract = ContractName(f"stock.put{(n * 5 + place) % CONTRACTS}")
                proposal = Proposal(task=task, contract=contract, arguments=arguments, justification="stock is low")
                action = await embedded.propose(await identity.presented(proposal))
                if kind == "approved":
                    await plane.approvals.approve(action.id, Person("rita"), note="fine")
                if kind == "rejected":
                    await plane.approvals.reject(action.id, Person("ria"), note="too many")
                found.append(action.id)
        with anyio.move_on_after(3):
            await Worker(plane).run()
        for each in found:
            stored = await plane.means.store.get(Action, each)
            if stored is None or stored.state == "ready":
                raise RuntimeError(f"{each} did not come to its end")
            self._sealer.templates.append(await self._template(stored))

    async def _template(self, action: Action) -> Template:
        entries = tuple(await self.plane.means.log.entries_of(action.id))
        contract = await self.plane.orders.contract(action.contract_digest)
        whole = [(said, entry) for entry in entries if (said := told(entry.index, entry.leaf)) is not None]
        return Template(
            action=action,
            contract=contract,
            entries=entries,
            payloads=tuple(parse(entry.leaf).payload for entry in entries),
            times=tuple(said.at.encode() for said, _ in whole),
            cards=tuple(card_of(said, entry.disclosures, contract) for said, entry in whole),
            seen=tuple(each for said, entry in whole if (each := seen(said, entry.disclosures)) is not None),
        )

    def _new_task(self, began: int) -> Task:
        if self._task is None:
            raise RuntimeError("no task went before")
        ends = began + self._task.expires_at - self._task.opened_at
        self._task = msgspec.structs.replace(
            self._task, revision=0, id=TaskId(self.plane.means.ids.new()), opened_at=began, expires_at=ends
        )
        return self._task

    def _copy(self, template: Template, began: int) -> Action:
        """Its action once more, as if it had been proposed at `began`: whole, so that people can decide on it."""
        old, rng, shift = template.action, self._rng, began - template.action.proposed_at
        arguments = {**old.arguments, "sku": f"sku-{rng.randrange(100_000)}"}
        nonce, identifier = f"{rng.getrandbits(128):032x}", ActionId(self.plane.means.ids.new())
        action = msgspec.structs.replace(
            old,
            revision=0,
            id=identifier,
            task=TaskId("") if self._task is None else self._task.id,
            nonce=nonce,
            digest=action_digest(template.contract, arguments, nonce),
            fingerprint=fingerprint(template.contract, arguments),
            idempotency_key=identifier,
            arguments=arguments,
            proposed_at=began,
            ended_at=None if old.ended_at is None else old.ended_at + shift,
            owner=None,
            lease_until=None,
        )
        if old.hold is None or old.decision is None or old.state != "held":
            return action
        ends = self.plane.means.clock.now() + 600_000 + rng.randrange(7 * 86_400_000)
        return msgspec.structs.replace(action, hold=held(action, template.contract, old.decision, ends), due_at=ends)

    def _facts(self, action: Action, template: int) -> Iterable[Fact]:
        of = self._sealer.templates[template]
        for number, entry in enumerate(of.entries):
            yield Fact(
                phase=cast(Phase, entry.phase),
                subject="action",
                subject_id=action.id,
                subject_digest=action.digest,
                observed_at=action.proposed_at + of.seen[number].at - of.action.proposed_at,
                body={"copied": template, "task": action.task},
                private={"said": True} if entry.disclosures else {},
                action=action.id,
                seq=number + 1,
            )

    async def _derived(self, change: list[tuple[Action, int]], tasks: list[Task], given: Reached) -> None:
        """What reading the entries would have come to, without reading them."""
        cards: list[Card] = []
        found = [
            Sighting(
                subject="task", id=each.id, seq=0, at=each.opened_at, phase="opened", state="open", agent=each.agent
            )
            for each in tasks
        ]
        for action, template in change:
            of = self._sealer.templates[template]
            shift = action.proposed_at - of.action.proposed_at
            person = self._rng.choice(VOTERS)
            for card, each in zip(of.cards, of.seen, strict=True):
                cards.append(card._replace(action=action.id, at=at(each.at + shift)))
                word = None
                if each.word is not None:
                    # Of many people, who take their time each.
                    shift += int(self._rng.lognormvariate(13, 1.5))
                    word = msgspec.structs.replace(each.word, person=person, at=each.word.at + shift)
                began = None if each.began_at is None else each.began_at + shift
                found.append(
                    msgspec.structs.replace(
                        each, id=action.id, task=action.task, at=each.at + shift, began_at=began, word=word
                    )
                )
        now = self._sealer.last
        taken = await self.plane.searching.derived.take(cards, given=given, now=now)
        if not taken or not await self.plane.figures.derived.take(found, given=given, now=now):
            raise RuntimeError("somebody else reads the log")


def _kind(action: Action) -> str:
    return "approved" if action.hold is not None and action.state == "done" else action.state
