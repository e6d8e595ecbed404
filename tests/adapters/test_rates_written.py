"""Rates as files say them: read where they may stand, and told with line and column where they are none."""

from pathlib import Path

import pytest

from interlock.adapters.workspace import cross_check
from interlock.domain.duration import HOUR, MINUTE, SECOND
from interlock.domain.rate import Rate
from tests.adapters.workspace_files import AGENT, SEND, problems, read

RUNTIME, TIMEOUT = "max_task: 1h, models: [one]", "timeout: 10s\n"


def test_rates_are_read_where_they_may_stand(tmp_path: Path) -> None:
    """Of an agent, of a contract, of a cohort and of all; of a cohort in which nobody is, that is said."""
    workspace = read(
        tmp_path,
        {
            "agents/support.yaml": AGENT.replace(RUNTIME, f"{RUNTIME}, rate: {{calls: 30, per: 1m}}"),
            "contracts/send.yaml": SEND.replace(TIMEOUT, f"{TIMEOUT}rate: {{calls: 5, per_ms: 1000}}\n"),
            "interlock.yaml": "rates: {tag:web: {calls: 100, per: 1s}, tenant: {calls: 9, per: 1h}}\n",
        },
    )

    assert workspace.problems == ()
    (found,) = [each for each in cross_check(workspace, workspace.contracts) if "rate" in each.message]
    assert (found.severity, found.file, found.line, found.column) == ("warning", "interlock.yaml", 1, 18)
    assert found.message == "the rate of `tag:web` bounds nobody: no agent has that tag"
    assert workspace.agents[0].runtime.rate == Rate(calls=30, per_ms=MINUTE)
    (send,) = [each for each in workspace.contracts if each.name == "mail.send"]
    assert send.rate == Rate(calls=5, per_ms=SECOND)
    assert workspace.settings.rates == {
        "tag:web": Rate(calls=100, per_ms=SECOND),
        "tenant": Rate(calls=9, per_ms=HOUR),
    }


@pytest.mark.parametrize(
    ("file", "written", "says", "place"),
    [
        ("agents/support.yaml", "{calls: 0, per: 1m}", "`calls` must be from 1", (9, 101)),
        ("agents/support.yaml", "{calls: 3, per: soon}", "must be a duration", (9, 109)),
        ("agents/support.yaml", "{calls: 3}", "a rate needs `per`", (9, 93)),
        ("agents/support.yaml", "{per: 1m}", "a rate needs `calls`", (9, 93)),
        ("agents/support.yaml", "{calls: 3, per: 31d}", "30 days at most", (9, 109)),
        ("agents/support.yaml", "30", "must be a table", (9, 93)),
        ("agents/support.yaml", "{calls: 3, per: 1m, burst: 2}", "`burst` is no field", (9, 113)),
        ("contracts/send.yaml", "{calls: -1, per: 1m}", "`calls` must be from 1", (32, 15)),
        ("interlock.yaml", "{tag: {calls: 1, per: 1s}}", "a cohort such as `tag:web`", (1, 14)),
        ("interlock.yaml", "{tag:a b: {calls: 1, per: 1s}}", "a cohort such as `tag:web`", (1, 18)),
        ("interlock.yaml", "{tenant: {calls: 1}}", "a rate needs `per`", (1, 17)),
    ],
)
@pytest.mark.proves("rate.told")
def test_what_is_no_rate_is_told_with_its_place(
    tmp_path: Path, file: str, written: str, says: str, place: tuple[int, int]
) -> None:
    """Line and column, in whatever file."""
    changed = {
        "agents/support.yaml": AGENT.replace(RUNTIME, f"{RUNTIME}, rate: {written}"),
        "contracts/send.yaml": SEND.replace(TIMEOUT, f"{TIMEOUT}rate: {written}\n"),
        "interlock.yaml": f"rates: {written}\n",
    }[file]

    found, *_ = problems(tmp_path, {file: changed})

    assert says in found.message
    assert (found.file, found.line, found.column) == (file, *place)
