"""Every route, asked by nobody, by each role, by a role of the workspace's own and by keys of each scope."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import httpx
import pytest
from litestar import Litestar, get

from interlock.domain.access import PERMISSIONS, ROLES, Permission, permissions_of
from interlock.domain.errors import InterlockError
from interlock.domain.hosting import Hosting
from interlock.domain.ids import Person
from interlock.embedded import Outside
from interlock.testing.world import World
from interlock.web.app import application, handlers_of
from interlock.web.limits import Limits
from interlock.web.live import Hub
from interlock.web.metrics import Meters
from interlock.web.problems import for_programs
from tests.web.world import Served, served

pytestmark = pytest.mark.anyio

OWNER: Final = "rita: [reviewer]\n"
PEOPLE: Final = OWNER + "".join(f"{role}: [{role}]\n" for role in (*ROLES, "support_lead"))
LACKING: Final = "which none of your roles gives"

CHANGES: Final[dict[str, Permission]] = {
    "/v1/approvals/{action}/approve": "decide",
    "/v1/approvals/{action}/reject": "decide",
    "/v1/approvals/{action}/modify": "decide",
    "/v1/approvals/{action}/ask": "decide",
    "/v1/approvals/{action}/delegate": "decide",
    "/v1/approvals/{action}/take-back": "decide",
    "/v1/actions/{action}/settle": "operate",
    "/v1/undos": "operate",
    "/v1/undos/{undo_id}/retry": "operate",
    "/v1/agents/{agent}/move": "operate",
    "/v1/tasks/{task}/close": "operate",
    "/v1/brakes": "stop",
    "/v1/brakes/resume": "operate",
    "/v1/brakes/dry": "see",
    "/v1/drills": "operate",
    "/v1/policies/try": "see",
    "/v1/publications/{publication}/accept": "see",
    "/v1/publications/{publication}/withdraw": "see",
    "/v1/notifications/{channel}/resend": "administer",
    "/v1/agent-keys": "see",
    "/v1/agent-keys/{key}/revoke": "stop",
}
"""What it takes to change something. Written by hand: a handler that asks for less does not pass by saying so itself."""
OF_KEYS: Final[dict[str, Permission]] = {
    "/v1/publications/{publication}/accept": "write_policy",
    "/v1/publications/{publication}/withdraw": "write_policy",
    "/policies/publications/{publication}/accept": "write_policy",
    "/policies/publications/{publication}/withdraw": "write_policy",
    "/v1/agent-keys": "operate",
}
"""What it takes of a key, where services decide of each record who may."""
NOT_FOR_ALL: Final[dict[str, Permission]] = {"/v1/vigilance": "audit"}
"""What looking takes more for than `see`."""
SEEN_BY_ALL: Final = ("/livez", "/readyz", "/readyz/gate", "/v1/openapi.json")


class Route:
    """One handler, as it is asked."""

    def __init__(self, path: str, method: str, needs: str, of_keys: str) -> None:
        self.path, self.method, self.needs, self.of_keys = path, method, needs, of_keys

    @property
    def url(self) -> str:
        """A path of that pattern that names nothing there is."""
        return "/" + "/".join("x" if step.startswith("{") else step for step in self.path.split("/")[1:])


def routes(app: Litestar) -> list[Route]:
    """Every route there is, but the streams of news, which are tested by themselves."""
    found = [
        Route(
            path.replace(":str", "").replace(":path", ""),
            method,
            str(each.opt["needs"]),
            str(each.opt.get("of_keys", each.opt["needs"])),
        )
        for each in handlers_of(app)
        for path in each.paths
        for method in each.http_methods  # type: ignore[attr-defined]  # of HTTP all of them are
    ]
    return [each for each in found if each.path != "/live" and each.method != "HEAD"]


async def asked(client: httpx.AsyncClient, route: Route) -> httpx.Response:
    """What the route answers to a request that fits nothing, so that nothing is changed by it."""
    body = {"content": b"[]", "headers": {"content-type": "application/json"}} if route.method != "GET" else {}
    return await client.request(route.method, route.url, **body)  # type: ignore[arg-type]  # headers and bytes


def refused(answer: httpx.Response) -> bool:
    """Whether the door stayed closed for want of a permission."""
    return answer.status_code == 403 and LACKING in answer.text


def inner(site: Served) -> Litestar:
    """The application behind the front."""
    app = site.app._app
    assert isinstance(app, Litestar)
    return app


@pytest.mark.proves("server.every_door_asks")
async def test_every_door_opens_for_whom_it_should(tmp_path: Path) -> None:
    """Every route of API and console, asked by everybody: it opens for those whose roles give the permission, and for no one
    else; whoever is nobody is sent to sign in, or told so."""
    async with served(tmp_path, people=PEOPLE, limits=Limits(per_s=1e9)) as site:
        found = routes(inner(site))
        clients = {role: site.client_of(role) for role in (*ROLES, "support_lead")}
        wrong: list[str] = []
        for route in found:
            if route.needs == "nobody":
                continue
            nobody = await asked(site.anonymous, route)
            expected = 401 if for_programs(route.path) else 303
            if nobody.status_code != expected:
                wrong.append(f"nobody {route.method} {route.path}: {nobody.status_code}")
            for role, client in clients.items():
                may = route.needs in permissions_of([role])
                # Those who may are asked once each way: what handlers do then is not what is tested.
                if may and role not in ("viewer", "operator", "admin", "auditor", "policy_author"):
                    continue
                answer = await asked(client, route)
                if refused(answer) == may:
                    wrong.append(f"{role} {route.method} {route.path} (needs {route.needs}): {answer.status_code}")

    assert wrong == []
    assert len(found) > 60


async def test_what_each_change_takes_is_written_down(tmp_path: Path) -> None:
    """What the routes of the API ask for is what this test says, looking takes `see`, and what is open to everybody is a short
    list, or asks for a proof instead."""
    async with served(tmp_path) as site:
        app = inner(site)
        found = routes(app)
        proven = {min(each.paths).replace(":str", "") for each in handlers_of(app) if each.opt.get("proof")}
    api = [each for each in found if each.path.startswith("/v1/") and each.path not in (*proven, *SEEN_BY_ALL)]

    for each in api:
        if each.method == "GET":
            assert each.needs == NOT_FOR_ALL.get(each.path, "see"), each.path
        elif each.path in CHANGES:
            assert each.needs == CHANGES[each.path], each.path
        else:
            assert each.needs == "decide", each.path
    assert {each.path: each.of_keys for each in found if each.of_keys != each.needs} == OF_KEYS
    assert all(path.startswith("/v1/agent/") for path in proven)
    for each in found:
        if each.needs == "nobody" and for_programs(each.path):
            assert each.path in (*SEEN_BY_ALL, *proven), each.path


async def test_a_key_opens_no_more_than_its_scopes(tmp_path: Path) -> None:
    """A key opens what both its person's roles and its scopes open, on every route of the API; a cookie's token is not asked of
    it, and what is no key opens nothing."""
    async with served(tmp_path, people=f"{OWNER}oli: [operator]\n", limits=Limits(per_s=1e9)) as site:
        api = [each for each in routes(inner(site)) if each.path.startswith("/v1/") and each.needs != "nobody"]
        wrong: list[str] = []
        for scope in ("see", "decide", "stop", "operate"):
            secret, _ = await site.plane.api_keys.make(Person("oli"), scope, (scope,), by="oli")
            bearer = {"authorization": f"Bearer {secret}"}
            for route in api:
                body = {"content": b"[]"} if route.method != "GET" else {}
                answer = await site.anonymous.request(
                    route.method,
                    route.url,
                    headers=bearer,
                    **body,  # type: ignore[arg-type]  # bytes
                )
                if refused(answer) == (scope == route.needs == route.of_keys) or answer.status_code == 401:
                    wrong.append(f"{scope} {route.method} {route.path}: {answer.status_code}")
        forged = await site.anonymous.get("/v1/actions", headers={"authorization": "Bearer il_x.y"})

    assert wrong == []
    assert forged.status_code == 401
    assert set(PERMISSIONS) >= set(CHANGES.values())


@pytest.mark.parametrize("opt", [{}, {"needs": "everything"}, {"needs": "see", "of_keys": "anything"}])
async def test_what_does_not_say_who_may_reach_it_is_not_served(opt: dict[str, str]) -> None:
    """A handler without a permission that there is, its own or that of keys: then no handler is served."""

    @get("/x", opt=opt)
    async def handler() -> str:
        return ""

    plane = World().plane
    hub = Hub(plane, most=1)

    with pytest.raises(InterlockError, match="does not say who may reach it"):
        application(plane, Outside(plane), hub, [handler], hosting=Hosting(), limits=Limits(per_s=1), meters=Meters())
