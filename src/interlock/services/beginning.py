"""Tasks as instances begin them: who opens one proves who it is, and nobody else acts in it.

The key of an instance ends with its process. A process that goes on with what another began takes the task over: on record,
and only as the same agent at the same release. From then on the one before is refused.
"""

from typing import Final

import msgspec

from interlock.domain.asking import begin_call, resume_call
from interlock.domain.change import Change, given
from interlock.domain.errors import Conflict, ContractError, KeyReused, NotAllowed
from interlock.domain.ids import AgentName, TaskId, is_id
from interlock.domain.presented import Presented
from interlock.domain.task import Opening, Task
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.admission import Admitted, once, refused
from interlock.services.delegating import Delegating
from interlock.services.known_tasks import stored_task
from interlock.services.saving import save
from interlock.services.tasks import Tasks, task_fact

_NO_ID: Final = "leave `id` away, or make a new UUIDv7 for each task"


class Beginnings:
    """Opens tasks for instances, and binds them to others that go on."""

    def __init__(self, *, store: Store, tasks: Tasks, delegating: Delegating, clock: Clock) -> None:
        self._store = store
        self._tasks = tasks
        self._delegating = delegating
        self._clock = clock

    async def open(self, opening: Opening, presented: Presented) -> Task:
        """Open a task for the instance that asks. Its proof is spent in the same commit.

        One that names its own id is opened once: asked for again by the same instance it is the same task. Raises NotAllowed for
        who is not proven to be the agent, or not the one that acts in the task around it; CredentialStale when another
        release came into force meanwhile; KeyReused where the id is another task's; and what opening a task raises.
        """
        call = begin_call(opening, self._delegating.audience)
        admitted = await self._delegating.admitted(presented, opening.agent, call)
        instance = admitted.instance
        if opening.parent is not None:
            around = await stored_task(self._store, opening.parent.id)
            if not admitted.holds(around):
                raise refused("task_instance")
        if opening.id is not None and not is_id(opening.id):
            raise ContractError("a task's id is a UUID, as Interlock makes them", path="/id", next_step=_NO_ID)
        # By which tokens a task was handed on nobody says but the chain that opens it.
        said = msgspec.structs.replace(opening, instance=instance, spent=admitted.spent, delegated=None, ends_at=None)
        before = None if opening.id is None else await self._store.get(Task, opening.id)
        if before is None:
            try:
                return await once(self._tasks.open(said))
            except Conflict as conflict:
                if (conflict.kind, conflict.key) != (Task.kind, opening.id):
                    raise
            before = await stored_task(self._store, TaskId(opening.id or ""))
        return await self._opened_before(before, said, admitted)

    async def _opened_before(self, found: Task, opening: Opening, admitted: Admitted) -> Task:
        """The task of that id, which is this very one, asked for again because its answer was lost. Raises KeyReused for
        another."""
        if await self._store.spent(admitted.spent):
            raise refused("proof_replayed")
        parent = None if opening.parent is None else opening.parent.id
        mine = found.instance == admitted.instance and found.delegated is None
        same = (found.agent, found.purpose, found.parent) == (opening.agent, opening.purpose, parent)
        if not (mine and same):
            raise KeyReused("the id belongs to another task", next_step=_NO_ID)
        return found

    async def resume(self, task_id: TaskId, agent: AgentName, presented: Presented) -> Task:
        """Take over an open task of `agent` for the instance that asks, which acts in it from then on, and alone.

        Raises NotFound, and NotAllowed for a task that is over, of another agent or release, or that was handed on: that one is
        its holder's. Taking over what one has changes nothing.
        """
        admitted = await self._delegating.admitted(presented, agent, resume_call(task_id, self._delegating.audience))
        instance = admitted.instance
        while True:
            task, now = await stored_task(self._store, task_id), self._clock.now()
            if task.agent != agent:
                raise refused("credential_agent")
            if task.delegated is not None:
                raise refused("token_holder")
            if task.state != "open" or now >= task.expires_at:
                raise NotAllowed(f"the task is {'over' if task.state == 'open' else task.state}")
            if task.release != admitted.release:
                raise NotAllowed(
                    "the task was begun at another release than the one in force", next_step="begin another task"
                )
            # What was taken back of one instance is not given to another, nor taken from it by one that was.
            control = await self._delegating.must_count(task, admitted)
            after = msgspec.structs.replace(task, instance=instance)
            change = Change(
                puts=(after,),
                given=(given(control),),
                facts=(task_fact(after, "resumed", now),),
                spent=admitted.spent,
            )
            try:
                await once(save(self._store, change))
            except Conflict:
                continue
            return after.saved()
