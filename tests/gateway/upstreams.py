"""A workspace with a server behind it: what its file says, what was accepted of it, and an agent that may use it."""

import asyncio
import sys
from pathlib import Path

import interlock
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.upstreams import McpUpstreams
from interlock.adapters.workspace.pinned_file import pinned_text
from interlock.domain.upstream import Pinned, Server, Stdio
from tests.gateway.upstream_server import TOOLS
from tests.workspaces import AGENT, Place

PROGRAM = Path(__file__).with_name("upstream_server.py")
BESIDE = ("up.read_resource", "up.get_prompt", "up.sample", "up.elicit", "up.roots", "box.look")
CAPABILITIES = [*(f"up.{each}" for each in TOOLS), *BESIDE]
SERVER = """\
stdio: {{command: ["{python}", "{program}", "{notes}"]}}
owner: platform
connections: each_task
refresh: 1s
sampling: ask
elicitation: ask
roots: ask
resources: ["notes://one", "notes://two", "notes://other/*"]
prompts: [hello]
tools:
  note:
    effect: write
    risk: low
    key: key
    idempotency: {{keyed: {{retention: 1d}}}}
    reversal: {{contract: up.note, arguments: {{text: undo}}}}
  twice: {{effect: read, risk: low}}
  everything: {{effect: read, risk: low}}
  leak: {{effect: read, risk: low}}
  fails: {{effect: read, risk: low}}
  steps: {{effect: read, risk: low}}
  do_sample: {{effect: read, risk: low}}
  do_elicit: {{effect: read, risk: low}}
  do_roots: {{effect: read, risk: low}}
  do_url: {{effect: read, risk: low}}
  talk: {{effect: read, risk: low}}
"""
POLICIES = """\
@id("up.ask") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("somebody is to look")
forbid(principal, action == Action::"up.note", resource) when { context.args.text == "careful" };
@id("up.other") @owner("tests") @outcome("deny") @reason("not that folder")
forbid(principal, action == Action::"up.read_resource", resource) when { context.args.uri like "notes://other/*" };
@id("up.roots") @owner("tests") @outcome("deny") @reason("nobody needs to know where we work")
forbid(principal, action == Action::"up.roots", resource);
"""


def notes(place: Place) -> list[str]:
    """What the server did."""
    file = place.folder / "notes.txt"
    return file.read_text().splitlines() if file.exists() else []


async def with_server(place: Place, protocol: str = "2025-11-25") -> Place:
    """Put the server behind the workspace, as somebody accepted it, in that revision of the protocol."""
    file = place.folder / "notes.txt"
    command = (sys.executable, str(PROGRAM), str(file))
    reached = McpUpstreams(Reach({"up": Server(name="up", way=Stdio(command=command))}, lambda _: None, place.folder))
    try:
        tools = await reached.definitions("up")
    finally:
        await reached.close()
    place.write("servers/up.yaml", SERVER.format(python=sys.executable, program=PROGRAM, notes=file))
    place.write("servers/up.pinned.json", pinned_text(Pinned(server="up 1", protocol=protocol, tools=tools)))
    place.write("agents/up.yaml", AGENT.format(name="up", stage="partial", capabilities=", ".join(CAPABILITIES)))
    place.write("policies/up.cedar", POLICIES)
    async with await _opened(place):
        pass
    return place


async def _opened(place: Place) -> interlock.Client:

    return await asyncio.to_thread(interlock.open, place.folder, apply=True)
