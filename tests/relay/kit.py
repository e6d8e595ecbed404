"""A relay on a real socket over a real workspace, with scripted providers behind it and a key of an agent before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import httpx

import interlock
from interlock.bootstrap.connecting import connect, identity_of
from interlock.bootstrap.relaying import relay
from interlock.domain.bearer import Bounds
from interlock.domain.budget import Budget
from interlock.domain.ids import AgentName, Person
from interlock.domain.use import Use
from interlock.embedded import Embedded
from interlock.relay.app import Relay
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home
from interlock.services.plane import ControlPlane
from tests.relay.provider import Provider, provider
from tests.services.packets import predicate_of, statement_of, told
from tests.workspaces import Place, forget, workspace

serving: Any = import_module("interlock.api.serving")
SECRET = "sk-the-providers-own-key-0123456789"  # noqa: S105  what must not be seen anywhere
HI = [{"role": "user", "content": "hi"}]
MODELS = """
prices: {{gpt-4o-mini: {{input: 1000000, output: 2000000, cached: 500000}}}}
models:
  providers:
    openai: {{url: "{first}", key: "file:openai.key", headers: {{OpenAI-Project: shop}}}}
    local: {{url: "{second}"}}
  routes:
    gpt-4o-mini:
      provider: openai
      most_output: 50
      timeout: 2s
      fallback: [{{provider: local, model: llama}}]
    alone: {{provider: openai, model: gpt-4o-mini, most_output: 50, most_input: 5000, timeout: 1s}}
    loose: {{provider: openai, model: gpt-4o-mini}}
    other: {{provider: openai, model: gpt-4o, most_output: 50}}
    embed: {{provider: openai}}
{more}
"""


class Site:
    """All of it."""

    def __init__(self, place: Place, plane: ControlPlane, app: Relay, first: Provider, second: Provider) -> None:
        self.place = place
        self.plane = plane
        self.app = app
        self.first = first
        self.second = second
        self.url = ""
        self.key = ""

    async def make_key(self, **how: Any) -> str:
        """A key of the agent."""
        by: dict[str, Any] = {"by": Person("rita"), "purpose": "answer letters", "on_behalf_of": "user:ana"}
        text, _ = await self.plane.agent_keys.make(AgentName("ag"), **{**by, "surfaces": ("models",), **how})
        return text

    def client(self, key: str | None = None, **how: Any) -> httpx.AsyncClient:
        """Somebody who asks with a key."""
        headers = {"authorization": f"Bearer {self.key if key is None else key}", **how.pop("headers", {})}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, **how)

    async def ask(self, path: str = "/v1/chat/completions", headers: Any = None, **body: Any) -> httpx.Response:
        """One question."""
        said = {"model": "gpt-4o-mini", "messages": HI} if path.endswith("completions") else {"model": "gpt-4o-mini"}
        async with self.client() as client:
            return await client.post(path, json={**said, **body}, headers=headers)

    async def uses(self) -> list[Use]:
        """Those there are, oldest first."""
        return sorted(await self.plane.means.store.all(Use), key=lambda use: use.id)

    async def stood(self, unit: str = "tokens", scope: str = "agent:ag") -> tuple[int, int]:
        """What is reserved and spent."""
        found = [each for each in await self.plane.means.store.all(Budget) if each.scope == scope and each.unit == unit]
        return (found[0].reserved, found[0].spent) if found else (0, 0)

    async def entries(self) -> list[dict[str, Any]]:
        """What the log says of uses, with its clear texts."""
        found = await self.plane.means.log.entries(0, 10_000)
        uses = [each for each in found if "/use/" in statement_of(each.leaf)["predicateType"]]
        return [predicate_of(each.leaf) | told(each) for each in uses]

    async def over(self) -> None:
        """Wait until no use is open."""
        with anyio.fail_after(10):
            while any(use.state == "open" for use in await self.uses()):  # noqa: ASYNC110  what a store holds is no event
                await anyio.sleep(0.02)


def prepared(
    folder: Path, first: str, second: str, *, budgets: str = "", models: str = "", more: str = "", gateway: str = ""
) -> Place:
    """The workspace, in force."""
    place = workspace(folder)
    place.write("openai.key", SECRET)
    place.change("interlock.yaml", lambda text: text + MODELS.format(first=first, second=second, more=more) + gateway)
    allowed = models or "gpt-4o-mini, llama, embed"
    place.change(
        "agents/ag.yaml",
        lambda text: (
            text.replace("max_task: 1h", f"max_task: 1h, models: [{allowed}]") + f"budgets: {budgets or '{}'}\n"
        ),
    )
    with interlock.open(folder, apply=True):
        pass
    return place


@asynccontextmanager
async def relayed(folder: Path, *, bounds: Bounds | None = None, **how: Any) -> AsyncGenerator[Site]:
    """The relay, on a port of this machine."""
    async with provider() as first, provider() as second:
        place = await asyncio.to_thread(lambda: prepared(folder, first.url, second.url, **how))
        plane = connect(place.folder)
        home = Home()
        connection = Connection(Embedded(plane), home, lambda _: None, identity_of(plane))
        app = relay(place.folder, plane, connection)
        site = Site(place, plane, app, first, second)
        site.key = await site.make_key(bounds=bounds)
        try:
            async with anyio.create_task_group() as group:
                found: list[str] = []
                group.start_soon(lambda: serving.serve(app, "127.0.0.1", 0, found.append, most=500))
                with anyio.fail_after(10):
                    while not found:  # noqa: ASYNC110  the server says so once
                        await anyio.sleep(0.01)
                site.url = found[0].rstrip("/")
                yield site
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await app.close()
                home.stop()
                await plane.close()
                forget(place)
