"""`figures` and `measures`: what they print, what they refuse, and that what they stand on can be lost."""

import pytest

from tests.cli.shell import Shell


@pytest.mark.proves("figures.exact")
def test_the_figures_of_a_day_are_printed(shell: Shell) -> None:
    """What was done, held, denied and approved is counted, for people and for programs; also after the file was lost."""
    shell("run", "box.put", "--agent", "ag", "--args", '{"n": 1}')
    shell("run", "box.put", "--agent", "ag", "--args", '{"n": 2000}')
    shell("run", "box.put", "--agent", "ag", "--args", '{"n": 200}')
    (held,) = shell("actions", "--waiting", "--json").json()
    assert shell("--as", "rita", "approve", held["id"]).code == 0
    shell("work", "--until-idle")
    seen = shell("figures", "--json").json()

    tiles = {each["name"]: each for each in seen["tiles"]}
    assert (tiles["escalation"]["value"], tiles["escalation"]["of"]) == (333, 3)
    assert tiles["policy_blocks"]["value"] == 333
    assert (seen["asks"], seen["blocks"], seen["behind"]) == ({"ask": 1}, {"no": 1}, 0)
    (reviewer,) = shell("measures", "--by", "reviewer", "--json").json()["rows"]
    assert (reviewer["name"], reviewer["asked"]) == ("rita", 1)
    said = shell("measures", "--by", "policy").out
    assert "policy ask: people were asked 1 times, 0 still waiting" in said
    assert "asked people for: ask (1)" in shell("figures").out
    next(shell.place.folder.rglob("*.figures")).write_bytes(b"rubbish" * 1000)
    again = shell("figures", "--json").json()
    assert [each["value"] for each in again["tiles"]] == [each["value"] for each in seen["tiles"]]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("figures", "--last", "never"), 2),
        (("figures", "--last", "1m"), 1),
        (("figures", "--last", "900d"), 1),
        (("measures", "--by", "contracts"), 2),
    ],
)
def test_what_is_no_span_or_kind_is_refused(shell: Shell, words: tuple[str, ...], code: int) -> None:
    """A span is between an hour and 400 days; measures are kept by what there is, and the nearest is named."""
    answer = shell(*words)

    assert answer.code == code
    assert "next" in answer.err or "between an hour" in answer.err or "did you mean" in answer.err
