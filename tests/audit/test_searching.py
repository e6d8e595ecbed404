"""The index over the log: it answers as looking at every action would, can be lost, and forgets when it is told to."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import apsw
import msgspec
import pytest

from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.domain.card import ANY, Card, Question, Word, touched
from interlock.domain.contract import Contract, NoReversal, checked
from interlock.domain.errors import ContractError, IntegrityError
from interlock.domain.evidence import at
from interlock.domain.ids import ActionId
from interlock.domain.policy import Policy
from interlock.ports.derived import Reached
from interlock.services.searching import Searching
from interlock.testing.world import World, contract
from tests.audit.ledger import Ledger
from tests.cli.shell import Shell
from tests.domain.logs import filled

pytestmark = pytest.mark.anyio

BEGIN = 1_800_000_000_000


def _about(**schema: Any) -> Contract:
    """A contract whose arguments are records."""
    properties: dict[str, Any] = {"n": {"type": "integer"}, "order": {"type": "string"}, **schema}
    return contract(
        "order.pay",
        input_schema={
            "type": "object",
            "properties": properties,
            "required": ["n"],
            "additionalProperties": False,
        },
        touches={"order": "$args.order", "number": "$args.n"},
        reversal=NoReversal(why="paid is paid"),
        risk="high",
    )


# -- the index ------------------------------------------------------------------------------------------------------------


def _some_cards(count: int) -> list[Card]:
    """Cards of many actions in an order that no clock gives: entries of one action stand far apart."""
    rng = random.Random(7)  # noqa: S311  the same story every time
    known: list[tuple[ActionId, int]] = []
    cards: list[Card] = []
    for n in range(count):
        if known and rng.random() < 0.5:
            action, begun = rng.choice(known)
            words = {ANY, Word("approver", f"p{rng.randrange(3)}")}
        else:
            action, begun = ActionId(f"a-{n}"), BEGIN + rng.randrange(count) * 1000
            known.append((action, begun))
            words = {ANY, Word("agent", f"ag{rng.randrange(3)}"), Word("touching", f"order:{rng.randrange(5)}")}
        cards.append(Card(action, at(begun), rng.choice(["held", "done", "failed", ""]), frozenset(words)))
    return cards


def _looked_through(cards: Sequence[Card], wanted: Question) -> list[str]:
    """The same answer, by looking at every card."""
    words: dict[str, set[Word]] = {}
    state: dict[str, str] = {}
    begun: dict[str, str] = {}
    for card in cards:
        words.setdefault(card.action, set()).update(card.words)
        begun.setdefault(card.action, card.at)
        state[card.action] = card.state or state.get(card.action, "")
    since, until = at(wanted.since_at or 0), at(wanted.until_at or 4_000_000_000_000)
    order = {action: place for place, action in enumerate(words)}
    fitting = [
        action
        for action, has in words.items()
        if set(wanted.words) <= has
        and (not wanted.states or state[action] in wanted.states)
        and since <= begun[action] < until
    ]
    return sorted(fitting, key=lambda each: (begun[each], order[each]), reverse=True)[: wanted.limit]


@pytest.mark.proves("audit.query_exact")
async def test_it_answers_as_looking_at_everything_does(tmp_path: Path) -> None:
    """For many questions over entries in any order, in one file or taken in steps of any size: the same actions."""
    cards = _some_cards(600)
    index = AuditIndex.open(tmp_path / "x.audit")
    reached = Reached()
    for start in range(0, 600, 77):
        some = cards[start : start + 77]
        now = Reached(start + len(some), b"leaf")
        assert await index.take(some, given=reached, now=now)
        reached = now
    rng = random.Random(3)  # noqa: S311  the same questions every time
    asked = 0
    for _ in range(200):
        words = {Word("agent", f"ag{rng.randrange(4)}"), Word("touching", f"order:{rng.randrange(6)}")}
        words.add(Word("approver", f"p{rng.randrange(3)}"))
        since = BEGIN + rng.randrange(600_000)
        wanted = Question(
            words=tuple(sorted(rng.sample(sorted(words), rng.randrange(3)))),
            states=tuple(rng.sample(["held", "done", "failed", "unknown"], rng.randrange(3))),
            since_at=rng.choice([None, since]),
            until_at=rng.choice([None, since + 200_000]),
            limit=rng.choice([1, 5, 1000]),
        )
        found = await index.find(wanted)
        asked += bool(found)
        assert found == _looked_through(cards, wanted)
        pages, page = list[str](), await index.find(msgspec.structs.replace(wanted, limit=7))
        while page:
            pages += page
            page = await index.find(msgspec.structs.replace(wanted, limit=7, before=page[-1]))
        assert pages == _looked_through(cards, msgspec.structs.replace(wanted, limit=1000))
    await index.close()

    assert asked > 50


@pytest.mark.proves("audit.query_derived")
async def test_what_was_read_is_read_once(tmp_path: Path) -> None:
    """Of two processes that read the same entries one adds them; a step that fails adds nothing and can be repeated."""
    cards = _some_cards(20)
    first, second = AuditIndex.open(tmp_path / "x.audit"), AuditIndex.open(tmp_path / "x.audit")
    assert await first.take(cards, given=Reached(), now=Reached(20, b"l"))
    assert not await second.take(cards, given=Reached(), now=Reached(20, b"l"))
    broken = Card(ActionId("b"), at(BEGIN), "done", frozenset({Word("agent", "\ud800")}))
    with pytest.raises(UnicodeEncodeError):
        await second.take([*_some_cards(3), broken], given=Reached(20, b"l"), now=Reached(24, b"l"))

    assert await second.reached() == Reached(20, b"l")
    assert await second.find(Question(limit=100)) == _looked_through(cards, Question(limit=100))
    await first.close()
    await second.close()


@pytest.mark.proves("audit.query_derived")
@pytest.mark.parametrize("harm", [b"", b"rubbish" * 1000, None])
async def test_a_file_that_is_lost_or_damaged_is_made_anew(tmp_path: Path, harm: bytes | None) -> None:
    """Empty, rubbish, or of another version: thrown away, and begun again with nothing read."""
    path = tmp_path / "x.audit"
    index = AuditIndex.open(path)
    await index.take(_some_cards(5), given=Reached(), now=Reached(5, b"l"))
    await index.close()
    if harm is None:
        other = apsw.Connection(str(path))
        other.pragma("user_version", 99)
        other.close()
    else:
        path.write_bytes(harm)
    again = AuditIndex.open(path)

    assert await again.reached() == Reached()
    assert await again.find(Question()) == []
    assert path.stat().st_mode & 0o077 == 0
    await again.close()


@pytest.mark.proves("audit.query_forgets")
async def test_it_keeps_no_name_and_forgets_by_whom_an_action_was(tmp_path: Path) -> None:
    """No byte of the file holds a name; a forgotten action is found by what is public about it, and by no person."""
    ana, order = Word("initiator", "user:ana@example.com"), Word("touching", "order:SECRET-17")
    cards = [
        Card(ActionId(name), at(BEGIN), "done", frozenset({ANY, ana, order, Word("agent", "AGENT-X")}))
        for name in ("a-1", "a-2")
    ]
    index = AuditIndex.open(tmp_path / "x.audit")
    await index.take(cards, given=Reached(), now=Reached(2, b"l"))
    erased = [ActionId("a-1"), ActionId("nobody")]
    assert await index.take([], given=Reached(2, b"l"), now=Reached(3, b"m"), erased=erased)

    assert await index.find(Question(words=(ana,))) == ["a-2"]
    assert await index.find(Question(words=(order,))) == ["a-2"]
    assert await index.find(Question(words=(Word("agent", "AGENT-X"),))) == ["a-2", "a-1"]
    assert await index.take([], given=Reached(3, b"m"), now=Reached(4, b"n"), erased=[ActionId("a-2")])
    assert await index.find(Question(words=(ana,))) == []
    await index.close()
    stored = _bytes_in(tmp_path)
    assert not any(name in stored for name in (b"ana@", b"SECRET", b"AGENT-X"))


def _bytes_in(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir())


# -- over a log -----------------------------------------------------------------------------------------------------------


async def _busy() -> World:
    """A world in which some was allowed, some approved, some rejected, some denied."""
    world = World()
    await world.apply(
        _about(),
        contract(),
        rules=(
            (Policy(id="permit.all", effect="permit", owner="pia"), lambda _: True),
            (Policy(id="deny.nine", effect="forbid", owner="pia"), lambda asked: asked.arguments.get("n") == 9),
        ),
    )
    task = await world.task("user:ana")
    other = await world.task("user:ben")
    await world.propose(task, n=1)
    await world.propose(other, n=9)
    for n, order in ((1, "A"), (2, "B")):
        held = await world.propose(task, "order.pay", n=n, order=order)
        assert held.state == "held"
    return world


async def _found(searching: Searching, *words: Word, **asked: Any) -> list[tuple[str, str]]:
    answer = await searching.find(Question(words=words, **asked))
    return [(hit.contract, hit.state) for hit in answer.hits]


@pytest.mark.proves("audit.query_exact")
async def test_actions_are_found_by_who_what_why_and_about_which_record() -> None:
    """By initiator, agent, contract, policy, state and record, and by several at once; newest first, and told why."""
    world = await _busy()
    index = AuditIndex.open(None)
    searching = Searching(store=world.store, log=world.store, index=lambda: index)

    assert await _found(searching, Word("initiator", "user:ben")) == [("thing.put", "denied")]
    assert await _found(searching, Word("policy", "deny.nine")) == [("thing.put", "denied")]
    assert await _found(searching, Word("touching", "order:A")) == [("order.pay", "held")]
    assert await _found(searching, Word("touching", "number:2"), Word("initiator", "user:ana")) == [
        ("order.pay", "held")
    ]
    assert await _found(searching, Word("touching", "number:2"), Word("initiator", "user:ben")) == []
    assert len(await _found(searching, Word("agent", "ag"))) == 4
    assert await _found(searching, states=("held",), limit=1) == [("order.pay", "held")]
    answer = await searching.find(Question(states=("held",), limit=1))
    assert (answer.more, answer.hits[0].touches, answer.hits[0].verdict) == (
        True,
        ("number:2", "order:B"),
        "require_approval",
    )
    await index.close()


@pytest.mark.proves("audit.query_derived")
async def test_an_index_over_another_log_is_made_again(tmp_path: Path) -> None:
    """Where what it has read is not the beginning of this log, it begins anew; a hole in the log is named."""
    before, after = await _busy(), await _busy()
    index = AuditIndex.open(tmp_path / "x.audit")
    await Searching(store=before.store, log=before.store, index=lambda: index).catch_up()
    searching = Searching(store=after.store, log=after.store, index=lambda: index)
    found = await searching.find(Question())

    assert [hit.action for hit in found.hits] == [each.id for each in reversed(await after.actions())]
    await index.clear()

    holed = filled(300)
    del holed.rows[256]
    with pytest.raises(IntegrityError):
        await Searching(store=after.store, log=holed, index=lambda: index).catch_up()
    await index.close()


@pytest.mark.proves("audit.query_forgets")
async def test_an_erasure_in_the_log_is_followed() -> None:
    """When the index reads that entries were erased, it forgets by whom and about what their actions were."""
    ledger = Ledger()
    ledger.act("a-1", initiator="user:ana")
    ledger.act("a-2", initiator="user:ana")
    ledger.note = ledger.checkpoint().decode()
    index, world = AuditIndex.open(None), World()
    searching = Searching(store=world.store, log=ledger, index=lambda: index)
    await searching.catch_up()
    wanted = Question(words=(Word("initiator", "user:ana"),))
    assert await index.find(wanted) == ["a-2", "a-1"]
    ledger.put("erased", "erasure", body={"covers": "0-1"})
    ledger.note = ledger.checkpoint().decode()
    await searching.catch_up()

    assert await index.find(wanted) == ["a-2"]
    assert await index.find(Question(words=(Word("agent", "ag"),))) == ["a-2", "a-1"]
    await index.close()


@pytest.mark.proves("audit.touches")
async def test_records_are_read_out_of_the_arguments() -> None:
    """A text, a number, each of a list, one in an object; what is absent, empty or no name is no record."""
    said = _about(lines={"type": "array"}, flag={"type": "boolean"}, gone={"type": "string"})
    touches = {"order": "$args.order.id", "line": "$args.lines", "flag": "$args.flag", "gone": "$args.gone"}
    said = checked(msgspec.structs.replace(said, touches=touches))
    arguments: dict[str, Any] = {"order": {"id": 17}, "lines": ["a", "b", ""], "flag": True}

    assert touched(said, arguments) == {"order:17", "line:a", "line:b"}


@pytest.mark.proves("audit.touches")
@pytest.mark.parametrize(
    "touches", [{"two words": "$args.n"}, {"order": "n"}, {"order": "$args.other"}, {"": "$args.n"}]
)
async def test_what_touches_no_argument_is_refused(touches: dict[str, str]) -> None:
    """A record is one word and an argument that exists, or the contract does not hold."""
    with pytest.raises(ContractError):
        contract(touches=touches)


def test_the_command_finds_what_was_done(shell: Shell) -> None:
    """`audit query` answers with what fits, refuses what is no state or no record, and its index can be deleted."""
    assert shell("run", "thing.put", "--agent", "ag", "--args", '{"n": 3}').code in (0, 1, 5)
    everything = shell("audit", "query", "--json").json()
    index = next(shell.place.folder.rglob("*.audit"))
    index.unlink()

    assert shell("audit", "query", "--json").json() == everything
    assert "did you mean `ag`" in shell("audit", "query", "--agent", "agg").err
    assert "did you mean `box.put`" in shell("audit", "query", "--contract", "box.putt").err
    assert shell("audit", "query", "--agent", "agg").code == 1
    assert shell("audit", "query", "--since", "1d", "--until", "30d").code == 2
    assert shell("audit", "query", "--state", "dun").code == 1
    assert shell("audit", "query", "--touching", "A-17").code == 1
    assert shell("audit", "query", "--since", "yesterday").code == 2


def test_the_words_of_the_index_are_one_table() -> None:
    """A hundred entries of one action are one action."""
    cards = [Card(ActionId("a"), at(BEGIN), "held", frozenset({ANY})) for _ in range(100)]

    async def work() -> list[ActionId]:
        index = AuditIndex.open(None)
        await index.take(cards, given=Reached(), now=Reached(100, b"l"))
        found = await index.find(Question())
        await index.close()
        return found

    assert anyio.run(work) == ["a"]
