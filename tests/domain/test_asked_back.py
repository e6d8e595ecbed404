"""What a server asks back: what the gate is shown is all that the client is asked."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.asked_back import QUESTIONS, Question, agreed, shown, takes
from interlock.domain.contract import checked
from interlock.domain.errors import NotAllowed
from interlock.domain.upstream import Server, Stdio
from interlock.domain.upstream_reads import beside_tools

ASKS = tuple(QUESTIONS.values())
MESSAGE = {"role": "user", "content": {"type": "text", "text": "grüß dich"}}
SAMPLE: dict[str, Any] = {
    "messages": [MESSAGE],
    "modelPreferences": {"costPriority": 0.5},
    "systemPrompt": "be kind",
    "includeContext": "allServers",
    "temperature": 0.7,
    "maxTokens": 10,
    "stopSequences": ["end"],
    "metadata": {"a": 1},
    "tools": [{"name": "t", "inputSchema": {"type": "object"}}],
    "toolChoice": {"mode": "auto"},
}
FORM: dict[str, Any] = {"message": "which?", "mode": "form", "requestedSchema": {"type": "object", "properties": {}}}
URL: dict[str, Any] = {"message": "go there", "mode": "url", "url": "https://x", "elicitationId": "e1"}

CASES: list[tuple[Question, dict[str, Any]]] = [("sample", SAMPLE), ("elicit", FORM), ("elicit", URL), ("roots", {})]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**60) | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
members = st.sampled_from([*SAMPLE, *FORM, *URL, "task", "_meta", "unknown"])
questions = st.dictionaries(members, values, max_size=8)


@pytest.mark.proves("gateway.asked_as_agreed")
@pytest.mark.parametrize(("what", "params"), CASES)
def test_a_question_that_was_agreed_to_is_the_one_that_was_asked(what: Question, params: dict[str, Any]) -> None:
    """What every version of the protocol has is shown, and what was shown makes the same question again."""
    before = shown(what, params)
    assert set(before) <= set(takes(what))
    assert agreed(what, before) == params


@pytest.mark.proves("gateway.asked_as_agreed")
@given(what=st.sampled_from(ASKS), params=questions)
def test_what_was_not_shown_is_not_asked(what: Question, params: dict[str, Any]) -> None:
    """Two questions that the gate is shown alike reach the client alike, whatever else a server wrote into one of them: what is
    asked again is shown as it was."""
    before = shown(what, params)
    asked = agreed(what, before)
    assert set(asked) <= {*SAMPLE, *FORM, *URL}
    assert asked == agreed(what, dict(before))
    again = shown(what, asked)
    assert agreed(what, again) == asked


@pytest.mark.proves("gateway.asked_as_agreed")
@pytest.mark.parametrize(
    ("argument", "member"), [("system", "systemPrompt"), ("tools", "tools"), ("metadata", "metadata")]
)
def test_what_a_reviewer_emptied_is_not_asked(argument: str, member: str) -> None:
    """A member that somebody made empty is left out, and the server's own is not there in its place."""
    asked = agreed("sample", {**shown("sample", SAMPLE), argument: ""})
    assert asked == {name: each for name, each in SAMPLE.items() if name != member}


def test_what_a_reviewer_altered_is_what_is_asked() -> None:
    """Every member goes out as it was altered; an address only where an address is what is asked for."""
    asked = agreed("elicit", {**shown("elicit", URL), "url": "https://y", "message": "there"})
    assert (asked["url"], asked["message"]) == ("https://y", "there")
    assert "url" not in agreed("elicit", {**shown("elicit", URL), "url": ""})
    assert "url" not in agreed("elicit", shown("elicit", {**FORM, "url": "https://hidden"}))
    assert agreed("sample", {**shown("sample", SAMPLE), "max_tokens": 5})["maxTokens"] == 5


def test_words_are_shown_as_they_would_be_read() -> None:
    """A rule that looks for a word finds it in the text of the messages, beyond ASCII too."""
    assert "grüß dich" in str(shown("sample", SAMPLE)["messages"])


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "NaN", "x"])
def test_a_text_that_is_no_json_any_more_is_no_question(text: str) -> None:
    """What somebody altered into something else is refused, and nothing is asked."""
    with pytest.raises(NotAllowed, match="no JSON"):
        agreed("sample", {**shown("sample", SAMPLE), "messages": text})


def test_the_contract_takes_what_is_shown() -> None:
    """Every question that is one fits the contract it is an action of."""
    server = Server(name="s", way=Stdio(command=("x",)), sampling="ask", elicitation="ask", roots="ask")
    contracts = {str(each.name): checked(each) for each in beside_tools(server)}
    for what, params in CASES:
        assert contracts[f"s.{what}"].takes.is_valid(shown(what, params))
