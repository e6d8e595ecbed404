"""Workspaces whose tools are those of real servers: looked at, accepted, and in force."""

import json
import subprocess
from pathlib import Path

from tests.gateway.kit import PROGRAM
from tests.peers_mcp.brought import Server
from tests.workspaces import Place

AGENT = """\
name: ag
purpose: to be tested
owners: {{decision: rita, policy: rita, data: rita, engineering: rita}}
stage: partial
capabilities: [{capabilities}]
runtime: {{max_actions: 5000, max_task: 1h, max_repeats: 500}}
approvals: {{within: 1h}}
"""
BESIDE = {"resources": "read_resource", "prompts": "get_prompt", "sampling": "sample", "elicitation": "elicit"}
"""The contracts that come of what a server's file lets pass beside tools."""
POLICIES = """\
@id("all") @owner("tests") permit(principal, action, resource);
@id("ask") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("it writes")
forbid(principal, action in Action::"effect:write", resource);
"""


def workspace(folder: Path, servers: dict[str, Server]) -> Place:
    """One with these servers, everything they offer accepted, and one agent that may use all of it."""
    place = Place(folder)
    place.write("interlock.yaml", "tenant: tests\nbudgets: {calls: 10000}\npolicy_tests: advised\n")
    place.write("people.yaml", "rita: [reviewer]\n")
    place.write("policies/all.cedar", POLICIES)
    for name, server in servers.items():
        tools = "".join(f"  {tool}: {said}\n" for tool, said in server.tools.items())
        way = f"stdio: {json.dumps({'command': list(server.command), 'env': dict(server.env), 'cwd': str(folder)})}\n"
        place.write(f"servers/{name}.yaml", f"{way}{server.more}tools:\n{tools}" if tools else way + server.more)
    command(place, "init")
    for name in servers:
        command(place, "server", "pin", name, "--yes")
    known = json.loads(command(place, "server", "list", "--json").stdout)
    capabilities = [contract for each in known for contract in each["contracts"]]
    for name, server in servers.items():
        capabilities += [f"{name}.{made}" for word, made in BESIDE.items() if f"{word}: " in server.more]
    place.write("agents/ag.yaml", AGENT.format(capabilities=", ".join(dict.fromkeys(capabilities))))
    command(place, "apply")
    return place


def command(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program, which must do as it is told."""
    done = subprocess.run(
        [PROGRAM, "-w", ".", *words], cwd=place.folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done
