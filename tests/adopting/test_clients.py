"""The servers in clients' configurations, found, and no secret of theirs copied."""

import json
import string
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.adopting.clients import Unfit, server_of
from interlock.adapters.adopting.jsonc import jsonc
from interlock.adapters.adopting.looking import look
from interlock.domain.adoption import FoundServer
from interlock.domain.hiding import Hiding

MADE: Final = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
"""Has the shape of a token."""
GIT: Final = {"command": "uvx", "args": ["mcp-server-git", "--repository", "/srv/repo"]}
WEB: Final = {"url": "https://mcp.example/mcp", "headers": {"Authorization": f"Bearer {MADE}"}}

CONFIGURATIONS: Final = {
    "claude_desktop_config.json": json.dumps({"mcpServers": {"git": GIT}}),
    ".mcp.json": json.dumps({"mcpServers": {"git": {"type": "stdio", **GIT}, "web": {"type": "http", **WEB}}}),
    ".cursor/mcp.json": json.dumps({"mcpServers": {"git": GIT, "web": WEB}}),
    ".vscode/mcp.json": """{
        // what VS Code writes, comments and all
        "inputs": [{"type": "promptString", "id": "api-key", "password": true}],
        "servers": {
            "git": {"type": "stdio", "command": "uvx", "args": ["mcp-server-git", "--key", "${input:api-key}"],
                    "env": {"TOKEN": "${env:MINE}", "DEBUG": "true"}},
            "web": {"type": "http", "url": "https://mcp.example/mcp", /* who */ "headers": {"X-Key": "${input:api-key}"}},
        },
    }""",
    ".vscode/settings.json": json.dumps({"editor.tabSize": 4, "mcp": {"servers": {"git": GIT}}}),
    ".windsurf/mcp_config.json": json.dumps({"mcpServers": {"git": GIT, "web": {"serverUrl": WEB["url"]}}}),
    ".zed/settings.json": '{"context_servers": {"git": {"source": "custom", "command": "uvx", "args": ["mcp-server-git"],'
    ' "env": {}},'
    ' "old": {"command": {"path": "node", "args": ["s.js"], "env": {"K": "v"}}}}}',
    ".codex/config.toml": '[mcp_servers.git]\ncommand = "uvx"\nargs = ["mcp-server-git"]\nenv = {TOKEN = "abc"}\n'
    '[mcp_servers.web]\nurl = "https://mcp.example/mcp"\nbearer_token_env_var = "WEB_TOKEN"\n'
    'env_http_headers = {X-A = "A_KEY"}\n',
    ".gemini/settings.json": json.dumps({"mcpServers": {"git": GIT, "web": {"httpUrl": WEB["url"]}}}),
}


def put(folder: Path, name: str, text: str) -> Path:
    """A file, and its folders."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def one(entry: object, name: str = "srv") -> FoundServer:
    """The server of an entry."""
    return server_of(name, entry, Hiding(), file="f", line=1)


@pytest.mark.proves("adopt.finds_servers")
@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("named", [False, True])
def test_each_clients_configuration_is_read(tmp_path: Path, name: str, named: bool) -> None:
    """In a project and by its own name, the servers of each client are found, with how they are reached."""
    path = put(tmp_path, name, CONFIGURATIONS[name])
    found = look(path if named else tmp_path)
    servers = {each.name: each for each in found.servers}

    assert found.overlooked == ()
    assert servers["git"].command == "uvx"
    assert servers["git"].arguments[0] == "mcp-server-git"
    assert all(each.url == "https://mcp.example/mcp" for name, each in servers.items() if name == "web")
    assert set(servers) in ({"git"}, {"git", "web"}, {"git", "old"})
    assert all(each.line >= 1 for each in found.servers)


@pytest.mark.proves("adopt.finds_servers")
def test_servers_that_a_program_names_are_found(tmp_path: Path) -> None:
    """What LangChain's client, the OpenAI Agents SDK, Pydantic AI and ADK connect to stands in their source."""
    text = """
import os
from langchain_mcp_adapters.client import MultiServerMCPClient
from agents.mcp import MCPServerStdio
from pydantic_ai.mcp import MCPServerStreamableHTTP
from mcp import StdioServerParameters
TOKEN = load()
client = MultiServerMCPClient({
    "math": {"command": "python", "args": ["/srv/math.py"], "transport": "stdio"},
    "weather": {"url": "http://localhost:8000/mcp", "transport": "streamable_http",
                "headers": {"Authorization": f"Bearer {TOKEN}", "X": os.environ["X_KEY"]}},
})
files = MCPServerStdio(name="files", params={"command": "npx", "args": ["-y", "server-filesystem", folder]})
remote = MCPServerStreamableHTTP("https://mcp.example/mcp")
adk = StdioServerParameters(command="uvx", args=["mcp-server-time"], env={"KEY": os.getenv("TIME_KEY")})
"""
    put(tmp_path, "p.py", text)
    servers = {each.name: each for each in look(tmp_path).servers}

    assert servers["math"].arguments == ("/srv/math.py",)
    assert servers["weather"].headers == {"Authorization": "Bearer ${TOKEN}", "X": "${X_KEY}"}
    assert servers["files"].arguments == ("-y", "server-filesystem", "${FOLDER}")
    assert servers["mcp"].url == "https://mcp.example/mcp"
    assert servers["mcp-server-time"].env == {"KEY": "${TIME_KEY}"}


@pytest.mark.proves("adopt.hides_secrets")
@pytest.mark.parametrize(
    ("entry", "field", "left", "hidden"),
    [
        ({"command": "a", "env": {"API_KEY": "s3cret!"}}, "env", {"API_KEY": "${API_KEY}"}, ["API_KEY"]),
        ({"command": "a", "env": {"DEBUG": "true", "PORT": 8080}}, "env", {"DEBUG": "true", "PORT": "8080"}, []),
        ({"command": "a", "env": {"X": "${env:Y}"}}, "env", {"X": "${Y}"}, []),
        ({"command": "a", "args": ["--api-key", "hunter2"]}, "arguments", ("--api-key", "${API_KEY}"), ["API_KEY"]),
        ({"command": "a", "args": ["--token=hunter2"]}, "arguments", ("--token=${TOKEN}",), ["TOKEN"]),
        ({"command": "docker", "args": ["run", "-e", "PW=hunter2"]}, "arguments", ("run", "-e", "PW=${PW}"), ["PW"]),
        ({"command": "docker", "args": ["run", "-e", "PW"]}, "arguments", ("run", "-e", "PW"), []),
        (
            {"command": "npx", "args": ["mcp-remote", "https://h/mcp", "--header", "Authorization: Bearer abc"]},
            "arguments",
            ("mcp-remote", "https://h/mcp", "--header", "Authorization: Bearer ${SRV_AUTHORIZATION}"),
            ["SRV_AUTHORIZATION"],
        ),
        (
            {"command": "a", "args": ["postgres://u:pw@h/db"]},
            "arguments",
            ("postgres://${SRV_USER}@h/db",),
            ["SRV_USER"],
        ),
        ({"command": "a", "args": [MADE]}, "arguments", ("${SRV_SECRET}",), ["SRV_SECRET"]),
        (
            {"command": "a", "args": ["@scope/server-files@2025.8.1", "/home/ana"]},
            "arguments",
            ("@scope/server-files@2025.8.1", "/home/ana"),
            [],
        ),
        (
            {"url": "https://h/s/0a1b2c3d4e5f60718293a4b5c6d7e8f9/mcp"},
            "url",
            "https://h/s/${SRV_PATH}/mcp",
            ["SRV_PATH"],
        ),
        ({"url": "https://h/mcp?key=abc&v=1"}, "url", "https://h/mcp?key=${SRV_KEY}&v=1", ["SRV_KEY"]),
        ({"url": "https://me:pw@h/mcp#abc"}, "url", "https://${SRV_USER}@h/mcp", ["SRV_USER"]),
        (
            {"url": "https://h", "headers": {"X-Key": "abc", "Accept": "text/plain"}},
            "headers",
            {"X-Key": "${SRV_X_KEY}", "Accept": "text/plain"},
            ["SRV_X_KEY"],
        ),
        (
            {"url": "https://h", "headers": {"Authorization": "Bearer ${T}"}},
            "headers",
            {"Authorization": "Bearer ${T}"},
            [],
        ),
    ],
)
def test_what_may_be_a_secret_is_not_copied(entry: dict[str, Any], field: str, left: object, hidden: list[str]) -> None:
    """In its place stands a variable, and it is said which."""
    found = one(entry)
    assert getattr(found, field) == left
    assert [each.variable for each in found.hidden] == hidden


@pytest.mark.proves("adopt.hides_secrets")
@settings(max_examples=300)
@given(
    st.text(string.ascii_letters + string.digits, min_size=24, max_size=60).filter(
        lambda text: any(each.isdigit() for each in text) and any(each.isalpha() for each in text)
    ),
    st.sampled_from(["env", "header", "flag", "pair", "word", "query", "user", "path", "docker"]),
)
def test_no_made_up_word_of_any_length_is_left_anywhere(secret: str, place: str) -> None:
    """For all words such as machines make, wherever in a configuration: not in anything that was found."""
    entries: dict[str, object] = {
        "env": {"command": "a", "env": {"ANYTHING": secret}},
        "header": {"url": "https://h", "headers": {"X-Whatever": secret}},
        "flag": {"command": "a", "args": ["--password", secret]},
        "pair": {"command": "a", "args": [f"--auth={secret}"]},
        "word": {"command": "a", "args": [secret]},
        "query": {"url": f"https://h/mcp?{secret[:3]}={secret}"},
        "user": {"url": f"https://{secret}@h/mcp"},
        "path": {"url": f"https://h/{secret}/mcp"},
        "docker": {"command": "docker", "args": ["run", "--env", f"X={secret}", "image"]},
    }
    assert secret not in repr(one(entries[place]))


def test_two_secrets_of_one_name_have_two_variables() -> None:
    """And one secret that two servers share has one."""
    hiding = Hiding()
    made = [
        server_of(name, {"command": "a", "env": {"KEY": value}}, hiding, file="f", line=1).env["KEY"]
        for name, value in (("a", "1st secret"), ("b", "2nd secret"), ("c", "1st secret"))
    ]
    assert made == ["${KEY}", "${B_KEY}", "${KEY}"]


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        3,
        None,
        [],
        {},
        {"command": 3},
        {"command": "a", "args": "b"},
        {"command": "a", "args": [{}]},
        {"command": "a", "env": []},
        {"command": "a", "env": {"X": {}}},
        {"url": "file:///etc/passwd"},
        {"url": 3},
        {"url": "https://h", "headers": "x"},
        {"type": "sse", "url": "https://h"},
    ],
)
def test_what_is_not_understood_is_left_out_and_said(tmp_path: Path, entry: object) -> None:
    """A sound server beside it is found all the same."""
    with pytest.raises(Unfit):
        one(entry)
    path = put(tmp_path, ".mcp.json", json.dumps({"mcpServers": {"odd": entry, "git": GIT}}))
    found = look(path)
    assert [each.name for each in found.servers] == ["git"]
    assert "odd" in found.overlooked[0].why


JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["mcpServers", "servers", "mcp", "projects", "command", "args", "env", "url", "headers", "a"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(JSON)
def test_any_configuration_is_read(tmp_path_factory: pytest.TempPathFactory, whole: object) -> None:
    """Whatever JSON: servers or reasons, never an error."""
    path = tmp_path_factory.mktemp("any") / "any.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    found = look(path)
    assert found.servers or found.overlooked


@given(JSON, st.sampled_from(["// x\n", "/* x */", " ", "\n"]))
def test_json_with_comments_says_the_same(whole: object, comment: str) -> None:
    """Comments between any two parts, and commas behind the last member, change nothing; in texts they are text."""
    plain = json.dumps({"text": "// no /* comment */,]", "whole": whole}, indent=1)
    loose = plain.replace("\n", f"{comment}\n").replace("\n}", ",\n}")
    assert jsonc(loose) == jsonc(plain) == json.loads(plain)


@pytest.mark.parametrize(
    "text", ['\\"' * 200_000, "/*" * 200_000, "[" * 100_000, ",]" * 200_000, '{"a":' * 100_000, '"' + "\\" * 300_001]
)
def test_no_text_takes_long_to_read(text: str) -> None:
    """What is made to be slow is refused as fast as anything else."""
    with pytest.raises(ValueError, match=r"is no JSON|is nested too deep"):
        jsonc(text)
