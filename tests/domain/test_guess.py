"""What a tool does, guessed: never that it only reads where it acts, and graver wherever anybody cannot tell."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tau2.data import FOLDER
from interlock.domain.contract import RISKS
from interlock.domain.guess import Guess, guess
from interlock.domain.tool_words import NOUNS, READS, READS_LAST, STRONG, THINGS, UNLESS, words_of

REFERENCE: Final = Path(__file__).parents[1] / "adopting" / "reference_tools.json"
"""The tools of the reference servers as they list them, and whether each acts: changes something, or reaches where it is told."""


def words_in(text: str) -> tuple[str, ...]:
    """Names, apart."""
    return tuple(text.split())


ACTING: Final = words_in(
    "delete_user sendEmail create-invoice get_or_create_user find_and_replace read_and_clear_queue check_in_guest checkout "
    "list_item_for_sale list_product mark_as_read get_rid_of_user search_and_order getanddeleteuser pop_message query run_sql "
    "show_notification order_list post_view look_after get_access_token transfer_to_human_agents downloadFile refundOrder "
    "g\u0435t_user 删除用户 frobnicate x rm deleteuser get_and_email fetch_then_post"
)
READING: Final = words_in(
    "get_order getUserPosts list_orders read_file search_emails find_user_id_by_email git_status describe_table is_open "
    "list_directory count_messages has_access lookup_invoice compare-branches"
)


def reads(**given: Any) -> bool:
    """Whether it is still guessed to read."""
    return not guess("get_thing", **given).acts


@pytest.mark.proves("adopt.guess_never_light")
@pytest.mark.parametrize("name", ACTING)
def test_a_name_that_acts_or_says_nothing_is_guessed_to_act(name: str) -> None:
    """A word that acts, a doubtful neighbour, other letters or nothing at all: it acts."""
    assert guess(name).acts


@pytest.mark.parametrize("name", READING)
def test_a_name_that_plainly_reads_is_guessed_to_read(name: str) -> None:
    """Else every first look would be held."""
    assert not guess(name).acts


@pytest.mark.proves("adopt.guess_never_light")
def test_no_tool_of_the_reference_servers_that_acts_is_guessed_to_read() -> None:
    """Seven servers, 56 tools: the dangerous direction is empty, and most of what reads is seen to."""
    tools = json.loads(REFERENCE.read_text(encoding="utf-8"))
    guessed = {each["name"]: guess(each["name"], **_said(each)) for each in tools}
    wrongly = [each["name"] for each in tools if each["acts"] and not guessed[each["name"]].acts]
    seen = [each["name"] for each in tools if not each["acts"] and not guessed[each["name"]].acts]
    reading = [each for each in tools if not each["acts"]]

    assert wrongly == []
    assert len(seen) / len(reading) > 0.6, sorted({each["name"] for each in reading} - set(seen))


@pytest.mark.proves("adopt.guess_never_light")
@pytest.mark.skipif(not (FOLDER / "tools.json").exists(), reason="the study's data is not beside this project")
def test_no_tool_of_the_retail_benchmark_that_acts_is_guessed_to_read() -> None:
    """Its own data says which change the shop."""
    reading = {"calculate", "get_call_log", "list_all_product_types"}
    for each in json.loads((FOLDER / "tools.json").read_text(encoding="utf-8")):
        name = each["name"]
        found = guess(name, description=each["description"], arguments=each["input_schema"]["properties"])
        acts = not name.startswith(("get_", "find_", "list_")) and name not in reading
        assert found.acts == acts, name


@pytest.mark.proves("adopt.guess_only_graver")
@given(
    st.text(max_size=40),
    st.text(max_size=200),
    st.lists(st.text(max_size=20), max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_what_is_said_of_a_tool_never_makes_the_guess_lighter(
    name: str, description: str, arguments: list[str], reads_only: bool, destroys: bool
) -> None:
    """For all names: a description, arguments and hints leave the guess as it is, or make it graver."""
    alone = guess(name)
    said = guess(
        name,
        description=description,
        arguments=arguments,
        hints={"readOnlyHint": reads_only, "destructiveHint": destroys, "idempotentHint": True},
    )

    assert _weight(said) >= _weight(alone)
    assert said.acts or not alone.acts


@pytest.mark.proves("adopt.guess_never_light")
@given(
    st.sampled_from(sorted(STRONG)), st.sampled_from(sorted(READS | READS_LAST)), st.booleans(), st.sampled_from("_-. ")
)
def test_no_verb_that_reads_hides_one_that_acts(acting: str, reading: str, first: bool, between: str) -> None:
    """For every pair: `get_delete` and `delete_get` act."""
    if acting == reading:
        return
    assert guess(between.join([acting, reading] if first else [reading, acting])).acts


@pytest.mark.parametrize(
    "given",
    [
        {"description": "Deletes the thing and gives it back."},
        {"description": "Get it; then email the owner."},
        {"description": "获取"},
        {"arguments": ["command"]},
        {"arguments": ["webhook_url"]},
        {"arguments": ["\u0440ath"]},
        {"arguments": ["deleteAfter"]},
        {"hints": {"readOnlyHint": False}},
        {"hints": {"destructiveHint": True}},
        {"code": ["its code calls `post`"]},
    ],
)
def test_anything_that_speaks_against_it_counts(given: dict[str, Any]) -> None:
    """A description, an argument, a hint or the code: one is enough, and it is named."""
    assert reads()
    assert not reads(**given)
    assert guess("get_thing", **given).why


@pytest.mark.parametrize(
    "given",
    [
        {"description": "Returns the order. Use it when a call, a report or a release is asked for."},
        {"description": "Get it in ISO format, with the start and the last modified time"},
        {"arguments": ["order_id", "limit", "start_date"]},
        {"hints": {"readOnlyHint": True, "destructiveHint": False}},
    ],
)
def test_what_is_only_a_thing_does_not(given: dict[str, Any]) -> None:
    """`format` and `order` in a description are things."""
    assert reads(**given)


def test_what_nobody_can_tell_is_guessed_for_the_worst() -> None:
    """External and critical, and it says that it does not know."""
    assert guess("frobnicate") == Guess(
        effect="external", risk="critical", why="because nothing in its name says what it does", sure=False
    )


def test_a_read_of_what_is_private_is_no_small_matter() -> None:
    """Its risk is high."""
    assert (guess("get_secret").effect, guess("get_secret").risk) == ("read", "high")


def test_the_tables_hold_together() -> None:
    """No word acts and reads; what is a thing in a sentence is a word that acts; what stands beside a verb is beside one."""
    assert not READS & (STRONG.keys() | NOUNS.keys())
    assert not STRONG.keys() & NOUNS.keys()
    assert STRONG.keys() >= THINGS - NOUNS.keys()
    assert UNLESS.keys() <= READS
    assert words_of("getUser_by-id HTTPServer2") == ("get", "user", "by", "id", "http", "server", "2")


def _said(tool: dict[str, Any]) -> dict[str, Any]:
    return {"description": tool["description"], "arguments": tool["arguments"], "hints": tool["hints"]}


def _weight(found: Guess) -> tuple[bool, int]:
    effects = ("read", "write", "external")
    return effects.index(found.effect) > 0, RISKS.index(found.risk)


def test_a_guess_is_a_value() -> None:
    """It goes through JSON and back."""
    found = guess("delete_user")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Guess) == found
