"""What is normal of an agent, what departs from it, and how often that is said wrongly."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.baseline import (
    FAR,
    LEAST_ACTIONS,
    LEAST_DAYS,
    LEAST_HOURS,
    LEAST_USES,
    MEANS,
    UNUSUAL,
    Baseline,
    Observation,
    Unusual,
    backtest,
    learned,
    rushes,
)
from interlock.domain.duration import DAY, HOUR
from interlock.domain.ids import AgentName, ContractName

AG = AgentName("ag")
PUT, MAIL = ContractName("box.put"), ContractName("mail.send")
NINE = 20_000 * DAY + 9 * HOUR
"""Nine in the morning of some day, UTC."""


def action(
    at: int = NINE, name: ContractName = PUT, *, normal: bool = True, eur: int = 100, kind: str = "box"
) -> Observation:
    """One use of a contract."""
    return Observation(contract=name, kinds=(kind,), amounts={"EUR": eur}, at=at, normal=normal)


def month() -> list[Observation]:
    """Twenty days on which it acts eight times each, at nine and at ten."""
    return [action(NINE + day * DAY + (n % 2) * HOUR + n) for day in range(20) for n in range(8)]


def made(actions: Iterable[Observation]) -> Baseline:
    """What they come to."""
    return learned(AG, actions, since_at=NINE, until_at=NINE + 30 * DAY)


NORMAL = made(month())


@pytest.mark.proves("baseline.flags")
@pytest.mark.parametrize(
    ("one", "in_hour", "found"),
    [
        (action(), 8, ()),
        (action(eur=200), 1, ()),
        (action(eur=201), 1, ("amount",)),
        (action(name=MAIL), 1, ("contract",)),
        (action(NINE + 2 * HOUR), 1, ()),
        (action(NINE - HOUR), 1, ()),
        (action(NINE + 3 * HOUR), 1, ("hour",)),
        (action(NINE - 2 * HOUR), 1, ("hour",)),
        (action(), 9, ("rate",)),
        (action(kind="customer"), 1, ("record",)),
        (action(NINE + 6 * HOUR, MAIL, kind="customer"), 99, ("contract", "hour", "rate", "record")),
    ],
)
def test_what_departs_is_named(one: Observation, in_hour: int, found: tuple[str, ...]) -> None:
    """Nothing that came up before, nor up to twice the most of it, an hour late; each other thing by its own word."""
    assert NORMAL.unusual(one, in_hour) == found


@pytest.mark.proves("baseline.enough")
def test_too_little_flags_nothing_and_says_so() -> None:
    """Of each thing, one observation fewer than it takes says nothing about it, in words that name how many there are."""
    strange = action(NINE + 6 * HOUR, MAIL, kind="customer", eur=10**9)
    short: tuple[tuple[Unusual, int, list[Observation]], ...] = (
        ("contract", LEAST_ACTIONS, [action(NINE + n) for n in range(LEAST_ACTIONS - 1)]),
        ("record", LEAST_ACTIONS, [action(NINE + n) for n in range(LEAST_ACTIONS - 1)]),
        ("hour", LEAST_DAYS, [action(NINE + n * DAY) for n in range(LEAST_DAYS - 1)]),
        ("rate", LEAST_HOURS, [action(NINE + n * HOUR) for n in range(LEAST_HOURS - 1)]),
    )
    for name, least, fewer in short:
        before = made(fewer)
        assert name not in before.unusual(strange, 10**6)
        assert before.unready()[name].startswith(f"{least - 1} of {least} ")
    costly = [action(NINE + n) for n in range(LEAST_USES - 1)]
    assert "amount" not in made(costly).unusual(action(eur=10**9), 1)
    assert made(costly).unready()["amount"].startswith("19 of 20")
    assert "amount" in made([*costly, action()]).unusual(action(eur=10**9), 1)
    assert made([]).unready().keys() == set(UNUSUAL) == set(MEANS)
    assert made([]).unusual(strange, 10**6) == ()
    assert NORMAL.unready() == {}


@pytest.mark.proves("baseline.let_through")
def test_what_was_kept_back_makes_nothing_normal() -> None:
    """Whoever is refused often enough is as strange as before; it only shows how fast the agent is."""
    refused = [action(NINE + 6 * HOUR + n, MAIL, normal=False, kind="customer", eur=10**9) for n in range(500)]
    after = made([*month(), *refused])

    assert (after.contracts, after.records, after.hours, after.amounts) == (
        NORMAL.contracts,
        NORMAL.records,
        NORMAL.hours,
        NORMAL.amounts,
    )
    assert after.busiest == 500


OBSERVED = st.builds(
    Observation,
    contract=st.sampled_from([PUT, MAIL]),
    kinds=st.sets(st.sampled_from(["box", "customer"])).map(tuple),
    amounts=st.dictionaries(st.sampled_from(["EUR", "USD"]), st.integers(1, 10**9), max_size=2),
    at=st.integers(NINE, NINE + 40 * DAY),
    normal=st.booleans(),
)


@given(st.lists(OBSERVED, max_size=300), st.randoms())
def test_nothing_it_was_learned_from_is_unusual(actions: list[Observation], chance: object) -> None:
    """In whatever order it came: what was let through is not flagged by what was learned from it, at the pace it had."""
    found = made(actions)
    shuffled = sorted(actions, key=lambda each: each.at)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random, which its type does not say

    assert made(shuffled).digest == found.digest
    assert {flag for each in actions if each.normal for flag in found.unusual(each, found.busiest)} == set()
    assert rushes(found, actions) == {}


def test_hours_in_which_it_did_far_more_are_found() -> None:
    """Of all processes together, from twice the busiest on, by when they began."""
    night = [action(NINE + 12 * HOUR + n) for n in range(FAR * NORMAL.busiest + 1)]

    assert rushes(NORMAL, [*month(), *night]) == {NINE + 12 * HOUR: 9}
    assert rushes(made(month()[:8]), night) == {}


@pytest.mark.proves("baseline.tested")
def test_its_own_past_says_how_often_it_would_be_wrong() -> None:
    """The newer half held against what the older half makes normal; an agent that goes on as before is not flagged at all,
    and where the older half is too little that is said."""
    steady = backtest(AG, month() + [action(each.at + 20 * DAY) for each in month()])
    assert (steady.actions, steady.flagged, steady.by, steady.unready) == (160, 0, {}, {})

    changed = backtest(AG, month() + [action(each.at + 20 * DAY, name=MAIL) for each in month()])
    assert (changed.actions, changed.flagged, changed.by) == (160, 160, {"contract": 160})

    short = backtest(AG, month()[:20])
    assert (short.actions, short.flagged, tuple(short.unready)) == (10, 0, UNUSUAL)
    assert backtest(AG, []).actions == 0


def test_how_likely_the_next_is_new() -> None:
    """Good's estimate: what came up once only, of all."""
    assert NORMAL.new() == {"contract": 0, "record": 0}
    assert made([*month(), action(name=MAIL, kind="customer")]).new() == {"contract": 6, "record": 6}


def test_a_baseline_is_the_same_after_storing() -> None:
    """Read back it is the one that was agreed to; saving it again makes no other, and each other count does."""
    stored = msgspec.json.decode(msgspec.json.encode(NORMAL.saved()), type=Baseline)

    assert stored.digest == NORMAL.digest == NORMAL.key
    assert stored.unusual(action(name=MAIL), 1) == ("contract",)
    assert made(month()[1:]).digest != NORMAL.digest
