"""`agent key`: made by an owner, told once, listed, revoked; what cannot be meant is a mistake of the command line."""

import json

import pytest

from tests.cli.shell import Shell


def test_a_key_is_made_listed_and_revoked(shell: Shell) -> None:
    """It says who is let in, for whom, within what and until when; the list holds no secret; revoked twice is once."""
    shell.proposed(1)
    said = ("agent", "key", "new", "ag", "--purpose", "tidy up", "--as", "rita")
    made = shell.json(
        *said,
        *("--on-behalf-of", "user:cleo", "--for", "models,mcp", "--lasts", "1h", "--task-lasts", "10m"),
        *("--tools", json.dumps({"box.put": {"n": {"constraint_type": "range", "max": 5}}})),
        *("--prohibit", "box.drop", "--budget", "calls=5", "--budget", "EUR=100"),
    )
    assert made["key"].startswith(f"ila_{made['id']}.")
    assert (made["agent"], made["on_behalf_of"], made["for"]) == ("ag", "user:cleo", ["mcp", "models"])
    assert made["bounds"]["budgets"] == {"calls": 5, "EUR": 100}
    assert made["bounds"]["prohibited"] == ["box.drop"]
    assert made["expires_at"] - made["made_at"] == 3_600_000
    assert "it is not shown again" in shell(*said).out

    listed = shell("agent", "key", "list", "--agent", "ag").out
    assert made["id"][:8] in listed
    assert made["key"].partition(".")[2] not in listed + shell("agent", "key", "list", "--json").out
    assert "no key of an agent" in shell("agent", "key", "list", "--agent", "helper").out
    assert shell.json("agent", "key", "revoke", made["key"], "--as", "ana")["already"] is False
    assert shell.json("revoke", f"key:{made['id']}", "--as", "ana")["already"] is True
    assert f"key:{made['id']}" in shell("revoke").out
    rows = {each["id"]: each["counts"] for each in shell.json("agent", "key", "list")}
    assert rows[made["id"]] is False
    assert shell("revoke", "client:https://id.example#assistant", "--as", "ana").code == 0
    assert "client:https://id.example#assistant" in shell("revoke").out
    assert shell("verify").code == 0


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--as", "ria"), 1, "answers neither"),
        ((), 1, "nobody said who you are"),
        (("--as", "rita", "--lasts", "100d"), 1, "at most 90 days"),
        (("--as", "rita", "--lasts", "soon"), 2, "--lasts"),
        (("--as", "rita", "--for", "people"), 1, "nothing that is spoken to"),
        (("--as", "rita", "--on-behalf-of", "user:"), 1, "on whose behalf"),
        (("--as", "rita", "--tools", "box.put"), 2, "no JSON"),
        (("--as", "rita", "--tools", '{"box.put": 5}'), 2, "--tools"),
        (("--as", "rita", "--tools", '{"box.putt": {}}'), 1, "box.putt"),
        (("--as", "rita", "--prohibit", "box.putt"), 1, "box.putt"),
        (("--as", "rita", "--budget", "many"), 2, "no budget"),
    ],
)
def test_what_is_refused(shell: Shell, more: tuple[str, ...], code: int, said: str) -> None:
    """Who does not answer for the agent, a span, an initiator, tools or budgets that there are not: said, and nothing is made."""
    shell.proposed(1)
    answer = shell("agent", "key", "new", "ag", "--purpose", "tidy up", *more)

    assert answer.code == code, answer
    assert said in (answer.out + answer.err).replace("\n", " ")
    assert shell.json("agent", "key", "list") == []


def test_a_key_that_is_none_is_not_revoked(shell: Shell) -> None:
    """An id in no form of ours, and one that nobody has."""
    shell.proposed(1)
    assert shell.json("agent", "key", "revoke", "x", "--as", "ana", code=1)["error"]["code"] == "contract"
    assert shell.json("agent", "key", "revoke", "0" * 32, "--as", "ana", code=1)["error"]["code"] == "not_found"
    assert shell.json("revoke", "client:no-issuer", "--as", "ana", code=1)["error"]["code"] == "contract"
