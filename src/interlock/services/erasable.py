"""What an erasure would take, and what it would leave: found by reading every action once.

An action is about whom its contract names, an undo also about whom the action it undoes is about. Beside actions and tasks go
the words that people left about them: requests to undo them, holds that were lifted, proposals that were withdrawn; and what
people wrote that names the person, of brakes also while these stand. How somebody signs in, and their keys, go once they hold no
role here any more.
"""

from collections.abc import AsyncIterator, Container, Sequence, Set
from typing import Final

import anyio.lowlevel
import msgspec

from interlock.domain.action import Action
from interlock.domain.agent_key import AgentKey
from interlock.domain.agent_state import AgentWords
from interlock.domain.api_key import ApiKey
from interlock.domain.change import Unchanged
from interlock.domain.contract import Contract
from interlock.domain.control import BrakeWords
from interlock.domain.erasing import Erasure, LegalHold, placed, speaks_of, subjects_of, unsettled
from interlock.domain.erasure_scope import Covered
from interlock.domain.ids import ActionId, Digest, HoldId, TaskId
from interlock.domain.login import Login, handle_of
from interlock.domain.losing import Loss
from interlock.domain.task import Task
from interlock.domain.unwind import Unwind
from interlock.ports.store import ActionQuery, Store

PAGE: Final = 500
USER: Final = "user"
"""As what kind of person those are known who sign in here."""
MANY: Final = 10_000_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure would take, and what it would leave."""

    actions: tuple[Unchanged, ...] = ()
    tasks: tuple[Unchanged, ...] = ()
    beside: tuple[Unchanged, ...] = ()
    """Requests to undo them, lifted holds on them, withdrawn proposals to erase them; and these, acknowledged losses and words of
    brakes where what people wrote names the subject."""
    late: tuple[Unchanged, ...] = ()
    """Actions and holds that were erased before, about which an earlier version left something: whatever they were about."""
    since: tuple[str, ...] = ()
    """Ids of what is left because it came, or could go, only after the erasure was proposed."""
    entries: int = 0
    """How many entries of the log are about the actions."""
    unsettled: tuple[str, ...] = ()
    """Actions and open tasks that are left, because somebody still needs what is private of them."""
    tasks_open: dict[TaskId, int] = {}
    """Of these, the open tasks, and until when (UTC ms) each may be used."""
    held: dict[HoldId, int] = {}
    """How many are left because of each legal hold."""
    reversible: int = 0
    """How many could be undone now, and could not afterwards."""
    works_here: bool = False
    """Whether the person holds a role here, and so keeps how they sign in, and their keys."""
    named: int = 0
    """How many are about somebody else and keep the name: it is the initiator's."""
    holds: int = 0
    """`placed` of the holds that were heeded."""

    @property
    def records(self) -> tuple[Unchanged, ...]:
        """Everything that it would take."""
        return (*self.goes, *self.late)

    @property
    def goes(self) -> tuple[Unchanged, ...]:
        """What it would take of what was named."""
        return (*self.actions, *self.tasks, *self.beside)

    @property
    def nothing(self) -> bool:
        """Whether nothing here has to do with what was named: not even something that would be left."""
        return not (self.goes or self.unsettled or self.held or self.named or self.since or self.works_here)


class Search:
    """One reading of a store for what is about `subject`, or has something of `data_class` and ended before `before_at`.

    With `only`, what is found beyond these is left, and named as what came since. `people` hold roles here.
    """

    def __init__(
        self,
        store: Store,
        holds: Sequence[LegalHold],
        subject: str,
        data_class: str,
        before_at: int,
        now: int,
        only: Set[Covered] | None = None,
        *,
        people: Container[str],
    ) -> None:
        self._store = store
        self._people = people
        self._works_here = False
        self._all_holds = holds
        self._holds = [each for each in holds if each.lifted_at is None]
        self._subject = subject
        self._class = data_class
        self._before_at = before_at
        self._now = now
        self._only = only
        self._since: list[str] = []
        self._contracts: dict[Digest, Contract | None] = {}
        self._taken: list[Action] = []
        self._left: list[str] = []
        self._open: dict[TaskId, int] = {}
        self._held: dict[HoldId, int] = {}
        self._held_tasks: dict[TaskId, HoldId] = {}
        self._named = 0
        self._reversible = 0

    async def plan(self) -> Plan:
        """What was found."""
        async for action in self._actions():
            await self._weigh(action)
        tasks = await self._tasks() if self._subject else []
        beside = await self._beside({*(each.id for each in self._taken), *(each.id for each in tasks)})
        return Plan(
            actions=tuple(Unchanged(Action.kind, each.id, each.revision) for each in self._taken),
            tasks=tuple(Unchanged(Task.kind, each.id, each.revision) for each in tasks),
            beside=tuple(each for each in beside if self._agreed(each.kind, each.key)),
            late=tuple(await self._store.late()),
            since=tuple(self._since),
            entries=sum(each.entries for each in self._taken),
            unsettled=tuple(self._left),
            tasks_open=self._open,
            held=self._held,
            reversible=self._reversible,
            named=self._named,
            works_here=self._works_here,
            holds=placed(self._all_holds),
        )

    async def _weigh(self, action: Action) -> None:
        known = await self._known(action)
        contract = known[0][0]
        subjects = subjects_of(*known)
        classes = frozenset(name for each, _ in known if each is not None for name in each.data_classes.values())
        ended_at = action.ended_at or action.proposed_at
        if self._subject not in subjects and not (self._class in classes and ended_at < self._before_at):
            self._named += bool(self._subject) and action.initiator == self._subject
        elif unsettled(action):
            self._left.append(action.id)
        elif stop := next((each for each in self._holds if each.covers(action, subjects, classes)), None):
            self._held[stop.id] = self._held.get(stop.id, 0) + 1
            self._held_tasks[action.task] = stop.id
        elif self._agreed(Action.kind, action.id):
            self._taken.append(action)
            self._reversible += (
                action.state == "done" and contract is not None and contract.acts and not contract.irreversible
            )

    async def _known(self, action: Action) -> list[tuple[Contract | None, Action]]:
        """The action with its contract, then the one it undoes with that one's."""
        known = [(await self._contract(action), action)]
        before = None if action.undoes is None else await self._store.get(Action, action.undoes)
        return known if before is None else [*known, (await self._contract(before), before)]

    async def _contract(self, action: Action) -> Contract | None:
        if action.contract_digest not in self._contracts:
            self._contracts[action.contract_digest] = await self._store.get(Contract, action.contract_digest)
        return self._contracts[action.contract_digest]

    async def _tasks(self) -> list[Task]:
        taken: list[Task] = []
        on_all = next((each.id for each in self._holds if each.subject == self._subject), None)
        for task in await self._store.all(Task, limit=MANY):
            if task.withheld or task.initiator != self._subject:
                continue
            stop = on_all or self._held_tasks.get(task.id)
            if stop is not None:
                self._held[stop] = self._held.get(stop, 0) + 1
            elif task.state != "closed" and self._now < task.expires_at:
                self._left.append(task.id)
                self._open[task.id] = task.expires_at
            elif self._agreed(Task.kind, task.id):
                taken.append(task)
        return taken

    async def _beside(self, going: set[str]) -> list[Unchanged]:
        found = [
            Unchanged(Unwind.kind, request.id, request.revision)
            for request in await self._store.all(Unwind, limit=MANY)
            if request.state == "done"
            and not request.withheld
            and (self._speaks(request) or await self._goes(request.target, going))
        ]
        on_all = any(each.subject == self._subject for each in self._holds)
        for hold in self._all_holds:
            if hold.withheld:
                continue
            if hold.lifted_at is None:  # what it says is needed while it stands
                if self._speaks(hold) and not on_all:
                    self._held[hold.id] = self._held.get(hold.id, 0) + 1
                continue
            about = hold.subject == self._subject if hold.subject else await self._goes(hold.action, going)
            if about or self._speaks(hold):
                found.append(Unchanged(LegalHold.kind, hold.id, hold.revision))
        losses = await self._store.all(Loss, limit=MANY) if self._subject else []
        found += [
            Unchanged(Loss.kind, each.id, each.revision)
            for each in losses
            if each.state != "open" and not each.withheld and self._speaks(each)
        ]
        brakes = await self._store.all(BrakeWords, limit=MANY) if self._subject else []
        found += [
            Unchanged(BrakeWords.kind, each.id, each.revision)
            for each in brakes
            if not each.withheld and not on_all and speaks_of(self._subject, each.why, each.by, each.who)
        ]
        moved = await self._store.all(AgentWords, limit=MANY) if self._subject else []
        found += [
            Unchanged(AgentWords.kind, each.id, each.revision)
            for each in moved
            if not each.withheld and not on_all and speaks_of(self._subject, each.why, each.by)
        ]
        proposed = await self._store.all(Erasure, limit=MANY) if self._subject else []
        withdrawn = [
            each
            for each in proposed
            if each.state == "withdrawn" and not each.withheld and (each.subject == self._subject or self._speaks(each))
        ]
        found += [Unchanged(Erasure.kind, each.id, each.revision) for each in withdrawn]
        return [*found, *(await self._access()), *(await self._agent_keys(on_all=on_all))]

    async def _agent_keys(self, *, on_all: bool) -> list[Unchanged]:
        """Keys by which agents work on the person's behalf, or that the person made. One that counts is still needed."""
        found: list[Unchanged] = []
        for key in await self._store.all(AgentKey, limit=MANY) if self._subject else []:
            if key.withheld or on_all:
                continue
            if key.initiator == self._subject and key.alive(self._now):
                self._left.append(key.id)
            elif key.initiator == self._subject or (
                not key.alive(self._now) and speaks_of(self._subject, key.purpose, key.by)
            ):
                found.append(Unchanged(AgentKey.kind, key.id, key.revision))
        return found

    async def _access(self) -> list[Unchanged]:
        """How the person signs in, and their keys. Who still works here needs them."""
        kind, _, person = self._subject.partition(":")
        if kind != USER or not person:
            return []
        login = await self._store.get(Login, handle_of(person))
        logins = [] if login is None or login.withheld else [login]
        keys = [
            each for each in await self._store.all(ApiKey, limit=MANY) if each.person == person and not each.withheld
        ]
        found = [Unchanged(each.kind, each.key, each.revision) for each in (*logins, *keys)]
        stop = next((each.id for each in self._holds if each.subject == self._subject), None)
        if stop is not None and found:
            self._held[stop] = self._held.get(stop, 0) + len(found)
        elif person in self._people:
            self._works_here = bool(found)
        else:
            return found
        return []

    def _speaks(self, beside: Unwind | LegalHold | Loss | Erasure) -> bool:
        """Whether the reason that a person gave names whom this is about."""
        return speaks_of(self._subject, beside.why)

    def _agreed(self, kind: str, key: str) -> bool:
        """Whether it may go, as far as what was agreed to goes."""
        if self._only is None or (kind, key) in self._only:
            return True
        self._since.append(key)
        return False

    async def _goes(self, name: str, going: set[str]) -> bool:
        """Whether the action or task `name` is about to go, or went before a crash that left the words about it."""
        if name in going:
            return True
        if not name:
            return False
        found = await self._store.get(Action, name) or await self._store.get(Task, name)
        return found is not None and found.withheld == "erased"

    async def _actions(self) -> AsyncIterator[Action]:
        """Every action that has something private, newest first."""
        before: ActionId | None = None
        while page := await self._store.actions(ActionQuery(before=before, limit=PAGE)):
            for action in page:
                if not action.withheld:
                    yield action
            before = page[-1].id
            await anyio.lowlevel.checkpoint()
