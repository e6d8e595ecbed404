"""What is written for what was found: a workspace that holds, nothing copied into it that may not be, and nothing lost."""

import json
import os
import shlex
import string
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interlock
from interlock.adapters.adopting import rewriting
from interlock.adapters.adopting.contract_text import contract_text
from interlock.adapters.adopting.naming import Names
from interlock.adapters.adopting.rewriting import replace
from interlock.adapters.adopting.server_text import server_text
from interlock.adapters.adopting.yaml_text import clean, flow
from interlock.adapters.workspace.contract_file import read_contract
from interlock.adapters.workspace.fields import NAME, Section, json_of
from interlock.adapters.workspace.nodes import Table, parse
from interlock.adapters.workspace.problem import Problems
from interlock.bootstrap import adopting
from interlock.bootstrap.adopting import Adopting, adopt
from interlock.bootstrap.site import read_site
from interlock.domain.adoption import Adopted, FoundServer, FoundTool
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import InProcess
from interlock.domain.errors import FileError, WorkspaceError
from interlock.domain.guess import guess
from scripts.generate import ROOT
from tests.adopting.programs import PROGRAMS, TOOLS
from tests.cli.shell import program

CONFIGURATION: dict[str, Any] = {
    "mcpServers": {
        "git": {"command": "uvx", "args": ["mcp-server-git", "--token", "hunter2"], "env": {"GITHUB_TOKEN": "s3cret"}},
        "web": {"url": "https://mcp.example/mcp", "headers": {"Authorization": "Bearer v3rysecret"}},
    }
}
SECRETS = ("hunter2", "s3cret", "v3rysecret")


def project(folder: Path, *frameworks: str, configuration: object = None) -> Path:
    """A project with programs of these frameworks."""
    folder.mkdir(exist_ok=True)
    for name in frameworks:
        (folder / f"{name.replace('-', '_')}.py").write_text(PROGRAMS[name], encoding="utf-8")
    if configuration is not None:
        (folder / ".mcp.json").write_text(json.dumps(configuration), encoding="utf-8")
    return folder


def adopted(folder: Path, **more: Any) -> Adopted:
    """What adopting it gives."""
    return adopt(Adopting(path=folder, out=folder / "ws", agent="helper", person="ana", **more))


def tree(folder: Path) -> dict[str, bytes]:
    """Every file and what is in it."""
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.proves("adopt.holds")
@pytest.mark.parametrize("framework", PROGRAMS)
def test_what_is_written_holds(tmp_path: Path, framework: str) -> None:
    """For each framework: nothing is wrong, every tool has a contract with its guess marked, and the agent is in shadow."""
    made = adopted(project(tmp_path / "p", framework))
    site = read_site(tmp_path / "p" / "ws")

    assert made.wrong == ()
    assert [each.message for each in site.problems if each.severity == "error"] == []
    assert {each.tool for each in made.tools} == set(TOOLS[framework])
    [agent] = site.workspace.agents
    assert (agent.stage, agent.owners.missing()) == ("shadow", ("decision", "policy", "data", "engineering"))
    for each in made.tools:
        if not each.server:
            text = (tmp_path / "p" / "ws" / "contracts" / f"{each.contract}.yaml").read_text(encoding="utf-8")
            assert f"effect: {each.effect}  # guessed " in text
            assert "say yourself" in text
    assert {str(each.name) for each in site.contracts} == {each.contract for each in made.tools if not each.server}


@pytest.mark.proves("adopt.shadow")
def test_a_call_in_shadow_is_recorded_and_touches_nothing(tmp_path: Path) -> None:
    """As it was written, put in force: what reads happens, what acts is shadowed, and both are on record."""
    out = tmp_path / "p" / "ws"
    adopted(project(tmp_path / "p", "langchain"))
    assert program("-w", str(out), "check", folder=tmp_path).code == 0
    assert program("-w", str(out), "apply", folder=tmp_path).code == 0

    with interlock.open(out) as plane, plane.task("helper", purpose="try it", on_behalf_of="user:ana") as task:
        acts = task.propose("close_account", {"account": "a-1", "cents": 5, "note": None})
    assert isinstance(acts, interlock.Shadowed), acts
    listed = program("-w", str(out), "actions", "--json", folder=tmp_path).json()
    assert [(each["contract"], each["state"]) for each in listed] == [("close_account", "shadowed")]


@pytest.mark.proves("adopt.hides_secrets")
@pytest.mark.parametrize("rewrite", [False, True])
def test_no_secret_is_in_any_file_or_word(tmp_path: Path, rewrite: bool) -> None:
    """Not in the workspace, not in what is printed, in words or as JSON."""
    for number, words in enumerate(([], ["--json"])):
        folder = project(tmp_path / f"p{number}", "strands", configuration=CONFIGURATION)
        ran = program(
            "adopt",
            str(folder),
            "--out",
            str(folder / "ws"),
            *(["--rewrite"] if rewrite else []),
            *words,
            folder=tmp_path,
        )
        assert ran.code == 0, ran.err
        for secret in SECRETS:
            assert secret not in ran.out + ran.err
            assert all(secret.encode() not in data for data in tree(folder / "ws").values())


@pytest.mark.proves("adopt.overwrites_nothing")
def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Where anything is already, it says so and writes nothing; what is there stays as it is."""
    folder = project(tmp_path / "p", "strands", configuration=CONFIGURATION)
    (folder / "ws").mkdir()
    (folder / "ws" / "mine.txt").write_text("mine")
    before = tree(tmp_path)

    with pytest.raises(WorkspaceError, match="nothing is overwritten"):
        adopted(folder, rewrite=True)
    assert tree(tmp_path) == before


@pytest.mark.proves("adopt.overwrites_nothing")
@pytest.mark.parametrize("step", ["write_new", "begin_matrix", "initialise"])
@pytest.mark.parametrize("before", [True, False])
def test_a_disk_that_fails_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, before: bool
) -> None:
    """At every write, failed without and after having been done: no workspace, and nothing beside it."""
    folder = project(tmp_path / "p", "strands")
    kept, real = tree(tmp_path), getattr(adopting, step)

    def failing(*words: Any, **more: Any) -> Any:
        if not before:
            real(*words, **more)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(adopting, step, failing)
    with pytest.raises(FileError, match="No space left"):
        adopted(folder)
    assert tree(tmp_path) == kept
    assert not (folder / "ws").exists()
    assert [each.name for each in folder.iterdir()] == ["strands.py"]


@pytest.mark.proves("adopt.rewrites_safely")
def test_a_configuration_is_changed_and_kept_as_it_was(tmp_path: Path) -> None:
    """The gateway stands in the place of the servers, with what was secret in its environment; the file beside is the old one."""
    folder = project(tmp_path / "p", configuration={**CONFIGURATION, "other": [1, {"a": None}]})
    before = (folder / ".mcp.json").read_bytes()
    (folder / ".mcp.json").chmod(0o600)
    made = adopted(folder, rewrite=True)

    assert (folder / ".mcp.json.before-interlock").read_bytes() == before
    now = json.loads((folder / ".mcp.json").read_text(encoding="utf-8"))
    assert (folder / ".mcp.json").stat().st_mode & 0o777 == 0o600
    assert now["other"] == [1, {"a": None}]
    [(name, entry)] = now["mcpServers"].items()
    assert name == "interlock"
    assert entry["env"] == {"TOKEN": "hunter2", "GITHUB_TOKEN": "s3cret", "WEB_AUTHORIZATION": "v3rysecret"}
    assert entry["args"][entry["args"].index("gateway") :] == [
        "gateway",
        "--agent",
        "helper",
        "--on-behalf-of",
        "user:ana",
    ]
    assert made.clients[0].gone == ("git", "web")


@pytest.mark.proves("adopt.rewrites_safely")
def test_a_workspace_that_is_there_is_put_before_its_servers_alone(tmp_path: Path) -> None:
    """Adopted without `--rewrite` and then with it, the configuration has the gateway, what was added to it since is still in it,
    and nothing of the workspace is another; the third time changes nothing at all."""
    folder = project(tmp_path / "p", configuration=CONFIGURATION)
    adopted(folder)
    workspace = tree(folder / "ws")
    whole = json.loads((folder / ".mcp.json").read_text(encoding="utf-8"))
    whole["mcpServers"]["later"] = {"command": "later-server"}
    (folder / ".mcp.json").write_text(json.dumps(whole))
    made = adopted(folder, rewrite=True)
    now = json.loads((folder / ".mcp.json").read_text(encoding="utf-8"))["mcpServers"]

    assert tree(folder / "ws") == workspace
    assert list(now) == ["later", "interlock"]
    assert now["interlock"]["env"] == {"TOKEN": "hunter2", "GITHUB_TOKEN": "s3cret", "WEB_AUTHORIZATION": "v3rysecret"}
    assert (made.files, made.clients[0].gone, made.clients[0].kept) == ((), ("git", "web"), ("later",))

    before = tree(tmp_path)
    with pytest.raises(WorkspaceError, match="names none of these servers"):
        adopted(folder, rewrite=True)
    assert tree(tmp_path) == before


@pytest.mark.proves("adopt.rewrites_safely")
def test_the_gateway_is_not_put_behind_itself(tmp_path: Path) -> None:
    """Adopted again, to whatever place, the gateway is left out, with a word; where nothing else is there nothing is written."""
    folder = project(tmp_path / "p", configuration=CONFIGURATION)
    adopted(folder, rewrite=True)
    before = tree(tmp_path)
    with pytest.raises(WorkspaceError, match="it is the gateway already"):
        adopt(Adopting(path=folder, out=tmp_path / "other", agent="helper", person="ana", rewrite=True))
    with pytest.raises(WorkspaceError, match="it is the gateway already"):
        adopted(folder, rewrite=True)
    assert tree(tmp_path) == before


@pytest.mark.proves("adopt.rewrites_safely")
def test_a_workspace_of_other_servers_or_agents_is_put_before_nothing(tmp_path: Path) -> None:
    """Where the workspace has no such agent, or its file of a server knows nothing of a secret that the client has for it since,
    the configuration stays as it is."""
    folder = project(tmp_path / "p", configuration=CONFIGURATION)
    adopted(folder)
    before = tree(tmp_path)
    with pytest.raises(WorkspaceError, match="has no agent `nobody`"):
        adopt(Adopting(path=folder, out=folder / "ws", agent="nobody", person="ana", rewrite=True))
    assert tree(tmp_path) == before

    changed = json.dumps(CONFIGURATION).replace("GITHUB_TOKEN", "OTHER_TOKEN").replace("Authorization", "X-Other-Key")
    (folder / ".mcp.json").write_text(changed)
    with pytest.raises(WorkspaceError, match="as they are reached here"):
        adopted(folder, rewrite=True)
    assert (folder / ".mcp.json").read_text() == changed


@pytest.mark.proves("adopt.rewrites_safely")
@pytest.mark.parametrize("stored", [False, True])
def test_a_configuration_survives_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    """Not written: it is as it was, and nothing is beside it. Written, and failed all the same: nothing is lost either."""
    file = tmp_path / "c.json"
    file.write_text("before")
    real = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if stored:
            real(self, target)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(FileError, match="Input/output error"):
        replace(file, "after")
    monkeypatch.undo()
    assert file.read_text() == ("after" if stored else "before")
    beside = sorted(each.name for each in tmp_path.iterdir())
    assert beside == (["c.json", "c.json.before-interlock"] if stored else ["c.json"])


@pytest.mark.parametrize(
    "text", ["{} // a", '{"mcpServers": {}}', "[]", '{"mcpServers": {"interlock": {"command": "a"}}}']
)
def test_what_would_lose_something_is_left_to_a_person(tmp_path: Path, text: str) -> None:
    """Comments, no servers, the gateway there already: by hand, with the reason."""
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(WorkspaceError):
        rewriting.rewritten(tmp_path / "c.json", ["interlock"], [FoundServer(name="git", file="c.json")], {})


@pytest.mark.parametrize(("file", "typed"), [(".vscode/mcp.json", ["type"]), ("mcp.json", [])])
def test_what_is_put_in_by_hand_is_what_its_client_reads(file: str, typed: list[str]) -> None:
    """VS Code wants to be told that the gateway is spoken to over standard input and output."""
    entry = json.loads(rewriting.by_hand(file, ["interlock", "gateway"], []))["interlock"]
    assert list(entry) == [*typed, "command", "args"]


VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.proves("adopt.injects_nothing")
@settings(max_examples=400)
@given(VALUES)
def test_any_value_is_read_back_as_itself(value: JsonValue) -> None:
    """For all JSON: the strict reader of workspaces reads what was written as what it was."""
    problems = Problems("f")
    node = parse(f"x: {flow(value)}\n".encode(), problems)
    assert problems.found == []
    assert isinstance(node, Table)
    assert json_of(node.entries["x"], problems) == value


HOSTILE = st.text(max_size=60) | st.sampled_from(
    [
        "a\nrun: {http: x}",
        "*/ # x",
        "\x1b]0;own\x07",
        "x\u2028risk: low",
        "\u202egnp",
        "{{}}",
        "&a *a !!python/object",
        "''\"\\",
        "- x",
        "\x85y",
        "\ud800",
    ]
)


@pytest.mark.proves("adopt.injects_nothing")
@settings(max_examples=300)
@given(name=HOSTILE, description=HOSTILE, file=HOSTILE, argument=HOSTILE, text=HOSTILE)
def test_no_tool_writes_a_field_of_its_own(name: str, description: str, file: str, argument: str, text: str) -> None:
    """Whatever its name, its words, its arguments and its file are called: the contract is the one that was meant, or none is."""
    tool = FoundTool(
        name=name,
        framework="plain",
        file=file,
        line=1,
        description=description,
        arguments={argument: {"type": "string", "description": text, "default": text}},
    )
    found = guess("delete_it")
    written = contract_text(tool, Names().take(name, "tool"), found).text
    problems = Problems("f")
    node = parse(written.encode(errors="backslashreplace"), problems)
    if problems.found:
        return
    assert isinstance(node, Table)
    assert list(node.entries) == ["name", "description", "effect", "risk", "arguments", "reversal", "run"]
    _, contract = read_contract(Section(node, "a contract", problems), {})
    if contract is not None:
        assert (contract.effect, contract.risk) == (found.effect, found.risk)
        assert isinstance(contract.target, InProcess)
    assert all(line.isprintable() for line in written.splitlines())


@given(st.text(max_size=200), st.integers(4, 120))
def test_words_in_comments_stay_on_their_line(text: str, most: int) -> None:
    """Nothing of them ends a line, moves a cursor or is longer than it may be."""
    assert clean(text, most).isprintable()
    assert len(clean(text, most)) <= most


@given(st.lists(st.text(max_size=80), max_size=12))
def test_every_name_is_a_name_and_none_is_twice(wanted: list[str]) -> None:
    """For all lists: each has a name of its own, also where files do not tell capitals apart."""
    names = Names()
    made = [names.take(each, "tool") for each in wanted]
    assert all(NAME.fullmatch(each) for each in made), made
    assert len({each.casefold() for each in made}) == len(made)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(string.printable, min_size=1, max_size=12), min_size=1, max_size=4),
    st.text(string.ascii_letters + " '\"$`\\", min_size=1),
)
def test_a_secret_in_a_command_reaches_the_program_as_it_was(words: list[str], value: str) -> None:
    """Through the shell that puts it in: every word arrives as it was, and only the variable is filled in."""
    words = [each.replace("${", "$ {") for each in words]
    server = FoundServer(name="s", file="f", command="printf", arguments=("%s\\0", *words, "--key=${KEY}", "a${KEY}b"))
    problems = Problems("f")
    node = parse(server_text(server, None, {}).encode(), problems)
    assert isinstance(node, Table), problems.found
    whole = json_of(node, problems)
    assert isinstance(whole, dict)
    stdio = whole["stdio"]
    assert isinstance(stdio, dict)
    assert stdio["env"] == {"KEY": "${KEY}"}
    command = stdio["command"]
    assert isinstance(command, list)
    ran = subprocess.run(
        [str(each) for each in command], capture_output=True, env={**os.environ, "KEY": value}, check=True
    )
    assert ran.stdout.decode().split("\0")[:-1] == [*words, f"--key={value}", f"a{value}b"]


def test_hostile_names_reach_no_terminal(tmp_path: Path) -> None:
    """What is printed has no escape of a terminal in it, and no file is written outside of the workspace."""
    servers = {
        "../../up\x1b[2J": {"command": "a", "args": ["\x1b]0;x\x07"]},
        "a/b": {"command": "c"},
        "": {"command": "d"},
    }
    folder = project(tmp_path / "p", configuration={"mcpServers": servers})
    ran = program("adopt", str(folder), "--out", str(folder / "ws"), folder=tmp_path)

    assert ran.code == 0, ran.err
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out
    made = sorted(each.name for each in (folder / "ws" / "servers").iterdir())
    assert made == ["a_b.yaml", "server.yaml", "up_2J.yaml"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["p"]


def test_a_secret_in_an_address_is_left_to_a_person(tmp_path: Path) -> None:
    """It is not copied, and it is said that somebody has to put it somewhere."""
    web = {"url": "https://mcp.example/s/0a1b2c3d4e5f60718293a4b5c6d7e8f9/mcp"}
    made = adopted(project(tmp_path / "p", configuration={"mcpServers": {"web": web}}))
    assert [each.partition(",")[0] for each in made.todo] == ["servers/web.yaml: its address held a secret"]


def test_the_next_steps_are_commands(tmp_path: Path) -> None:
    """Three steps; what is said to be run is quoted for a shell."""
    folder = project(tmp_path / "a b", "strands")
    made = adopted(folder)
    assert len(made.steps) == 3
    assert shlex.split(made.steps[0].lines[-1])[1:] == ["-w", str(folder / "ws"), "apply"]


@pytest.mark.parametrize("guide", adopting.GUIDES.values())
def test_every_page_that_is_named_is_there(guide: str) -> None:
    """Whatever the framework."""
    assert (ROOT / guide).is_file()


def test_where_nothing_is_found_it_says_what_to_name(tmp_path: Path) -> None:
    """And makes nothing."""
    with pytest.raises(WorkspaceError, match="no MCP server and no tool"):
        adopted(tmp_path)
    assert list(tmp_path.iterdir()) == []
