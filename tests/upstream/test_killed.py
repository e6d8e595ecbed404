"""A server that is killed in the midst of a call: what is recorded is true, nothing is made twice, and the next call reaches it
anew; through the gateway and through a worker, whichever way it is reached."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest

from interlock.adapters.workspace.pinned_file import pinned_text
from interlock.domain.upstream import Http, Pinned, Server, Stdio
from tests.cli.shell import Shell
from tests.gateway.kit import actions, client, said
from tests.upstream.reaching import HERE, LEGACY, free_port, over_http, reaching, written
from tests.workspaces import Place, forget, workspace

FILE = """\
owner: lead
tools:
  note: {effect: write, risk: low, reversal: {contract: kit.note, arguments: {text: undone}}}
"""
ASK = """\
@id("long") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("ask")
forbid(principal, action == Action::"kit.note", resource) when { context.args.key == "ask" };
"""


class Mortal:
    """A workspace with the kit's server, which kills itself once it did what was asked, where that is to `die`."""

    def __init__(self, place: Place, over: str) -> None:
        self.place = place
        self.over = over
        self.notes = place.folder / "notes.txt"
        self.program = place.folder / "kit_server.py"
        code = (HERE / "kit_server.py").read_text()
        line = '        file.write(f"{text}|{key}\\n")\n'
        assert line in code
        self.program.write_text(code.replace(line, f"{line}    if text == 'die':\n        os.kill(os.getpid(), 9)\n"))
        self.port = free_port()

    @property
    def server(self) -> Server:
        """How it is reached."""
        if self.over == "http":
            return Server(name="kit", way=Http(url=f"http://127.0.0.1:{self.port}/mcp"))
        command = (sys.executable, str(self.program))
        return Server(name="kit", way=Stdio(command=command, env={"NOTES": str(self.notes)}))

    @contextmanager
    def running(self) -> Iterator[None]:
        """While it can be reached."""
        if self.over == "stdio":
            yield
            return
        with over_http(self.notes, self.port, self.program):
            yield

    async def accept(self) -> None:
        """Put what it says now under contract."""
        async with reaching(self.server, self.place.folder) as way:
            pinned = Pinned(server="kit 1.2.3", protocol=LEGACY, tools=tuple(way.accepted.values()))
        way_of = self.server.way
        said_of = f'http: {{url: "{way_of.url}"}}' if isinstance(way_of, Http) else ""
        if isinstance(way_of, Stdio):
            said_of = f"stdio: {{command: [{', '.join(way_of.command)}], env: {{NOTES: {self.notes}}}}}"
        self.place.write("servers/kit.yaml", f"{said_of}\n{FILE}")
        self.place.write("servers/kit.pinned.json", pinned_text(pinned))

    def states(self) -> list[str]:
        """Of its actions, newest first."""
        return [each.state for each in anyio.run(actions, self.place)]


@pytest.fixture(name="mortal", params=["stdio", pytest.param("http", marks=pytest.mark.slow)])
def _mortal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mortal]:
    place = workspace(tmp_path)
    made = Mortal(place, request.param)
    agent = place.folder / "agents/ag.yaml"
    agent.write_text(agent.read_text().replace("[box.put,", "[kit.note, box.put,"))
    policies = place.folder / "policies/all.cedar"
    policies.write_text(policies.read_text() + ASK)
    with made.running():
        anyio.run(made.accept)
    yield made
    forget(place)


@pytest.mark.proves("upstream.killed")
def test_a_server_killed_in_a_call_leaves_it_unknown_and_the_next_call_reaches_it_anew(mortal: Mortal) -> None:
    """At the gateway, then at a worker: what was sent to a server that died is unknown and made once; the next call is done."""
    shell = Shell(mortal.place)
    assert shell("apply").code == 0

    async def through(text: str, key: str, wait: float = 0) -> str:
        await anyio.sleep(wait)
        async with client(mortal.place, "--hold", "ticket") as mcp:
            found = await mcp.call_tool("kit__note", {"text": text, "key": key})
        return str(said(found)["state"]) if found.structured_content and "state" in said(found) else "done"

    with mortal.running():
        anyio.run(partial(through, "die", "at the gateway"))
    assert mortal.states() == ["unknown"]
    with mortal.running():
        assert anyio.run(partial(through, "live", "")) == "done"
        assert anyio.run(partial(through, "die", "ask")) == "held"
    held = anyio.run(actions, mortal.place)[0]
    assert shell("--as", "rita", "approve", str(held.id)).code == 0
    with mortal.running():
        assert shell("work", "--until-idle").code == 0
    assert mortal.states() == ["unknown", "done", "unknown"]
    with mortal.running():
        assert shell("work", "--until-idle").code == 0
        assert anyio.run(partial(through, "live", "again")) == "done"
    assert mortal.states() == ["done", "unknown", "done", "unknown"]
    assert written(mortal.notes) == ["die|at the gateway", "live|", "die|ask", "live|again"]
    assert shell("verify").code == 0
