"""What the files of a workspace say of each other, and of the contracts of its modules."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from interlock.adapters.workspace import complete, cross_check, load_modules, read_workspace
from interlock.domain.contract import Contract, InProcess, PythonTarget
from interlock.domain.errors import WorkspaceError
from interlock.domain.ids import ContractName
from interlock.sdk.tool import tools_in
from tests.adapters.workspace_files import AGENT, FILES, RECALL, SEND, Files, edited, problems, read, written

A, S, R = "agents/support.yaml", "contracts/send.yaml", "contracts/recall.yaml"
OWNERS = "owners: {decision: ana, policy: ben, data: cleo, engineering: dan}\n"


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    """Modules and folders of one test are not another's."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def changed(*changes: tuple[str, str, str]) -> Files:
    """Files with something else in them."""
    files: Files = {}
    for file, old, new in changes:
        text = files.get(file) or FILES[file]
        assert isinstance(text, str)
        assert text.count(old) == 1, old
        files[file] = text.replace(old, new)
    return files


@pytest.mark.parametrize(
    ("changes", "where", "says"),
    [
        (
            changed((A, "capabilities: [mail.send]", "capabilities: [mail.sent, mail.send]")),
            [(A, 7, 16)],
            "there is no contract `mail.sent`; did you mean `mail.send`?",
        ),
        (
            changed((A, "{mail.send: assisted}", "{mail.sned: assisted}")),
            [(A, 6, 21)],
            "`mail.sned` is none of the agent's capabilities; did you mean `mail.send`?",
        ),
        (
            changed((A, "policy: ben, data: cleo, ", "")),
            [(A, 4, 1)],
            "`support` cannot leave shadow (stage, stages.mail.send) without an owner for policy and data",
        ),
        (changed((A, OWNERS, "")), [(A, 1, 1)], "an owner for decision, policy, data and engineering"),
        (changed((A, OWNERS, ""), (A, "stage: partial", "stage: shadow")), [(A, 1, 1)], "(stages.mail.send)"),
        (changed((S, "contract: mail.recall", "contract: mail.recal")), [(S, 14, 1)], "did you mean `mail.recall`?"),
        (
            changed((R, "effect: external", "effect: read"), (R, "reversal: {none: it is back}\n", "")),
            [(S, 14, 1)],
            "would only read",
        ),
        (
            changed((S, "{mail_id: $result.mail_id, why: undone}", "{why: undone}")),
            [(S, 14, 1)],
            "lacks the argument `mail_id`",
        ),
        (
            changed((S, "why: undone}", "reason: undone}")),
            [(S, 14, 1)],
            "gives `reason`, which it does not take",
        ),
        (
            changed((S, "$result.mail_id", "$result.mial_id")),
            [(S, 14, 1)],
            "`$result.mial_id`, which is not in the result; did you mean `mail_id`?",
        ),
    ],
)
def test_what_does_not_fit_together_is_said(
    tmp_path: Path, changes: Files, where: list[tuple[str, int, int]], says: str
) -> None:
    """Names that name nothing, stages without owners and undos that could not be called are errors where they are written."""
    found = problems(tmp_path, changes)

    assert [(each.file, each.line, each.column) for each in found if each.severity == "error"] == where, found
    assert says in next(each.message for each in found if each.severity == "error")


@pytest.mark.parametrize(
    ("changes", "file", "says"),
    [
        (
            changed((A, "[mail.send]", "[mail.recall]"), (A, "stages: {mail.send: assisted}\n", "")),
            S,
            "no agent may use `mail.send`",
        ),
        (changed((S, "approver: lead", "approver: laed")), S, "`laed`, a role that nobody holds; did you mean `lead`?"),
    ],
)
def test_what_may_be_meant_is_a_warning(tmp_path: Path, changes: Files, file: str, says: str) -> None:
    """A contract nobody uses and a role nobody holds keep nothing out of force."""
    assert [(each.severity, each.file) for each in problems(tmp_path, changes)] == [("warning", file)]
    assert says in problems(tmp_path, changes)[0].message


def test_no_policy_at_all_is_a_warning(tmp_path: Path) -> None:
    """Agents and contracts without any policy are denied everything, which nobody asks for by leaving a folder empty."""
    [found] = problems(tmp_path, {"policies/mail.cedar": None})

    assert (found.severity, found.file) == ("warning", "policies")
    assert "whatever an agent proposes is denied" in found.message


@pytest.mark.proves("gate.owners")
def test_an_agent_without_owners_may_stay_in_shadow(tmp_path: Path) -> None:
    """In shadow nobody needs to answer for it yet."""
    quiet = changed(
        (A, OWNERS, ""), (A, "stage: partial", "stage: shadow"), (A, "{mail.send: assisted}", "{mail.send: shadow}")
    )

    assert problems(tmp_path, quiet) == []


def test_a_contract_that_could_not_be_read_is_not_missing(tmp_path: Path) -> None:
    """One mistake is one problem: nobody is told that what he has just written does not exist."""
    found = problems(
        tmp_path, edited(R, "  properties: {mail_id: {type: string}", "  properties: {mail_id: {type: number}")
    )

    assert [(each.file, each.severity) for each in found] == [(R, "error")]


def test_contracts_of_modules_count_and_have_no_place(tmp_path: Path) -> None:
    """A contract declared in Python can be used by agents, and what is wrong with it names it rather than a line."""
    workspace = read(tmp_path, {S: None, R: None})
    send = Contract(
        name=ContractName("mail.send"),
        effect="read",
        risk="low",
        target=PythonTarget(target="mail:send"),
        input_schema={"type": "object", "properties": {}, "additionalProperties": False},
    )

    assert cross_check(workspace, [send]) == ()
    twice = cross_check(workspace, [send, send])
    assert [(each.file, each.message) for each in twice] == [("", "there are two contracts `mail.send`")]


def test_an_undo_that_only_one_process_can_run_is_a_warning(tmp_path: Path) -> None:
    """What any process can do, any process should be able to undo."""
    workspace = read(tmp_path)
    recall, send = workspace.contracts
    local = Contract(
        name=recall.name,
        effect="external",
        risk="low",
        reversal=recall.reversal,
        target=InProcess(name="here"),
        input_schema=recall.input_schema,
    )

    found = cross_check(workspace, [local, send])

    assert [(each.severity, each.file) for each in found] == [("warning", S)]
    assert "process that declared it" in found[0].message


@pytest.mark.proves("frameworks.in-process-file")
def test_a_tool_of_the_agents_own_program_is_a_word(tmp_path: Path) -> None:
    """`run: in_process` is a contract of the program's own tool; any other word, and the word for anything but `run`, is an
    error."""
    mine = edited(R, 'run: {python: "mailing:recall"}', "run: in_process")
    (contract,) = [each for each in read(tmp_path / "a", mine).contracts if each.name == "mail.recall"]
    assert contract.target == InProcess(name="mail.recall")

    other = problems(tmp_path / "b", edited(R, 'run: {python: "mailing:recall"}', "run: here"))
    assert [(each.line, each.severity, "in_process" in each.message) for each in other] == [(10, "error", True)]
    lookup = problems(tmp_path / "c", edited(S, "lookup: {http: https://mail.example/sent}", "lookup: in_process"))
    assert [each.severity for each in lookup if "lookup" in each.message] == ["error"]


def test_an_undo_of_the_agents_own_program_is_a_warning(tmp_path: Path) -> None:
    """People ask for an undo, and no program lends its tool to that: `check` says to have it elsewhere."""
    both = changed(
        (R, 'run: {python: "mailing:recall"}', "run: in_process"),
        (S, SEND[SEND.index("run:") : SEND.index("lookup:")], "run: in_process\n"),
    )

    found = [each for each in problems(tmp_path, both) if "offers it" in each.message]

    assert [(each.severity, each.file) for each in found] == [("warning", S)]


# -- modules -----------------------------------------------------------------------------------------------------------

TOOLS = """\
import interlock

@interlock.tool(name="stock.count", effect="read", risk="low")
def count(sku: str) -> int:
    return len(sku)

again = count
"""


def with_module(folder: Path, name: str, text: str, agent: str = AGENT) -> Path:
    """The workspace with one Python module."""
    return written(
        folder, {"interlock.yaml": f"pythonpath: [py]\nmodules: [{name}]\n", f"py/{name}.py": text, A: agent}
    )


def test_modules_are_imported_and_their_tools_found(tmp_path: Path) -> None:
    """Modules are looked for in the workspace's own folders, and each tool's contract is given once."""
    agent = AGENT.replace("capabilities: [mail.send]", "capabilities: [mail.send, stock.count]")
    workspace = read_workspace(with_module(tmp_path, "stock_tools", TOOLS, agent))

    whole = complete(workspace, tools_in)

    assert whole.problems == ()
    assert [contract.name for contract in whole.contracts] == ["mail.recall", "mail.send", "stock.count"]
    assert whole.contracts[2].target == PythonTarget(target="stock_tools:count")
    assert sys.path[0] == str(tmp_path / "py")


def test_a_tool_that_two_modules_name_is_one_contract(tmp_path: Path) -> None:
    """A package that names the tools of its modules declares none of its own."""
    (tmp_path / "first_tools.py").write_text(TOOLS)
    (tmp_path / "second_tools.py").write_text("from first_tools import count")

    contracts = load_modules(["first_tools", "second_tools"], [tmp_path], tools_in)

    assert [contract.name for contract in contracts] == ["stock.count"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def (", "SyntaxError"),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise RuntimeError('line\\nbreak')", "RuntimeError: line break"),
        (TOOLS.replace('effect="read"', 'effect="write"'), "how it is undone"),
        (TOOLS.replace("sku: str", "sku: float"), "integer minor units"),
    ],
)
def test_a_module_that_cannot_be_imported_is_a_problem_of_the_settings(tmp_path: Path, text: str, says: str) -> None:
    """Whatever a module raises is one problem where it is named; what it would have declared is not missed."""
    agent = AGENT.replace("capabilities: [mail.send]", "capabilities: [mail.send, stock.count]")
    workspace = read_workspace(with_module(tmp_path, "broken_tools", text, agent))

    whole = complete(workspace, tools_in)

    assert [(each.file, each.line, each.column) for each in whole.problems] == [("interlock.yaml", 2, 11)]
    assert says in whole.problems[0].message
    assert "\n" not in whole.problems[0].message
    with pytest.raises(WorkspaceError, match="broken_tools"):
        load_modules(["broken_tools"], workspace.settings.pythonpath, tools_in)


def test_interrupting_is_not_an_import_error(tmp_path: Path) -> None:
    """Ctrl-C while a module is imported stops the program, as everywhere."""
    workspace = read_workspace(with_module(tmp_path, "slow_tools", "raise KeyboardInterrupt"))

    with pytest.raises(KeyboardInterrupt):
        complete(workspace, tools_in)


def test_folders_are_looked_in_once_and_in_order(tmp_path: Path) -> None:
    """The first folder wins, and loading again does not put it on the path again."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ordered_tools.py").write_text(f"WHERE = '{folder}'")
    seen: list[ModuleType] = []

    def no_tools(module: ModuleType) -> list[object]:
        seen.append(module)
        return []

    for _ in range(2):
        load_modules(["ordered_tools"], [tmp_path / "one", tmp_path / "two"], no_tools)  # type: ignore[arg-type]  # it gives none

    assert seen[0].WHERE == "one"
    assert sys.path.count(str(tmp_path / "one")) == 1


def test_the_files_of_these_tests_are_right() -> None:
    """Texts that are changed here are those of the workspace."""
    assert (FILES[A], FILES[S], FILES[R]) == (AGENT, SEND, RECALL)
