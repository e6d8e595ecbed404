"""Handing on a task: the control plane's own tokens, and the tasks that tokens open.

`token` gives whoever acts in a task a token of it, from which further ones are derived with that one's key alone, without asking
anybody. `open` opens what a chain of them names: asked by whoever hands the task on, at once, or by whoever it was handed to,
when it first comes. Either way the record of the task and the entry that says by which tokens it was opened are one commit, under
the id that the token names: of any number who open it at once, or again after a crash, one does.
"""

from interlock.domain.agent import Agent
from interlock.domain.asking import token_call
from interlock.domain.chain import Chain
from interlock.domain.change import Change
from interlock.domain.control import Control
from interlock.domain.credential import wrong_with
from interlock.domain.delegation import delegated_by, ids_of, up_to
from interlock.domain.duration import SECOND
from interlock.domain.errors import Conflict, CredentialStale, KeyFileError, NotAllowed
from interlock.domain.grant import Grant, GrantError, anything_with, meet
from interlock.domain.handover import Opened, Work
from interlock.domain.ids import AgentName, ContractName, TaskId, is_id
from interlock.domain.in_force import must_act
from interlock.domain.jwk import b64, thumbprint
from interlock.domain.jws import JwsError
from interlock.domain.minting import Holder, Tree, minted
from interlock.domain.possession import Call
from interlock.domain.presented import Presented
from interlock.domain.revocation import pseudonym
from interlock.domain.spiffe import plane_id
from interlock.domain.task import Opening, Task
from interlock.domain.token import DEFAULT_DEPTH, MAX_BUDGETS, Token, TokenError
from interlock.ports.clock import Clock, Ids
from interlock.ports.issuer import Issuer
from interlock.ports.store import Store
from interlock.services.admission import Admission, Admitted, once, refused
from interlock.services.known_tasks import stored_task
from interlock.services.orders import StandingOrders
from interlock.services.saving import save
from interlock.services.tasks import Tasks


class Delegating:
    """Where tasks are handed on."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        tasks: Tasks,
        admission: Admission,
        issuer: Issuer | None,
        clock: Clock,
        ids: Ids,
        tenant: str,
    ) -> None:
        self._store = store
        self._orders = orders
        self._tasks = tasks
        self._admission = admission
        self._issuer = issuer
        self._clock = clock
        self._ids = ids
        self._tenant = tenant

    async def token(self, task_id: TaskId, presented: Presented) -> str:
        """A token of the task for the instance that asks, which acts in it: for 15 minutes, or until the task ends.

        To whom a task was handed on its record says: so whoever it was has a new token whenever it asks, and needs no old one. It
        grants what the agent and the task grant together. Raises NotFound, and NotAllowed for who is not proven to act in the
        task, or where nothing is left of it.
        """
        issuer, task = self._held(), await stored_task(self._store, task_id)
        call = token_call(task_id, self.audience)
        admitted = await self.admitted(presented, task.agent, call)
        if not admitted.holds(task):
            raise refused("task_instance" if task.delegated is None else "token_holder")
        must_act(task.agent, await self.must_count(task, admitted))
        now = self._clock.now()
        if task.state != "open" or now >= task.expires_at:
            raise NotAllowed(f"the task is {'over' if task.state == 'open' else task.state}")
        await self._spend(admitted)
        agent = await self._orders.agent((await self._orders.release(task.release)).agent_digest)
        grant = self._grant(task, agent, (await self._orders.refresh()).rights_of(task.initiator))
        root = (*task.ancestors, task.id)[0]
        tree = Tree(
            audience=self.audience,
            tenant=self._tenant,
            root=root,
            initiator=pseudonym(_unguessable(root, issuer), task.initiator),
            run=task.run,
        )
        try:
            return minted(
                tree,
                Holder(agent=task.agent, key=self._key(presented, issuer), release=task.release),
                grant,
                task=task.id,
                jti=self._ids.new(),
                now=now,
                ends_at=task.expires_at,
                kid=thumbprint(issuer.keys()[issuer.kid]),
                sign=issuer.sign,
                budgets=task.budgets if len(task.budgets) <= MAX_BUDGETS else {},
                max_depth=DEFAULT_DEPTH if task.delegated is None else task.delegated.further,
            )
        except (TokenError, JwsError) as error:
            raise NotAllowed(f"no token of this task can be given: {error}") from None

    async def open(self, asked: Opened, presented: Presented) -> Task:
        """The task that the last token of a chain names, opened if it is not, with those around it that are not.

        Whoever asks holds one of the tokens and presents the chain up to it. Raises NotAllowed for a chain that does not count,
        and for a task that is there and was not opened by it; and what opening a task raises.
        """
        issuer = self._held()
        chain = self._admission.chain(asked.chain, issuer, self._clock.now())
        if isinstance(chain, str):
            raise refused(chain)
        if not presented.chain or presented.chain != asked.chain[: len(presented.chain)]:
            raise refused("token_missing")
        if chain.leaf.task != asked.task or len(asked.works) != len(chain.tokens):
            raise refused("token_task")
        call = asked.call(self.audience)
        admitted = await self.admitted(presented, asked.agent, call)
        await self._spend(admitted)
        task = await self._root(chain)
        await self.must_count(task, admitted, chain)
        for count in range(2, len(chain.tokens) + 1):
            task = await self._opened(up_to(chain, count), asked.works[count - 1], task)
        if task.state != "open":
            raise NotAllowed(f"the task is {task.state}", next_step="have the work handed on in another task")
        return task

    @property
    def audience(self) -> str:
        """For whom tokens and proofs are made."""
        return plane_id(self._held().trust_domain)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _root(self, chain: Chain) -> Task:
        task = await stored_task(self._store, TaskId(chain.root.task))
        if task.holder not in ("", chain.holders[0]):
            raise refused("task_instance" if task.delegated is None else "token_holder")
        return task

    async def _opened(self, chain: Chain, work: Work | None, parent: Task) -> Task:
        """The task of the last token, inside `parent`. Of all who open it at once one does."""
        leaf = chain.leaf
        for _ in range(2):
            found = await self._store.get(Task, leaf.task)
            if found is not None:
                if found.delegated is None or found.delegated.tokens != ids_of(chain) or found.parent != parent.id:
                    raise refused("token_task")
                return found
            if not (is_id(leaf.task) and is_id(leaf.jti)):
                # Whoever handed it on chose them: they name records and budgets, and stand in the log in the open.
                raise refused("token_malformed")
            if work is None or work.digest != leaf.work:
                raise NotAllowed(
                    "the text does not say what the task is about, as its token has it",
                    next_step="have the task handed on anew, and hand over its text whole",
                )
            self._must_be_theirs(leaf, work.to)
            try:
                return await self._tasks.open(_opening(chain, work, parent))
            except Conflict:
                continue
        raise refused("token_task")

    def _must_be_theirs(self, leaf: Token, text: str) -> None:
        """The key that a task is handed to is one that this control plane gave a credential to, as that agent."""
        issuer = self._held()
        found = self._admission.credential(text, issuer)
        if isinstance(found, str):
            raise refused(found)
        wrong = wrong_with(
            found,
            trust_domain=issuer.trust_domain,
            tenant=self._tenant,
            agent=AgentName(leaf.agent),
            now=leaf.iat * SECOND,
        )
        if wrong is not None:
            raise refused(wrong)
        if found.cnf != leaf.cnf:
            raise refused("token_holder")

    def _key(self, presented: Presented, issuer: Issuer) -> bytes:
        found = self._admission.credential(presented.credential, issuer)
        if isinstance(found, str):
            raise refused(found)
        return found.cnf.jwk.public

    def _grant(self, task: Task, agent: Agent, may_lend: Grant | None) -> Grant:
        """All that may be handed on of a task, where whoever it is for may lend `may_lend`."""
        grants = [anything_with(each for each in agent.capabilities if each not in task.prohibited)]
        if task.tools is not None:
            grants.append(task.tools)
        if may_lend is not None:
            grants.append(may_lend)
        try:
            return meet(*grants)
        except GrantError as error:
            raise NotAllowed(f"what this task may do is too much to say in a token: {error}") from None

    async def must_count(self, task: Task, admitted: Admitted, chain: Chain | None = None) -> Control:
        """The standing orders under which nothing of it is revoked. Raises NotAllowed where something is."""
        orders = await self._orders.refresh()
        taken = await self._orders.revoked(orders, task, admitted.caller, chain)
        if taken is not None:
            raise NotAllowed(await self._orders.taken(taken), next_step="have the work given out anew")
        return orders.control

    async def admitted(self, presented: Presented, agent: AgentName, call: Call) -> Admitted:
        """Who asks, as `agent`. Raises NotAllowed, and CredentialStale when another release came into force meanwhile."""
        admitted = self._admission.proven(presented, agent, call, self._held())
        if isinstance(admitted, str):
            raise refused(admitted)
        code = self._admission.standing(admitted, agent, (await self._orders.refresh()).control)
        if code == "credential_release":
            raise CredentialStale("another release came into force meanwhile")
        if code is not None:
            raise refused(code)
        return admitted

    async def _spend(self, admitted: Admitted) -> None:
        """Its proof counts once, here too."""
        await once(save(self._store, Change(spent=admitted.spent)))

    def _held(self) -> Issuer:
        if self._issuer is None:
            raise KeyFileError("this control plane gives no tokens: it holds no key to sign them with")
        return self._issuer


def _opening(chain: Chain, work: Work, parent: Task) -> Opening:
    leaf = chain.leaf
    return Opening(
        id=TaskId(leaf.task),
        agent=AgentName(leaf.agent),
        purpose=work.purpose,
        initiator=parent.initiator,
        budgets=leaf.budgets,
        prohibited=tuple(ContractName(each) for each in work.prohibited),
        parent=parent,
        plan=work.plan,
        run=leaf.run,
        tools=leaf.grant,
        data=work.data,
        delegated=delegated_by(chain, parent.delegated),
        ends_at=work.ends_at,
    )


def _unguessable(root: TaskId, issuer: Issuer) -> str:
    """The same for one tree each time, and nothing that whoever sees a token, in which `root` stands, could try names with: an
    Ed25519 signature (RFC 8032 signs one message in one way) over what no token, credential or proof begins with."""
    return b64(issuer.sign(f"initiator of {root}".encode()))
