"""`budgets` and `uses`: what is left, what was noticed, and what models took."""

import pytest

import interlock
from tests.cli.shell import Shell

FILE = """
budgets:
  tokens: {limit: 100, per: day, soft: 500}
  calls: {limit: 9, per: release}
"""


def asked(shell: Shell) -> None:
    """A task in which models were asked, under budgets."""
    file = shell.place.folder / "agents" / "ag.yaml"
    file.write_text(file.read_text() + FILE)
    with interlock.open(shell.place.folder, apply=True) as client, client.task("ag", purpose="ask") as task:
        for output in (20, 40):
            with task.model_use("gpt-4o-mini", input_tokens=0, max_output_tokens=output) as use:
                use.settle(input_tokens=0, output_tokens=output)
        with task.model_use("own", input_tokens=1, max_output_tokens=0):
            pass


@pytest.mark.proves("budget.told")
def test_budgets_are_listed_with_what_was_noticed(shell: Shell) -> None:
    """Of those that renew the one of now; the soft share that was reached is told once, with when it renews."""
    asked(shell)

    found = shell.json("budgets")
    said = shell("budgets").out

    stood = {(each["scope"], each["unit"], each["per"]): each for each in found["budgets"]}
    day = stood["agent:ag", "tokens", "day"]
    assert (day["spent"], day["left"], day["noticed"]) == (61, 39, True)
    assert stood["agent:ag", "calls", "release"]["left"] == 9
    assert stood["tenant", "EUR", ""]["limit"] == 100_000
    (notice,) = found["notices"]
    assert (notice["used"], notice["soft"], notice["by"].partition(":")[0]) == (60, 500, "use")
    assert "60 of the 100 tokens per day for agent:ag are used (noticed from 500 per mille on); it renews at" in said


@pytest.mark.proves("use.lost")
def test_uses_of_models_are_listed_with_what_they_took_together(shell: Shell) -> None:
    """By agent and model, in tokens and in dollars where a price is known; of one agent or task where that is asked."""
    asked(shell)

    found = shell.json("uses")
    said = shell("uses", "--limit", "1").out

    assert [(each["model"], each.get("state", "open")) for each in found["uses"]] == [
        ("own", "lost"),
        ("gpt-4o-mini", "settled"),
        ("gpt-4o-mini", "settled"),
    ]
    mini, own = found["took"]
    assert (mini["uses"], mini["output"], mini["cost"], mini["lost"]) == (2, 60, 36, 0)
    assert (own["input"], own["cost"], own["lost"]) == (1, None, 1)
    assert "0.000036" in said
    assert "1 of 3" in said
    task = found["uses"][0]["task"]
    assert len(shell.json("uses", "--task", task[-12:], "--agent", "ag")["uses"]) == 3
    assert shell.json("uses", "--agent", "helper")["uses"] == []
    assert shell.json("uses", "--agent", "helpr", code=1)["error"]["next"] == "did you mean `helper`?"
    assert shell("verify").code == 0
    assert shell("audit", "export", str(shell.place.folder / "out")).code == 0
    key = str(shell.place.folder / ".interlock" / "keys" / "log.pub")
    assert shell("audit", "verify", str(shell.place.folder / "out"), "--key", key).code == 0
