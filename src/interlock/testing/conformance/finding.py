"""Finding records again."""

from typing import Any

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import Approval, hold
from interlock.domain.change import Change
from interlock.domain.ids import Digest, Person
from interlock.domain.policy import Requirement
from interlock.domain.task import Task
from interlock.domain.use import Use
from interlock.ports.store import ActionQuery
from interlock.testing.conformance.making import NOON, action, task, use
from interlock.testing.conformance.world import Both, Promise, World, expect


async def _ids(store: Both, query: ActionQuery) -> list[str]:
    return [each.id for each in await store.actions(query)]


async def newest_first_in_pages(world: World) -> None:
    """Actions come newest id first, in pages that join without gap or repeat; oldest first on request."""
    store = await world.open()
    made = [action() for _ in range(7)]
    await store.commit(Change(puts=tuple(reversed(made))))
    newest_first = [each.id for each in reversed(made)]

    expect(await _ids(store, ActionQuery()) == newest_first, "newest first")
    expect(await _ids(store, ActionQuery(oldest_first=True)) == newest_first[::-1], "oldest first")
    expect(await _ids(store, ActionQuery(oldest_first=True, limit=2)) == newest_first[:-3:-1], "the two oldest")
    pages: list[str] = []
    page = await store.actions(ActionQuery(limit=3))
    while page:
        pages += [each.id for each in page]
        page = await store.actions(ActionQuery(limit=3, before=page[-1].id))
    expect(pages == newest_first, "pages join")


async def every_field_narrows(world: World) -> None:
    """Each field of a query narrows it alone and together with others, in lists and in counts."""
    store = await world.open()
    plain = action()
    others: dict[str, Action] = {
        "task": action(task="task-2"),
        "agent": action(agent="support"),
        "release": action(release="9" * 64),
        "contract": action(contract="mail.send"),
        "fingerprint": action(fingerprint="8" * 64),
        "undoes": action(undoes=plain.id),
    }
    held = action(state="held")
    await store.commit(Change(puts=(plain, held, *others.values())))

    for field, other in others.items():
        query = ActionQuery(**{field: getattr(other, field)})
        expect(await _ids(store, query) == [other.id], f"by {field}")
        expect(await store.count(query) == 1, f"counted by {field}")
    states = ActionQuery(states=("held", "done"))
    expect(await _ids(store, states) == [held.id], "by state")
    expect(await store.count(ActionQuery(states=("held", "ready"), limit=1)) == 8, "a count has no limit")
    expect(await store.count(ActionQuery(undos=False)) == 7, "undos may be left out")
    expect(await store.count(ActionQuery(task=held.task, states=("held",))) == 1, "fields combine")
    expect(await store.count(ActionQuery(task=others["task"].task, states=("held",))) == 0, "and exclude each other")


async def what_is_inside_a_task_is_found(world: World) -> None:
    """The tasks opened right inside one, open or closed, in the order of their ids, and no others."""
    here, there = await world.open(), await world.open()
    root = task()
    first, second = (task(parent=root.id, ancestors=(root.id,)) for _ in range(2))
    below = task(parent=first.id, ancestors=(root.id, first.id))
    await here.commit(Change(puts=(root, below, second, first, task())))
    await there.commit(Change(puts=(msgspec.structs.replace(first.saved(), state="closed"),)))

    expect([each.id for each in await here.inside(root.id)] == [first.id, second.id], "both of them")
    expect([each.state for each in await there.inside(root.id)] == ["closed", "open"], "as they are now")
    expect([each.id for each in await here.inside(first.id)] == [below.id], "and what is further in from where it is")
    expect(await here.inside(second.id) == [], "nothing where nothing is")


async def what_is_due_is_found(world: World) -> None:
    """Tasks and uses of models whose time has come, the earliest due first, each by its own kind, no more than asked for."""
    here, there = await world.open(), await world.open()
    late, early, never, later = (task(due_at=each) for each in (NOON, NOON - 9, None, NOON + 1))
    lost = use(due_at=NOON - 1)
    await here.commit(Change(puts=(late, early, never, later, lost, use(due_at=None))))

    due = await there.due(Task, now=NOON, limit=10)
    expect([each.id for each in due] == [early.id, late.id], "what is due, the earliest first")
    expect([each.id for each in await there.due(Task, now=NOON, limit=1)] == [early.id], "as many as asked for")
    expect([each.id for each in await there.due(Use, now=NOON, limit=9)] == [lost.id], "uses by themselves")
    await here.commit(Change(puts=(msgspec.structs.replace(early.saved(), due_at=None),)))
    expect([each.id for each in await there.due(Task, now=NOON, limit=9)] == [late.id], "what was seen to is not")


async def queries_see_what_changed(world: World) -> None:
    """A saved action is found by what it is now, no longer by what it was."""
    here, there = await world.open(), await world.open()
    first = action()
    await here.commit(Change(puts=(first,)))
    later = msgspec.structs.replace(
        first.saved(), state="held", fingerprint=Digest("7" * 64), due_at=NOON + 5, place="p", ended_at=NOON
    )
    await here.commit(Change(puts=(later,)))

    expect(await there.count(ActionQuery(fingerprint=first.fingerprint)) == 0, "no longer by the old fingerprint")
    expect(await there.actions(ActionQuery(fingerprint=later.fingerprint)) == [later.saved()], "but by the new")
    expect(await there.count(ActionQuery(states=("ready",))) == 0, "no longer by the old state")
    expect(await there.count(ActionQuery(states=("held",))) == 1, "but by the new")


async def the_due_are_told_from_those_that_wait(world: World) -> None:
    """Of many that wait, `due_by` gives and counts those that fall due by then; what never falls due is not among them."""
    store = await world.open()
    held = [action(state="held", due_at=due) for due in (NOON, NOON + 1, NOON + 5, None)]
    await store.commit(Change(puts=tuple(held)))

    for until, due in ((NOON - 1, 0), (NOON, 1), (NOON + 4, 2), (NOON + 9, 3)):
        query = ActionQuery(states=("held",), due_by=until, oldest_first=True)
        expect([each.id for each in await store.actions(query)] == [each.id for each in held[:due]], f"by {until}")
        expect(await store.count(query) == due, f"as many are counted by {until}")


def _asked(due: int, *roles: str, **changes: Any) -> Action:
    """An action that people with these roles are to decide on until then."""
    made = action(state="held", due_at=due - 7, **changes)
    needs = tuple(Requirement(policy=f"p{n}", role=role, quorum=1) for n, role in enumerate(roles))
    same: dict[str, Any] = {name: Digest("a" * 64) for name in ("action", "contract", "release", "bundle", "view")}
    return msgspec.structs.replace(made, hold=hold(**same, requirements=needs, expires_at=due))


def _spoken(action: Action, word: Approval) -> Action:
    """`action` after somebody's word."""
    return (
        action
        if action.hold is None
        else msgspec.structs.replace(action, hold=msgspec.structs.replace(action.hold, approvals=(word,)))
    )


async def what_waits_is_listed_by_its_deadline(world: World) -> None:
    """What people are to decide on comes by deadline, whatever is due before; pages join without gap or repeat."""
    here, there = await world.open(), await world.open()
    made = [_asked(NOON + due, "lead") for due in (5, 1, 3, 1, 9, 3)]
    await here.commit(
        Change(puts=(*made, action(), action(state="held", due_at=NOON), action(state="done", due_at=None)))
    )
    by_deadline = [each.id for each in sorted(made, key=lambda each: (each.deadline, each.id))]

    expect(await _ids(there, ActionQuery(waiting=True)) == by_deadline, "by deadline, then by id")
    expect(await there.count(ActionQuery(waiting=True, limit=1)) == 6, "all of them are counted")
    pages: list[str] = []
    page = await there.actions(ActionQuery(waiting=True, limit=2))
    while page:
        pages += [each.id for each in page]
        place = (page[-1].deadline or 0, page[-1].id)
        page = await there.actions(ActionQuery(waiting=True, limit=2, after=place))
    expect(pages == by_deadline, "pages join")
    decided = msgspec.structs.replace(made[1].saved(), state="ready")
    later = msgspec.structs.replace(made[0].saved(), hold=_asked(NOON + 99, "lead").hold)
    await here.commit(Change(puts=(decided, later)))
    now = [each for each in by_deadline if each not in (decided.id, later.id)]
    expect(
        await _ids(there, ActionQuery(waiting=True)) == [*now, later.id], "what was decided is not, what moved is last"
    )


async def what_waits_is_narrowed(world: World) -> None:
    """Of what waits some can be asked for: by agent, contracts, and the roles whose word is still wanted."""
    here, there = await world.open(), await world.open()
    price = _asked(NOON + 3, "lead", "finance")
    mail = _asked(NOON + 2, "lead", contract="mail.send", agent="support")
    odd = _asked(NOON + 1, 'le"ad', "lead2", contract="a.b")
    await here.commit(Change(puts=(price, mail, odd, action(contract="mail.send"))))

    async def found(**narrowed: Any) -> list[str]:
        query = ActionQuery(waiting=True, **narrowed)
        ids = await _ids(there, query)
        expect(await there.count(query) == len(ids), f"as many are counted: {narrowed}")
        return ids

    expect(await found(roles=("lead",)) == [mail.id, price.id], "by role")
    expect(await found(roles=('le"ad', "finance")) == [odd.id, price.id], "by any of the roles")
    expect(await found(roles=("ead", "lea")) == [], "a part of a name is not the name")
    expect(await found(agent="support") == [mail.id], "by agent")
    expect(await found(contracts=("mail.send", "a.b")) == [odd.id, mail.id], "by contracts")
    expect(await found(contracts=("a.b",), roles=("lead",)) == [], "fields combine")
    expect(await _ids(there, ActionQuery(roles=("finance",))) == [price.id], "a role is asked only where people decide")
    expect(await there.count(ActionQuery(contracts=(mail.contract,))) == 2, "contracts narrow what does not wait, too")
    binding = Digest("") if price.hold is None else price.hold.binding
    spoken = Approval(person=Person("fay"), roles=("finance",), verdict="approve", binding=binding, decided_at=1)
    await here.commit(Change(puts=(_spoken(price.saved(), spoken),)))
    expect(await found(roles=("finance",)) == [], "a role that has spoken is asked no more")
    expect(await found(roles=("lead",)) == [mail.id, price.id], "the others are")


async def small_kinds_are_listed(world: World) -> None:
    """All records of a kind come newest key first, up to the limit, and none of another kind; the next page begins after the
    last of this one."""
    store = await world.open()
    made = [task() for _ in range(5)]
    await store.commit(Change(puts=(*made, action())))

    listed = await store.all(type(made[0]), limit=3)
    rest = await store.all(type(made[0]), limit=3, before=listed[-1].key)

    keys = [each.key for each in reversed(made)]
    expect([each.key for each in listed] == keys[:3], "newest first")
    expect([each.key for each in rest] == keys[3:], "then the others")


async def the_next_due_is_known(world: World) -> None:
    """The earliest due time is that over all actions of the places asked for, and None when nothing there is ever due."""
    store = await world.open()
    everywhere = ("", "a", "b")
    expect(await store.next_due_at(everywhere) is None, "nothing is due")
    await store.commit(Change(puts=(action(due_at=None, state="done"),)))
    expect(await store.next_due_at(everywhere) is None, "what has ended is not due")
    early = action(due_at=NOON + 3, place="b")
    await store.commit(Change(puts=(action(due_at=NOON + 9), action(due_at=NOON + 5, place="a"), early)))
    expect(await store.next_due_at(everywhere) == NOON + 3, "the earliest of all")
    expect(await store.next_due_at(("",)) == NOON + 9, "what only other processes can run keeps nobody awake")
    expect(await store.next_due_at(("c",)) is None, "nothing waits there")
    await store.commit(Change(puts=(msgspec.structs.replace(early.saved(), due_at=None),)))
    expect(await store.next_due_at(everywhere) == NOON + 5, "the next after it")


PROMISES: tuple[Promise, ...] = (
    newest_first_in_pages,
    every_field_narrows,
    queries_see_what_changed,
    the_due_are_told_from_those_that_wait,
    what_waits_is_listed_by_its_deadline,
    what_waits_is_narrowed,
    small_kinds_are_listed,
    the_next_due_is_known,
    what_is_inside_a_task_is_found,
    what_is_due_is_found,
)
