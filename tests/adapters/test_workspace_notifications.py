"""`notifications`, `approvals` and `on_call.yaml`: read exactly, and what is wrong is found with its place."""

from pathlib import Path

import pytest

from interlock.adapters.workspace import cross_check, read_workspace
from interlock.domain.channel import Mail, Slack, Webhook
from interlock.domain.notification import EVENTS

GOOD = """\
approvals: {remind: [90%, 25%], overdue: park}
notifications:
  team: {slack: {url: env:SLACK}, events: [asked, overdue], roles: [lead], dedupe: 1m}
  desk: {webhook: {url: "https://desk.example.org/hook", secret: file:secrets/desk}}
  rita:
    mail: {server: mail.example.org, from: il@example.org, to: [rita@example.org], user: il, password: env:MAIL}
    person: rita
    quiet: {from: "22:00", to: "07:00", zone: Europe/Berlin}
"""


def written(tmp_path: Path, settings: str = "", on_call: str = "") -> Path:
    """A workspace with these files."""
    (tmp_path / "interlock.yaml").write_text(settings)
    (tmp_path / "people.yaml").write_text("rita: [lead]\nben: [lead]\n")
    if on_call:
        (tmp_path / "on_call.yaml").write_text(on_call)
    return tmp_path


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    """Every field, with what holds where nothing is said."""
    found = read_workspace(written(tmp_path, GOOD))

    assert [each.message for each in found.problems] == []
    team, desk, rita = found.settings.channels
    assert (team.way, team.events, team.roles, team.dedupe_ms) == (
        Slack(url="env:SLACK"),
        ("asked", "overdue"),
        ("lead",),
        60_000,
    )
    assert isinstance(desk.way, Webhook)
    assert desk.events == EVENTS
    assert isinstance(rita.way, Mail)
    assert (rita.way.port, rita.way.tls) == (587, "starttls")
    assert (desk.person, rita.person) == ("", "rita")
    assert rita.quiet is not None
    assert (rita.quiet.zone, rita.quiet.shifts[0].begins) == ("Europe/Berlin", 22 * 60)
    assert (found.routing.remind, found.routing.overdue) == ((250, 900), "park")


def test_a_channel_of_nobody_is_warned_of(tmp_path: Path) -> None:
    """Nothing that asks somebody would be told on it."""
    found = read_workspace(written(tmp_path, "notifications: {c: {slack: {url: env:A}, person: ritta}}"))
    [said] = [each for each in cross_check(found, ()) if "people.yaml" in each.message]

    assert (said.severity, said.message) == ("warning", "`ritta` is nobody in people.yaml; did you mean `rita`?")


@pytest.mark.proves("notify.no_secret")
@pytest.mark.parametrize(
    "channel",
    [
        "{slack: {url: 'https://hooks.slack.com/services/T/B/hunter2'}}",
        "{webhook: {url: 'https://x.org', secret: hunter2}}",
        "{mail: {server: x.org, from: a@x.org, to: [b@x.org], user: u, password: hunter2}}",
        "{apprise: {url: 'slack://hunter2'}}",
    ],
)
def test_a_secret_in_a_file_is_refused_and_not_repeated(tmp_path: Path, channel: str) -> None:
    """Whoever writes one down is told where it belongs, without the secret."""
    said = [each.message for each in read_workspace(written(tmp_path, f"notifications: {{c: {channel}}}\n")).problems]

    assert any("`env:NAME`" in each for each in said)
    assert "hunter2" not in " ".join(said)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("notifications: {c: {}}", "goes one way"),
        ("notifications: {c: {slack: {url: env:A}, apprise: {url: env:B}}}", "goes one way"),
        ("notifications: {c: {slack: {url: env:A}, events: [askd]}}", "did you mean `asked`"),
        ("notifications: {c: {webhook: {url: 'http://x.org', secret: env:A}}}", "https://"),
        ("notifications: {c: {webhook: {url: 'https://u:p@x.org', secret: env:A}}}", "https://"),
        ("notifications: {c: {mail: {server: x.org, tls: none, from: a@x.org, to: [b@x.org]}}}", "this machine alone"),
        ("notifications: {c: {mail: {server: x.org, from: a@x.org, to: ['b@x.org, c@x.org']}}}", "no mail address"),
        ("notifications: {c: {mail: {server: x.org, from: a@x.org}}}", "names nobody"),
        ("notifications: {'a b': {slack: {url: env:A}}}", "no name for a channel"),
        ("notifications: {c: {slack: {url: env:A}, quiet: {from: '25:00', to: '07:00'}}}", "time of day"),
        ("notifications: {c: {slack: {url: env:A}, quiet: {from: '22:00', to: '07:00', zone: Mars}}}", "no time zone"),
        ("approvals: {remind: [half]}", "no share"),
        ("approvals: {remind: [1%, 2%, 3%, 4%, 5%, 6%]}", "at most 5"),
        ("approvals: {overdue: allow}", "must be deny or park"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, settings: str, message: str) -> None:
    """In words, at its place."""
    problems = read_workspace(written(tmp_path, settings + "\n")).problems

    assert any(message in each.message and each.line for each in problems), [each.message for each in problems]


@pytest.mark.parametrize(
    ("on_call", "message"),
    [
        ("lead: {zone: Mars, shifts: [{days: mon, from: '09:00', to: '17:00'}]}", "no time zone"),
        ("lead: {zone: ../../etc/passwd, shifts: [{days: mon, from: '09:00', to: '17:00'}]}", "no time zone"),
        ("lead: {shifts: [{days: funday, from: '09:00', to: '17:00'}]}", "no day"),
        ("lead: {shifts: [{days: mon, from: '9', to: '17:00'}]}", "time of day"),
        ("lead: {}", "nobody is ever on call"),
        ("lead: {shifts: [{days: mon, from: '09:00', to: '17:00', who: [rita]}]}", "no field"),
    ],
)
def test_a_week_that_is_none_is_refused(tmp_path: Path, on_call: str, message: str) -> None:
    """A zone that is not known, a day that there is not, an hour that is no hour, a field that is none."""
    problems = read_workspace(written(tmp_path, "", on_call + "\n")).problems

    assert any(message in each.message for each in problems), [each.message for each in problems]


@pytest.mark.parametrize(
    ("confidence", "message"),
    [
        ("{act: 0.9}", "share such as 90%"),
        ("{act: 101%}", "share such as 90%"),
        ("{act: 60%, ask: 90%}", "no more than to act"),
        ("{ask: 90%}", "`act` is missing"),
        ("{act: 0%}", "from 1 to 1000"),
        ("{act: 90%, below: allow}", "must be escalate or deny"),
    ],
)
def test_thresholds_that_are_none_are_refused(tmp_path: Path, confidence: str, message: str) -> None:
    """A share is a percentage, and to ask takes no more than to act."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "c.yaml").write_text(
        f"name: c.read\neffect: read\nrisk: low\nrun: {{python: m:f}}\nconfidence: {confidence}\n"
    )
    problems = read_workspace(written(tmp_path)).problems

    assert any(message in each.message for each in problems), [each.message for each in problems]
