"""The reader of agent files on anything: what is wrong is told with its place, and what is sound holds together."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.workspace import cross_check
from interlock.adapters.workspace.agent_starter import starter
from interlock.domain.agent import Agent, Metric
from interlock.domain.ids import Person
from tests.adapters.workspace_files import AGENT, FILES, problems, read

_FIELDS = """
name purpose scope owners stage stages capabilities restrictions runtime approvals behaviour budgets metrics data tags
escalation_triggers compliance includes decision max_depth max_fanout may_recur models within required notify records access
target unit direction prompt prompt_file parameters mail.send EUR
"""
_NAMES = st.sampled_from(_FIELDS.split())
_WORDS = st.sampled_from(
    ["support", "mail.send", "mail.snd", "lead", "order:*", "write", "bounded", "4h", "true", "at_most"]
)
_LEAVES = st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | _WORDS | st.text(max_size=12)
_VALUES = st.recursive(
    _LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(_NAMES | st.text(max_size=6), below, max_size=5),
    max_leaves=12,
)


def whole(found: str | bytes) -> None:
    """Read it, hold it against the rest, and digest whatever is called sound."""
    with TemporaryDirectory() as folder:
        workspace = read(Path(folder), {"agents/support.yaml": found})
        told = [*workspace.problems, *cross_check(workspace, workspace.contracts)]
        lines = (found if isinstance(found, bytes) else found.encode()).count(b"\n") + 2
        for each in told:
            assert each.message
            if each.file == "agents/support.yaml":
                assert 0 <= each.line <= lines + 1
        if not [each for each in told if each.severity == "error"]:
            for agent in workspace.agents:
                assert msgspec.json.decode(msgspec.json.encode(agent), type=Agent).digest == agent.digest


@pytest.mark.proves("registry.reader")
@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_any_yaml_in_the_place_of_fields_is_read_or_told_with_its_place(changes: dict[str, object]) -> None:
    """A sound file with any fields changed to anything: no traceback, and what has no error has a digest that lasts."""
    whole(yaml.safe_dump({**yaml.safe_load(AGENT), **changes}, allow_unicode=True, sort_keys=False))


@pytest.mark.proves("registry.reader")
@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_read_or_told(found: str | bytes) -> None:
    """Whatever a file holds, it is an agent or a problem."""
    text = found if isinstance(found, bytes) else found.encode(errors="surrogatepass")
    whole(text)


def test_typed_sections_become_values(tmp_path: Path) -> None:
    """Every field of the new sections is read as it is written."""
    changed = AGENT.replace(
        "metrics: [{name: answered, target: 95 %}]",
        "metrics: [{name: answered, target: 95 %}, {name: late, target: 3, unit: mails, direction: at_most}]\n"
        "tags: [web, eu-1]\n"
        "data: [{records: 'mail:*', access: write}, {records: customer:eu-*}]",
    ).replace("notify: [ana]", "notify: [ana], required: {mail.send: lead}")
    (agent,) = read(tmp_path, {"agents/support.yaml": changed}).agents

    assert agent.metrics[1] == Metric(name="late", target=3, unit="mails", direction="at_most")
    assert [(each.records, each.kind, each.access) for each in agent.data] == [
        ("mail:*", "mail", "write"),
        ("customer:eu-*", "customer", "read"),
    ]
    assert (agent.tags, agent.approvals.required) == (("web", "eu-1"), {"mail.send": "lead"})
    assert problems(tmp_path, {"agents/support.yaml": changed}) == []


@pytest.mark.parametrize(
    ("old", "new", "says", "severity"),
    [
        ("data: cleo", "data: §cleoo", "did you mean `cleo`?", "warning"),
        ("models: [one]", "models: [two]", "which is none of its models", "warning"),
        ("notify: [ana]", "§required: {mail.sent: lead}", "did you mean `mail.send`?", "error"),
        ("notify: [ana]", "§required: {mail.send: laed}", "did you mean `lead`?", "warning"),
        ("budgets:", "§data: [{records: 'male:*', access: write}]\nbudgets:", "did you mean `male`?", "error"),
        ("budgets:", "§data: [{records: 'mail:*'}]\nbudgets:", "lists as read", "error"),
    ],
)
def test_what_does_not_fit_together_is_said_where_it_stands(
    tmp_path: Path, old: str, new: str, says: str, severity: str
) -> None:
    """Owners against people, models against the model, roles against who holds them, contracts against the records."""
    changed = AGENT.replace(old, new.replace("§", ""))
    send = FILES["contracts/send.yaml"]
    assert isinstance(send, str)
    told = problems(
        tmp_path, {"agents/support.yaml": changed, "contracts/send.yaml": send + "touches: {mail: $args.to}\n"}
    )

    (found,) = [each for each in told if says in each.message]
    assert (found.file, found.severity) == ("agents/support.yaml", severity)
    if "§" in new:
        marked = AGENT.replace(old, new)
        line = marked[: marked.index("§")].count("\n") + 1
        assert found.line == line


@pytest.mark.proves("registry.reader")
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=9), st.lists(st.text(max_size=9)).map(tuple), max_size=3
    )
)
def test_a_starter_is_sound_whoever_there_is(people: dict[str, tuple[str, ...]]) -> None:
    """Names stand in its comments only, and none ends one early."""
    text = starter("support", {Person(name): roles for name, roles in people.items()}, ["a.b"])

    assert yaml.safe_load(text)["capabilities"] == []
    assert list(yaml.safe_load(text)) == list(yaml.safe_load(starter("support", {}, [])))
