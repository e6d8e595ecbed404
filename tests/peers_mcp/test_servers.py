"""Real servers behind the gateway, driven by the protocol's own client of either era: listed, read, and written to by a person's
word."""

import http.server
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest

import interlock
from tests.gateway.kit import ERAS, actions, client, held, text
from tests.peers_mcp.brought import Server, brought, node_server, python_server
from tests.peers_mcp.workspaces import workspace
from tests.workspaces import Place

pytestmark = pytest.mark.anyio

READ = "{effect: read, risk: low}"
WRITE = "{effect: write, risk: medium, reversal: {none: tests undo nothing}}"


class Case(NamedTuple):
    """One server, and what is done with it."""

    server: Callable[[Path], Server]
    tools: int
    read: tuple[str, Callable[[Path], dict[str, Any]]]
    seen: str
    """What the answer of the read holds."""
    write: tuple[str, Callable[[Path], dict[str, Any]]] | None = None
    written: Callable[[Path], bool] | None = None
    """Whether the write was done, seen without the server."""


def repository(folder: Path) -> Path:
    """A repository with one commit, and one file that is not in it yet."""
    made = folder / "repository"
    made.mkdir(exist_ok=True)
    for words in (["init", "-q"], ["config", "user.email", "t@example.com"], ["config", "user.name", "T"]):
        subprocess.run(["git", *words], cwd=made, check=True)
    (made / "first.txt").write_text("first\n")
    subprocess.run(["git", "add", "first.txt"], cwd=made, check=True)
    subprocess.run(["git", "commit", "-qm", "first"], cwd=made, check=True)
    (made / "second.txt").write_text("second\n")
    return made


def git_status(folder: Path) -> str:
    """What is staged there."""
    done = subprocess.run(
        ["git", "status", "--short"], cwd=folder / "repository", check=True, capture_output=True, text=True
    )
    return done.stdout


def files(folder: Path) -> Path:
    """A folder with one file in it."""
    made = folder / "files"
    made.mkdir(exist_ok=True)
    (made / "note.txt").write_text("a note that was there\n")
    return made


SHORT = ("git", "everything")
CASES = {
    "git": Case(
        server=lambda folder: Server(
            python_server("mcp-server-git", "--repository", str(repository(folder))), {"git_status": READ, "git_add": WRITE}
        ),
        tools=12,
        read=("git__git_status", lambda folder: {"repo_path": str(folder / "repository")}),
        seen="second.txt",
        write=("git__git_add", lambda folder: {"repo_path": str(folder / "repository"), "files": ["second.txt"]}),
        written=lambda folder: git_status(folder).startswith("A  second.txt"),
    ),
    "time": Case(
        server=lambda _: Server(python_server("mcp-server-time", "--local-timezone", "UTC"), {"get_current_time": READ}),
        tools=2,
        read=("time__get_current_time", lambda _: {"timezone": "Europe/Berlin"}),
        seen="Europe/Berlin",
    ),
    "sqlite": Case(
        server=lambda folder: Server(
            [str(brought("sqlite/bin/mcp-server-sqlite")), "--db-path", str(folder / "shop.db")],
            {"list_tables": READ, "create_table": WRITE},
        ),
        tools=6,
        read=("sqlite__list_tables", lambda _: {}),
        seen="[]",
        write=("sqlite__create_table", lambda _: {"query": "CREATE TABLE orders (id INTEGER PRIMARY KEY)"}),
        written=lambda folder: b"CREATE TABLE orders" in (folder / "shop.db").read_bytes(),
    ),
    "filesystem": Case(
        server=lambda folder: Server(
            node_server("mcp-server-filesystem", str(files(folder))), {"read_text_file": READ, "write_file": WRITE}
        ),
        tools=14,
        read=("filesystem__read_text_file", lambda folder: {"path": str(folder / "files" / "note.txt")}),
        seen="a note that was there",
        write=("filesystem__write_file", lambda folder: {"path": str(folder / "files" / "new.txt"), "content": "new"}),
        written=lambda folder: (folder / "files" / "new.txt").exists(),
    ),
    "memory": Case(
        server=lambda folder: Server(
            node_server("mcp-server-memory"),
            {"read_graph": READ, "create_entities": WRITE},
            env={"MEMORY_FILE_PATH": str(folder / "memory.jsonl")},
        ),
        tools=9,
        read=("memory__read_graph", lambda _: {}),
        seen="entities",
        write=(
            "memory__create_entities",
            lambda _: {"entities": [{"name": "Ana", "entityType": "person", "observations": ["likes tea"]}]},
        ),
        written=lambda folder: (folder / "memory.jsonl").exists() and "Ana" in (folder / "memory.jsonl").read_text(),
    ),
    "everything": Case(
        server=lambda _: Server(node_server("mcp-server-everything"), {"get-sum": READ, "echo": READ}),
        tools=13,
        read=("everything__get-sum", lambda _: {"a": 1.5, "b": 40.5}),
        seen="42",
    ),
}  # fmt: skip


async def agree(place: Place) -> None:
    """Rita's word."""
    waiting = await held(place)
    with interlock.open(place.folder) as people:
        await people.person("rita").aio.approve(waiting.id)


@pytest.mark.proves("gateway.real_servers")
@pytest.mark.parametrize(
    "name", [each if each in SHORT else pytest.param(each, marks=pytest.mark.slow) for each in CASES]
)
async def test_a_real_server_is_listed_read_and_written_to(tmp_path: Path, name: str) -> None:
    """In both eras every tool is offered, and what reads gives the server's own answer; what writes waits for a person, and is
    done once."""
    case = CASES[name]
    place = workspace(tmp_path, {name: case.server(tmp_path)})
    for mode in ERAS:
        async with client(place, mode=mode) as mcp:
            listed = [each.name for each in (await mcp.list_tools()).tools]
            assert len([each for each in listed if each.startswith(f"{name}__")]) == case.tools, listed
            read = await mcp.call_tool(case.read[0], case.read[1](tmp_path))
            assert not read.is_error, text(read)
            assert case.seen in text(read)
    if case.write is not None and case.written is not None:
        assert not case.written(tmp_path)
        async with client(place) as mcp, anyio.create_task_group() as both:
            both.start_soon(agree, place)
            wrote = await mcp.call_tool(case.write[0], case.write[1](tmp_path))
        assert not wrote.is_error, text(wrote)
        assert case.written(tmp_path)
    assert [each.state for each in await actions(place)] == ["done"] * (len(ERAS) + (case.write is not None))


@pytest.fixture
def page() -> Iterator[str]:
    """The address of a page on this machine."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = b"" if self.path == "/robots.txt" else b"<html><body><p>all the news there is</p></body></html>"
            self.send_response(404 if not data else 200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.proves("gateway.real_servers")
async def test_the_server_that_fetches_gives_what_it_fetched(tmp_path: Path, page: str) -> None:
    """mcp-server-fetch, with no network but this machine's, in both eras."""
    place = workspace(
        tmp_path, {"fetch": Server(python_server("mcp-server-fetch", "--allow-private-ips"), {"fetch": READ})}
    )
    for mode in ERAS:
        async with client(place, mode=mode) as mcp:
            found = await mcp.call_tool("fetch__fetch", {"url": page, "raw": True})
            assert "all the news there is" in text(found)
