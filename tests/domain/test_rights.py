"""What initiators may lend: the nearest counts, roles together, and whoever is not named lends nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.domain.bounds import beyond, narrowed
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import NotAllowed
from interlock.domain.grant import NOTHING, Grant, GrantError, anything_with, join, narrower, read_grant
from interlock.domain.ids import AgentName, ContractName, Digest, Person, TaskId
from interlock.domain.rights import Lending, Rights, widened
from interlock.domain.selector import Selector
from interlock.domain.task import Task
from interlock.testing.world import contract
from tests.domain.delegations import CALLS, GRANTS

PEOPLE = {
    Person("ana"): ("clerk",),
    Person("bo"): ("clerk", "lead"),
    Person("cy"): ("porter",),
    Person("dot"): ("lead",),
}


def upto(most: int) -> Grant:
    """Refunds of at most so much."""
    return read_grant({"tools": {"refund": {"amount": {"constraint_type": "range", "min": 0, "max": most}}}})


def in_unit(unit: str, most: int) -> Grant:
    """The same in one unit."""
    amount: JsonValue = {"constraint_type": "range", "max": most}
    return read_grant({"tools": {"refund": {"amount": amount, "unit": {"constraint_type": "exact", "value": unit}}}})


RIGHTS = Rights(
    initiators={
        "user:dot": upto(7),
        "user:*": upto(1),
        "customer:*": anything_with(["ask"]),
        "customer:c-9": NOTHING,
        "system:nightly": upto(3),
    },
    roles={"clerk": upto(10), "lead": upto(20)},
)


@pytest.mark.proves("rights.nearest")
@pytest.mark.parametrize(
    ("initiator", "most"),
    [
        ("user:ana", 10),
        ("ana", 10),
        ("user:bo", 20),
        ("user:dot", 7),
        ("user:cy", 1),
        ("user:nobody", 1),
        ("system:nightly", 3),
        ("system:other", None),
        ("role:lead", None),
        ("User:ana", 10),
        ("user", 1),
        ("", None),
        ("user:", None),
        ("customer:c-1", None),
    ],
)
def test_the_nearest_counts(initiator: str, most: int | None) -> None:
    """A name's own, else its roles together, else its kind; a role is nobody, and a kind that is not named lends nothing."""
    mine = Lending(RIGHTS, PEOPLE).of(initiator)

    found = [amount for amount in range(30) if mine.admits("refund", {"amount": amount}) is None]
    assert found == list(range(most + 1) if most is not None else [])


@pytest.mark.proves("rights.nearest")
def test_a_name_of_its_own_may_lend_nothing() -> None:
    """Though its kind may."""
    lending = Lending(RIGHTS, PEOPLE)

    assert lending.of("customer:c-1").admits("ask", {}) is None
    assert lending.of("customer:c-9").admits("ask", {}) is not None


def test_a_role_is_nobody() -> None:
    """A program that calls its initiator by a role gets nothing by that, whatever stands under the name."""
    lending = Lending(Rights(initiators={"role:lead": upto(5), "role:*": upto(5)}, roles={"lead": upto(5)}), PEOPLE)

    assert lending.of("role:lead") == NOTHING
    assert (lending.counting("role:lead"), lending.counting("user:dot")) == ((), ("role:lead",))


def test_two_roles_that_cannot_be_said_as_one() -> None:
    """Each may be lent with its own arguments only: neither is taken for both, and the tool is named."""
    euros, francs = in_unit("EUR", 5), in_unit("CHF", 9)
    lending = Lending(Rights(roles={"clerk": euros, "lead": francs}), PEOPLE)

    assert lending.unsaid(Person("bo")) == ("refund",)
    assert lending.unsaid(Person("ana")) == ()
    assert lending.of("user:bo").admits("refund", {"amount": 1, "unit": "EUR"}) is not None
    own = Rights(roles={"clerk": euros, "lead": francs}, initiators={"user:bo": euros})
    assert Lending(own, PEOPLE).unsaid(Person("bo")) == ()


@pytest.mark.proves("rights.nearest")
@settings(max_examples=300)
@given(one=GRANTS, other=GRANTS, call=CALLS)
def test_what_is_joined_is_what_one_of_them_grants(
    one: Grant, other: Grant, call: tuple[str, dict[str, JsonValue]]
) -> None:
    """For all grants and calls: no more and no less, or it is refused."""
    try:
        both = join(one, other)
    except GrantError:
        return

    assert (both.admits(*call) is None) is (one.admits(*call) is None or other.admits(*call) is None)


def test_an_equal_value_of_another_type_is_another() -> None:
    """True is not 1, also where two grants are compared to be joined."""

    def only(value: Any, unit: str) -> Grant:
        said: JsonValue = {
            "n": {"constraint_type": "exact", "value": value},
            "unit": {"constraint_type": "exact", "value": unit},
        }
        return read_grant({"tools": {"put": said}})

    with pytest.raises(GrantError, match="more than one argument"):
        join(only(1, "EUR"), only(True, "CHF"))
    assert join(only(1, "EUR"), only(True, "EUR")).admits("put", {"n": True, "unit": "EUR"}) is None


PUT = contract("thing.put", touches={"thing": "$args.n"})
MUTE = contract("thing.mute")
_BOUNDED: tuple[Grant, ...] = tuple(
    read_grant({"tools": {"thing.put": {"n": {"constraint_type": "range", "min": low, "max": high}}}})
    for low, high in ((0, 9), (2, 6), (4, 4))
)
_DATA: tuple[Selector, ...] = tuple(
    Selector(records={"thing": each}) for each in ((*range(9), "*"), (3, 4, 5), (4,), ())
)


def task(**changes: Any) -> Task:
    """An open task."""
    given = Task(
        id=TaskId("t"),
        agent=AgentName("ag"),
        release=Digest("r"),
        purpose="test",
        initiator="user:ana",
        opened_at=0,
        expires_at=1,
    )
    return type(given)(**{name: getattr(given, name) for name in given.__struct_fields__} | changes)


@pytest.mark.proves("rights.bounded")
@pytest.mark.proves("task.tools")
@given(
    tools=st.none() | st.sampled_from(_BOUNDED),
    data=st.none() | st.sampled_from(_DATA),
    rights=st.none() | st.sampled_from(_BOUNDED),
    n=st.integers(-1, 10),
)
def test_what_is_admitted_is_admitted_by_each_part(
    tools: Grant | None, data: Selector | None, rights: Grant | None, n: int
) -> None:
    """For all tools, records and rights: a call is within the bounds if, and only if, it is within each of them."""
    parts = [each.admits("thing.put", {"n": n}) for each in (tools, rights) if each is not None]
    if data is not None:
        parts.append(data.admits({"thing": n}))

    over = beyond(task(tools=tools, data=data), PUT, {"n": n}, rights)

    assert (over is None) is all(each is None for each in parts)


@pytest.mark.proves("task.narrower")
@given(
    around=st.tuples(st.none() | st.sampled_from(_BOUNDED), st.none() | st.sampled_from(_DATA)),
    wanted=st.tuples(st.none() | st.sampled_from(_BOUNDED), st.none() | st.sampled_from(_DATA)),
    n=st.integers(-1, 10),
)
def test_a_task_inside_another_is_never_given_more(
    around: tuple[Grant | None, Selector | None], wanted: tuple[Grant | None, Selector | None], n: int
) -> None:
    """For all that it may ask for: what it may do, the one around it may."""
    outer = task(tools=around[0], data=around[1])
    try:
        tools, data = narrowed(*wanted, outer)
    except NotAllowed:
        return

    if beyond(task(tools=tools, data=data), PUT, {"n": n}, None) is None:
        assert beyond(outer, PUT, {"n": n}, None) is None


def test_what_does_not_say_what_it_touches_touches_nothing() -> None:
    """Where a task was given records; a contract that says it touches none is used."""
    given_some = task(data=Selector(records={"thing": (1,)}))
    silent = beyond(given_some, MUTE, {"n": 1}, None)

    assert silent is not None
    assert "does not say which records it touches" in silent.why
    assert beyond(given_some, contract("thing.mute", touches_nothing=True), {"n": 1}, None) is None
    assert beyond(task(), MUTE, {"n": 1}, None) is None


def test_a_task_whose_bounds_are_gone_does_nothing() -> None:
    """What it was given goes with what is private of it; without that it would seem to have no bounds."""
    over = beyond(task(withheld="erased"), PUT, {"n": 1}, None)

    assert over is not None
    assert over.rule == "interlock.task"


@pytest.mark.proves("rights.published")
def test_what_loosens_what_may_be_lent() -> None:
    """More of it, no rights at all, and being named no more, which falls back on a role or kind; less of it loosens nothing."""
    put = ContractName("refund")
    base = Rights(initiators={"user:dot": upto(7)}, roles={"clerk": upto(10)})

    def found(after: Rights | None) -> list[str]:
        return list(widened(base, after, put))

    assert found(Rights(initiators={"user:dot": upto(6)}, roles={"clerk": upto(10)})) == []
    assert found(Rights(initiators={"user:dot": NOTHING}, roles={"clerk": NOTHING})) == []
    assert found(Rights(initiators={"user:dot": upto(8)}, roles={"clerk": upto(10)})) == [
        "`user:dot` may lend it otherwise"
    ]
    assert found(Rights(initiators={"user:*": upto(1), "user:dot": upto(7)}, roles={"clerk": upto(10)})) == [
        "`user:*` may lend it otherwise"
    ]
    assert found(Rights(roles={"clerk": upto(10)})) == ["`user:dot` is not named any more in what may be lent"]
    assert found(None) == ["whoever it is for may lend all of it"]
    assert list(widened(None, base, put)) == []
    assert list(widened(base, Rights(initiators={"user:dot": upto(8)}, roles={"clerk": upto(10)}), "other")) == []


@given(grants=st.lists(st.sampled_from(_BOUNDED), min_size=1, max_size=3))
def test_each_is_within_what_is_joined(grants: list[Grant]) -> None:
    """What is joined of ranges takes each of them in."""
    assert all(narrower(each, join(*grants)) is None for each in grants)
