"""Interlock as a client of the server that the conformance suite serves: `python asking_client.py URL`.

The suite begins it, says in its environment what is to be seen to, and watches what reaches its server. Every call goes the way a
call of the gate's goes: the connection, the pin, the contract and the effector.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx

from interlock.adapters.effectors.mcp_call import McpEffectors
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.upstreams import McpUpstreams
from interlock.domain.call import Call, Landed
from interlock.domain.contract import McpTarget
from interlock.domain.ids import ActionId, TaskId
from interlock.domain.upstream import Http, Server, Wire
from interlock.domain.upstream_auth import ClientCredentials
from interlock.domain.upstream_contract import Words, upstream_contract
from interlock.ports.upstream import Changed

CALLS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "tools_call": ("add_numbers", {"a": "5", "b": "3"}),
    "elicitation-sep1034-client-defaults": ("test_client_elicitation_defaults", {}),
    "sse-retry": ("test_reconnection", {}),
}
"""By scenario, what is called, and with which arguments of its contract."""
READ: Final[dict[str, Any]] = {"effect": "read", "risk": "low", "reversal": None}


class Person:
    """Whoever follows the task: a client whose form was sent as it stood, with what the server proposed in it."""

    async def changed(self, server: str, what: Changed) -> None:
        """Nothing is done about it."""

    async def updated(self, server: str, uri: str) -> None:
        """Nothing is done about it."""

    async def logged(self, server: str, message: Wire) -> None:
        """Nothing is done about it."""

    async def progressed(self, server: str, action: str, news: Wire) -> None:
        """Nothing is done about it."""

    async def asked(self, server: str, action: str, method: str, params: Wire) -> Wire:
        """Answer a form."""
        del server, action, method
        members = params["requestedSchema"]["properties"]
        content = {name: each["default"] for name, each in members.items() if "default" in each}
        return {"action": "accept", "content": content}


async def account(url: str, context: dict[str, Any], folder: Path) -> ClientCredentials:
    """The account that an operator writes into the server's file. Who issues its tokens the operator knows; here it is looked up
    where the server says it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        refused = await client.post(url, json={})
        said = refused.headers["www-authenticate"].split('resource_metadata="')[1].split('"')[0]
        issuer = (await client.get(said)).json()["authorization_servers"][0]
    if "private_key_pem" not in context:
        os.environ["SECRET"] = context["client_secret"]
        return ClientCredentials(client=context["client_id"], issuer=issuer, secret="env:SECRET")  # noqa: S106  where it is
    key = folder / "key.pem"
    key.write_text(context["private_key_pem"])
    key.chmod(0o600)
    return ClientCredentials(client=context["client_id"], issuer=issuer, key=f"file:{key}")


async def main(url: str, scenario: str, context: dict[str, Any]) -> None:
    """Reach the server, list its tools, and call what the scenario is about."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        auth = await account(url, context, folder) if scenario.startswith("auth/") else None
        way = Http(url=url, auth=auth)
        server = Server(name="suite", way=way, connections="each_task", elicitation="ask", timeout_ms=20_000)
        upstreams = McpUpstreams(Reach({"suite": server}, lambda _: None, folder))
        upstreams.follow("t", Person())
        try:
            tools = {each.name: each for each in await upstreams.definitions("suite", task="t")}
            wanted, arguments = CALLS.get(scenario, ("", {}))
            if wanted:
                contract = upstream_contract(server, tools[wanted], Words(promises=READ))
                target = contract.target
                assert isinstance(target, McpTarget)
                call = Call(action_id=ActionId("a"), idempotency_key="k", task=TaskId("t"))
                answer = await McpEffectors(upstreams).invoke(contract, target, "run", arguments, call)
                assert isinstance(answer, Landed), answer
        finally:
            await upstreams.close()


if __name__ == "__main__":
    told = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    asyncio.run(main(sys.argv[1], os.environ["MCP_CONFORMANCE_SCENARIO"], told))
