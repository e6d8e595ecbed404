"""A workspace folder as values, and everything that is wrong with its files."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.adapters.workspace import Problem, read_workspace, sound
from interlock.adapters.workspace.nodes import MAX_BYTES
from interlock.domain.agent import Agent, Approvals, Behaviour, Metric, Owners, Runtime, Scope
from interlock.domain.contract import (
    Blind,
    Conditional,
    Contract,
    Cost,
    Facts,
    HttpTarget,
    Keyed,
    Lookup,
    NoReversal,
    PythonTarget,
    Reversal,
    TwoPhase,
)
from interlock.domain.duration import DAY, HOUR, MINUTE, SECOND
from interlock.domain.errors import WorkspaceError
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.settlement import Timing
from tests.adapters.workspace_files import AGENT, FILES, RECALL, SEND, Files, edited, problems, read, written


def test_a_workspace_becomes_values(tmp_path: Path) -> None:
    """Every file is read, and nothing is wrong with a workspace that is right."""
    workspace = read(tmp_path)

    assert problems(tmp_path) == []
    assert workspace.settings.tenant == "acme"
    assert workspace.settings.budgets == {"EUR": 100_000}
    assert workspace.settings.store == tmp_path / ".interlock/interlock.db"
    assert workspace.settings.keys == tmp_path / ".interlock/keys"
    assert workspace.settings.pythonpath == (tmp_path / ".",)
    assert workspace.people == {
        Person("ana"): ("lead", "reviewer"),
        Person("ben"): ("lead",),
        Person("cleo"): ("data",),
        Person("dan"): ("code",),
    }
    assert workspace.policies == {"mail.cedar": "permit(principal, action, resource);\n"}
    assert [contract.name for contract in workspace.contracts] == ["mail.recall", "mail.send"]


def test_an_agent_file_is_the_whole_record(tmp_path: Path) -> None:
    """Every field of an agent can be written; durations are words, parameters keep theirs, the prompt may be a file."""
    send = ContractName("mail.send")

    assert read(tmp_path).agents == (
        Agent(
            name=AgentName("support"),
            purpose="answer customers",
            scope=Scope(includes=("mails",), excludes=("refunds",), data=("customers",)),
            owners=Owners(decision="ana", policy="ben", data="cleo", engineering="dan"),
            stage="partial",
            stages={send: "assisted"},
            capabilities=(send,),
            restrictions=("no promises",),
            runtime=Runtime(max_depth=2, max_repeats=5, max_actions=50, max_task_ms=HOUR, models=("one",)),
            approvals=Approvals(within_ms=4 * HOUR, notify=("ana",)),
            behaviour=Behaviour(
                prompt="Be kind.\nBe short.\n",
                model="one",
                parameters={"temperature": "0.20", "top_k": "40", "stream": "no"},
                memory="none",
                escalation="ask ana",
            ),
            budgets={"EUR": 5_000, "calls": 100},
            metrics=(Metric(name="answered", target="95 %"),),
            escalation_triggers=("anger",),
            compliance=("privacy",),
        ),
    )


def test_a_contract_file_is_the_whole_contract(tmp_path: Path) -> None:
    """Every promise of a contract can be written; arguments are closed, and required unless they have a default."""
    recall, send = read(tmp_path).contracts

    assert send == Contract(
        name=ContractName("mail.send"),
        version="1.10",
        description="Sends one mail.",
        owner="support-team",
        input_schema={
            "type": "object",
            "properties": {
                "to": {"type": "string", "maxLength": 200},
                "text": {"type": "string"},
                "copies": {"type": "integer", "minimum": 1, "default": 1},
            },
            "required": ["to", "text"],
            "additionalProperties": False,
        },
        output_schema={"type": "object", "properties": {"mail_id": {"type": "string"}}, "required": ["mail_id"]},
        effect="external",
        risk="medium",
        idempotency=Keyed(retention_ms=DAY),
        reversal=Reversal(
            contract="mail.recall",
            arguments={"mail_id": "$result.mail_id", "why": "undone"},
            within_ms=90 * MINUTE,
            approver="lead",
        ),
        target=HttpTarget(
            url="https://mail.example/send/{to}", method="POST", headers={"Authorization": "Bearer ${MAIL_TOKEN}"}
        ),
        lookup=HttpTarget(url="https://mail.example/sent"),
        facts=Facts(
            source=PythonTarget(target="mailing.facts:about"),
            schema={
                "type": "object",
                "properties": {"known": {"type": "boolean"}, "mails_today": {"type": "integer"}},
                "required": ["known", "mails_today"],
                "additionalProperties": False,
            },
        ),
        postcondition=PythonTarget(target="mailing.checks:arrived"),
        two_phase=TwoPhase(
            prepare=PythonTarget(target="mailing.phases:prepare"), abort=PythonTarget(target="mailing.phases:abort")
        ),
        cost=Cost(unit="EUR", amount=5),
        data_classes={"to": "personal"},
        timeout_ms=10 * SECOND,
    )
    assert recall.input_schema == {
        "type": "object",
        "properties": {"mail_id": {"type": "string"}, "why": {"type": "string"}},
        "required": ["mail_id"],
        "additionalProperties": False,
    }
    assert recall.idempotency == Conditional()
    assert recall.reversal == NoReversal(why="it is back")


@pytest.mark.parametrize(
    ("written_as", "meant"),
    [
        ("blind", Blind()),
        ("conditional", Conditional()),
        ("keyed", Keyed()),
        ("{keyed: {retention: 5m}}", Keyed(retention_ms=5 * MINUTE)),
        ("{keyed: {retention_ms: 5}}", Keyed(retention_ms=5)),
        ("{lookup: {quarantine: 10m}}", Lookup(quarantine_ms=10 * MINUTE)),
        ("{lookup: }", Lookup()),
        ("lookup", Lookup()),
    ],
)
def test_idempotency_is_a_word_or_a_word_with_its_time(tmp_path: Path, written_as: str, meant: object) -> None:
    """Each class can be written plainly, and those with a time of their own say it."""
    workspace = read(tmp_path, edited("contracts/send.yaml", "{keyed: {retention: 24h}}", written_as))

    assert workspace.problems == ()
    assert workspace.contracts[1].idempotency == meant


def test_settings_can_all_be_said(tmp_path: Path) -> None:
    """Where things are and how clocks are counted on can be written; an empty file is all defaults."""
    said = read(
        tmp_path / "said",
        {
            "interlock.yaml": "store: data/log.db\nkeys: /safe/keys\nmodules: [a.b, c]\npythonpath: [., src]\n"
            "timing: {lease_margin: 2s, skew: 500ms}\n"
        },
    ).settings
    unsaid = read(tmp_path / "unsaid", {"interlock.yaml": "# nothing yet\n"})

    assert said.store == tmp_path / "said/data/log.db"
    assert said.keys == Path("/safe/keys")
    assert said.modules == ("a.b", "c")
    assert said.pythonpath == (tmp_path / "said", tmp_path / "said/src")
    assert said.timing == Timing(lease_margin_ms=2_000, skew_ms=500)
    assert unsaid.problems == ()
    assert (unsaid.settings.tenant, unsaid.settings.timing) == ("default", Timing())


A, S, R, I = "agents/support.yaml", "contracts/send.yaml", "contracts/recall.yaml", "interlock.yaml"  # noqa: E741  short in the table

WRONG: list[tuple[str, str, str, str]] = [
    # agents: what is replaced, by what (the mark stands where the problem is), and what is said
    (A, "purpose: answer customers\n", "", "`purpose` is missing from an agent"),
    (A, "purpose: answer customers", "purpose:§", "`purpose` is empty"),
    (A, "name: support", "name: §two words", "no name for an agent"),
    (A, "name: support", "name: §[a]", "must be words, not a list"),
    (A, "stage: partial", "stage: §parital", "did you mean `partial`?"),
    (A, "mail.send: assisted", "mail.send: §often", "shadow, assisted, partial or bounded"),
    (A, "{decision: ana", "{decision: §[ana]", "must be words, not a list"),
    (A, "{decision: ana", "{§decison: ana", "did you mean `decision`?"),
    (A, "capabilities: [mail.send]", "capabilities: §mail.send", "must be a list, not words"),
    (A, "capabilities: [mail.send]", "capabilities: [mail.send, §mail.send]", "listed twice"),
    (A, "restrictions: [no promises]", "restrictions: §no promises", "must be a list, not words"),
    (A, "escalation_triggers: [anger]", "escalation_triggers: [§{anger: 1}]", "must be a list of words"),
    (A, "escalation_triggers: [anger]", "escalation_triggers: §anger", "must be a list, not words"),
    (A, "compliance: [privacy]", "compliance: [§[privacy]]", "must be a list of words"),
    (A, "compliance: [privacy]", "compliance: §{privacy: 1}", "must be a list"),
    (A, "name: answered,", "name: §[answered],", "must be words, not a list"),
    (A, "metrics: [{name: answered, target: 95 %}]", "metrics: §{a: 1}", "must be a list"),
    (A, "stages: {mail.send: assisted}", "stages: §[mail.send]", "must be a table"),
    (A, "models: [one]", "models: §one", "must be a list, not words"),
    (A, "memory: none", "memory: §[none]", "must be words, not a list"),
    (A, "escalation: ask ana", "escalation: §{ask: ana}", "must be words"),
    (A, "budgets: {", "tags: §web\nbudgets: {", "must be a list, not words"),
    (A, "budgets: {", "data: §order\nbudgets: {", "must be a list"),
    (A, "max_depth: 2", "max_fanout: §0", "from 1"),
    (A, "max_depth: 2", "may_recur: §yes", "`may_recur` must be true or false"),
    (A, "notify: [ana]", "required: {mail.send: §[lead]}", "must be a role"),
    (A, "budgets: {", "tags: [web, §two words]\nbudgets: {", "is no tag"),
    (A, "budgets: {", "data: [{records: §orders}]\nbudgets: {", "names no records"),
    (A, "budgets: {", "data: [{records: 'order:*', access: §wirte}]\nbudgets: {", "did you mean `write`?"),
    (A, "target: 95 %}", "target: §95 %, unit: per_mille, direction: at_least}", "whole number"),
    (
        A,
        "{name: answered, target: 95 %}",
        "§{name: answered, target: 95, unit: per_mille}",
        "needs `direction` as well",
    ),
    (A, "target: 95 %}", "target: 95, unit: §per mille, direction: at_least}", "no unit"),
    (A, "target: 95 %}", "target: 95, unit: cents, direction: §at_lest}", "did you mean `at_least`?"),
    (A, "max_depth: 2", "§max_depht: 2", "`max_depht` is no field of `runtime`; did you mean `max_depth`?"),
    (A, "max_depth: 2", "max_depth: §two", "whole number"),
    (A, "max_depth: 2", "max_depth: §2.0", "whole number"),
    (A, "max_depth: 2", "max_depth: §-1", "from 0"),
    (A, "max_depth: 2", "max_depth: §true", "whole number"),
    (A, "max_depth: 2", "max_depth: §'2'", "whole number"),
    (A, "max_repeats: 5", "max_repeats: §0", "from 1"),
    (A, "max_task: 1h", "max_task: §1 hour", "duration"),
    (A, "max_task: 1h", "max_task: §3600", "duration"),
    (A, "max_task: 1h", "max_task: §[1h]", "duration"),
    (A, "max_task: 1h", "max_task: §999999999999d", "longer than can be counted"),
    (A, "{within: 4h, notify", "{within: 4h, within_ms: §5, notify", "write one"),
    (A, "EUR: 5000", "EUR: §50.00", "minor units"),
    (A, "EUR: 5000", '"two words": §5', "no unit"),
    (A, "scope: {includes", "scope: {§includse", "did you mean `includes`?"),
    (A, "scope: {includes: [mails]", "scope: {includes: §mails", "must be a list, not words"),
    (A, "notify: [ana]", "notify: [ana, §ana]", "listed twice"),
    (A, "notify: [ana]", "notify: [§[ana]]", "list of words"),
    (
        A,
        "owners: {decision: ana, policy: ben, data: cleo, engineering: dan}",
        "owners: §ana",
        "table of fields, not words",
    ),
    (A, "top_k: 40", "top_k: §[40]", "must be words or a number"),
    (A, "{name: answered, target: 95 %}", "§{name: answered}", "`target` is missing"),
    (A, "{name: answered, target: 95 %}", "§answered", "table of fields"),
    (A, "prompt_file: support.txt", "prompt_file: §missing.txt", "does not exist"),
    (A, "prompt_file: support.txt", "prompt_file: §../../etc/passwd", "outside the workspace"),
    (A, "prompt_file: support.txt", "prompt_file: §/etc/passwd", "outside the workspace"),
    (A, "prompt_file: support.txt", "prompt_file: §.", "is no file"),
    (A, "prompt_file: support.txt", 'prompt_file: §"a\\0b"', "outside the workspace"),
    (A, "prompt_file: support.txt", "prompt_file: §" + "x" * 300, "cannot be read"),
    (A, "prompt_file: support.txt", "prompt_file: §support.txt\n  prompt: both", "either"),
    # contracts
    (S, "name: mail.send", "name: §mail send", "dotted words"),
    (S, "effect: external\n", "", "`effect` is missing from a contract"),
    (S, "effect: external", "effect: §externl", "did you mean `external`?"),
    (S, "risk: medium", "risk: §middling", "low, medium, high or critical"),
    (S, "  text: string", "  text: §strnig", "did you mean `string`?"),
    (S, "  text: string", "  text: §number", "floating-point"),
    (S, "  text: string", "  text: §[string]", "JSON Schema or a kind"),
    (S, "  text: string", "  text: §{type: array}", "list of anything"),
    (S, "  text: string", "  text: {type: object, properties: {x: §{type: number}}}", "`/text/x` is a floating-point"),
    (S, "  text: string", "  text: §{description: d}", "may be anything"),
    (S, "  text: string", "  text: {type: §strnig}", "strnig"),
    (S, "  text: string", "  text: {type: string, pattern: §'('}", "regex"),
    (S, "minimum: 1", "minimum: §0.5", "integer up to 2^53"),
    (S, "  mail_id: string\n", "  mail_id: §number\n", "floating-point"),
    (S, "{keyed: {retention: 24h}}", "{keyed: {retention: §0s}}", "longer than nothing"),
    (S, "{keyed: {retention: 24h}}", "§{keyd: {retention: 24h}}", "did you mean `keyed`?"),
    (S, "{keyed: {retention: 24h}}", "§keyd", "did you mean `keyed`?"),
    (S, "{keyed: {retention: 24h}}", "§{keyed: {}, blind: {}}", "one of"),
    (S, "{keyed: {retention: 24h}}", "§[keyed]", "table"),
    (S, "{keyed: {retention: 24h}}", "{keyed: {§quarantine: 24h}}", "no field of `keyed`"),
    (S, "{keyed: {retention: 24h}}", "{blind: {§retention: 24h}}", "no field of `blind`"),
    (S, "  contract: mail.recall\n  arguments", "  §arguments", "`contract` is missing"),
    (S, "within: 1h30m", "within: §soon", "duration"),
    (S, "approver: lead", "§approvr: lead", "did you mean `approver`?"),
    (S, "{mail_id: $result.mail_id, why: undone}", "{mail_id: §$args.mail_id, why: undone}", "names no argument"),
    (S, "{mail_id: $result.mail_id, why: undone}", "{mail_id: §1.5, why: undone}", "integer up to 2^53"),
    (S, "url: https://mail.example/send/{to}", "url: §mail.example", "http://"),
    (S, "{http: https://mail.example/sent}", "{http: §file:///etc/passwd}", "http://"),
    (S, "{http: https://mail.example/sent}", "§{http: https://a.example, python: a:b}", "one of them"),
    (S, "{http: https://mail.example/sent}", "§{}", "one of them"),
    (S, '"Bearer ${MAIL_TOKEN}"', "§Bearer abc", "looks like a secret"),
    (S, '{python: "mailing.checks:arrived"}', "{python: §mailing.checks}", "package.module:function"),
    (S, '{python: "mailing.checks:arrived"}', "§mailing.checks:arrived", "table of fields"),
    (S, '  prepare: {python: "mailing.phases:prepare"}\n  abort', "  §abort", "`prepare` is missing"),
    (S, "known: boolean, mails_today: integer", "known: boolean, mails_today: §number", "floating-point"),
    (S, "amount: 5", "amount: §0.05", "minor units"),
    (S, "amount: 5", "amount: §$args.price", "names no argument"),
    (S, "timeout: 10s", "§timout: 10s", "did you mean `timeout`?"),
    (S, "idempotency: {keyed: {retention: 24h}}\n", "§reversible: yes\n", "no field of a contract"),
    (R, "reversal: {none: it is back}\n", "", "how it is undone"),
    (R, 'run: {python: "mailing:recall"}\n', "", "`run` is missing"),
    (R, "why: {type: string}", "why: §{type: number}", "floating-point"),
    (R, "why: {type: string}", "why: {type: string, pattern: §'('}", "regex"),
    (R, "  type: object", "  §type: object\n  additionalProperties: true", "open object"),
    # settings and people
    (I, "tenant: acme", "tenant: §two words", "no name for a tenant"),
    (I, "tenant: acme", "§tennant: acme", "did you mean `tenant`?"),
    (I, "tenant: acme", "modules: [§a-b]", "no module"),
    (I, "tenant: acme", "timing: {skew: §long}", "duration"),
    (I, "EUR: 100000", "EUR: §lots", "whole number"),
    ("people.yaml", "ben: lead", "ben: §{roles: [lead]}", "list of words"),
    ("people.yaml", "ben: lead", "ben:§", "is empty"),
    ("people.yaml", "ben: lead", "ben: §[]", "`ben` holds no role"),
    ("people.yaml", "ben: lead", "two words: §lead", "no name for a person"),
    ("people.yaml", "ben: lead", "ben: lead\nBen: §lead", "are one name"),
]


def place_of(text: str) -> tuple[int, int]:
    """Line and column of the mark; without one the beginning of the file."""
    before = text.partition("§")[0] if "§" in text else ""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.proves("workspace.every_problem_with_its_place")
@pytest.mark.parametrize(("file", "old", "new", "says"), WRONG, ids=[f"{row[0][:9]}:{row[2][:40]!r}" for row in WRONG])
def test_whatever_is_wrong_is_said_where_it_stands(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    """Each mistake in a file is one problem, in that file, at its line and column, in words that help."""
    marked = FILES[file].replace(old, new)
    assert marked != FILES[file]

    found = read(tmp_path, {file: marked.replace("§", "")}).problems

    assert [(each.file, each.line, each.column) for each in found] == [(file, *place_of(marked))], found
    assert says in found[0].message


@pytest.mark.proves("workspace.every_problem_with_its_place")
def test_all_that_is_wrong_is_found_at_once(tmp_path: Path) -> None:
    """One reading finds every mistake of every file."""
    workspace = read(
        tmp_path,
        {
            I: "tenant: two words\ncolour: red\n",
            A: AGENT.replace("stage: partial", "stage: x").replace("max_depth: 2", "max_depth: x"),
            S: SEND.replace("text: string", "text: number").replace("risk: medium", "risk: x"),
            "people.yaml": "- ana\n",
            "agents/other.yaml": "name: [\n",
        },
    )

    assert sorted((each.file, each.line) for each in workspace.problems) == [
        ("agents/other.yaml", 2),
        (A, 5),
        (A, 9),
        (S, 6),
        (S, 9),
        (I, 1),
        (I, 2),
        ("people.yaml", 1),
    ]


@pytest.mark.parametrize(
    ("changes", "file", "says", "severity"),
    [
        ({"people.yaml": None}, "people.yaml", "nobody can approve", "warning"),
        ({"people.yaml": ""}, "people.yaml", "must be a table", "error"),
        ({A: ""}, A, "must be a table", "error"),
        ({A: "- a\n"}, A, "must be a table", "error"),
        ({A: "just words"}, A, "must be a table", "error"),
        ({I: "[]"}, I, "must be a table", "error"),
        ({"agents/more.yml": AGENT}, "agents/more.yml", "call it `.yaml`", "warning"),
        ({"agents/twice.yaml": AGENT}, "agents/twice.yaml", "another agent `support`", "error"),
        ({"contracts/twice.yaml": SEND}, "contracts/twice.yaml", "another contract `mail.send`", "error"),
        ({"policies/mail.cedar": b"\xff"}, "policies/mail.cedar", "not UTF-8", "error"),
        ({"policies/mail.cedar": b"x" * (MAX_BYTES + 1)}, "policies/mail.cedar", "larger than", "error"),
        ({A: b"x" * (MAX_BYTES + 1)}, A, "larger than", "error"),
        ({"agents/support.txt": b"\xff"}, A, "not UTF-8", "error"),
    ],
)
def test_files_that_cannot_be_what_they_should(
    tmp_path: Path, changes: Files, file: str, says: str, severity: str
) -> None:
    """Missing, empty, doubled, oversized and unreadable files are problems of that file."""
    found = read(tmp_path, changes).problems

    assert [(each.file, each.severity) for each in found] == [(file, severity)], found
    assert says in found[0].message


def test_a_folder_in_the_place_of_a_file_is_a_problem(tmp_path: Path) -> None:
    """What cannot be opened is said, not raised."""
    written(tmp_path, {A: None})
    (tmp_path / A).mkdir(parents=True)
    (tmp_path / "policies/sub.cedar").mkdir()

    assert {(each.file, each.message) for each in read_workspace(tmp_path).problems} == {
        (A, "the file is no file"),
        ("policies/sub.cedar", "the file is no file"),
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    """A missing permission is one problem of that file."""
    written(tmp_path)
    (tmp_path / A).chmod(0)

    assert [(each.file, "cannot be read" in each.message) for each in read_workspace(tmp_path).problems] == [(A, True)]


def test_a_link_out_of_the_workspace_is_no_prompt(tmp_path: Path) -> None:
    """A prompt that lies elsewhere could change without the workspace: a link does not help."""
    (tmp_path / "secret.txt").write_text("elsewhere")
    folder = written(tmp_path / "w", {"agents/support.txt": None})
    (folder / "agents/support.txt").symlink_to(tmp_path / "secret.txt")

    workspace = read_workspace(folder)

    assert [each.message for each in workspace.problems] == ["`support.txt` lies outside the workspace"]
    assert workspace.agents[0].behaviour.prompt == ""


def test_a_folder_without_settings_is_no_workspace(tmp_path: Path) -> None:
    """An error, not a problem: there is nothing to hold anything against."""
    with pytest.raises(WorkspaceError, match=r"no interlock\.yaml"):
        read_workspace(tmp_path)
    with pytest.raises(WorkspaceError, match=r"no interlock\.yaml"):
        read_workspace(tmp_path / "nowhere")


def test_one_error_keeps_a_workspace_out_of_force(tmp_path: Path) -> None:
    """`sound` raises the first error with its place and how many more there are; warnings do not count."""
    workspace = read(tmp_path / "w", {A: AGENT.replace("partial", "x"), "people.yaml": None, S: "- a"})
    warned = read(tmp_path / "v", {"people.yaml": None})

    with pytest.raises(WorkspaceError) as caught:
        sound(workspace.problems)
    assert (caught.value.file, caught.value.line, caught.value.column) == (A, 5, 8)
    assert "(and 1 more)" in caught.value.detail
    assert len(warned.problems) == 1
    sound(warned.problems)


def test_a_problem_reads_as_editors_expect() -> None:
    """`file:line:column: severity: message`, so that a click leads there."""
    assert str(Problem(file="a.yaml", line=1, column=2, message="m")) == "a.yaml:1:2: error: m"
    assert str(Problem(file="", message="m", severity="warning")) == "workspace: warning: m"


@pytest.mark.proves("workspace.any_text_is_read")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_workspace_with_anything_changed_is_read(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever is done to a good file, the workspace is values and problems: pieces cut out, doubled, swapped for noise."""
    file = data.draw(st.sampled_from(sorted(FILES)))
    text = FILES[file]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    noise = data.draw(
        st.sampled_from(["", text[start:end] * 2, "[", "}", ": ", "\n", "- ", "~", "1.5", "a: b"]) | st.text(max_size=5)
    )

    found = problems(tmp_path, {file: (text[:start] + noise + text[end:]).encode("utf-8", "surrogatepass")})

    assert all(each.message for each in found)
    assert RECALL in FILES.values()


@pytest.mark.parametrize(
    ("file", "overlooked"),
    [
        ("night.ceder", True),
        ("night.CEDAR", True),
        ("night.ced", True),
        ("night.cedar.txt", True),
        ("shop/night.cedar", True),
        ("tests/night.cedar", True),
        ("night.cedar", False),
        ("README.md", False),
        ("tests/night.yaml", False),
        ("night.cedar~", False),
        (".night.cedar", False),
        (".kept/night.cedar", False),
    ],
)
def test_a_file_that_was_meant_as_a_policy_and_is_not_read_is_known(
    tmp_path: Path, file: str, overlooked: bool
) -> None:
    """A misspelt ending, or a folder too deep: nobody would see that the rule is none."""
    workspace = read(tmp_path, {f"policies/{file}": "forbid(principal, action, resource);"})

    assert workspace.overlooked == ((file,) if overlooked else ())
    assert (file in workspace.policies) is (file == "night.cedar")
