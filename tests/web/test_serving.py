"""What the server says before anybody asks for anything of substance."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.web.front import CSP, sound_path
from tests.web.world import served

pytestmark = pytest.mark.anyio


async def test_it_lives_and_is_ready(tmp_path: Path) -> None:
    """A workspace in force is ready for agents and for people, and says so to anybody."""
    async with served(tmp_path) as site:
        alive = await site.anonymous.get("/livez")
        ready = await site.anonymous.get("/readyz")
        gate = await site.anonymous.get("/readyz/gate")

    assert (alive.status_code, ready.status_code, gate.status_code) == (200, 200, 200)
    assert ready.json()["gate"] == {"ready": True, "reasons": []}


async def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """A gate with nothing in force and a console without people are not ready, each with its reason; the process lives."""
    async with served(tmp_path, apply=False) as site:
        ready = await site.anonymous.get("/readyz")
        gate = await site.anonymous.get("/readyz/gate")
        alive = await site.anonymous.get("/livez")

    assert (ready.status_code, gate.status_code, alive.status_code) == (503, 503, 200)
    assert [each["code"] for each in ready.json()["gate"]["reasons"]] == ["nothing_in_force", "no_policies"]
    assert [each["code"] for each in ready.json()["console"]["reasons"]] == ["nobody"]


async def test_nobody_gets_in_unasked(tmp_path: Path) -> None:
    """Whoever is not signed in is sent to sign in by a page, and told so by the API; a stranger to the workspace is refused."""
    async with served(tmp_path) as site:
        page = await site.anonymous.get("/?a=b&c=d")
        rita = await site.client_of("rita").get("/")

    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/%3Fa%3Db%26c%3Dd")
    assert rita.status_code == 200


async def test_every_answer_carries_its_headers(tmp_path: Path) -> None:
    """Answers, refusals and what is not there have the same headers against a browser's helpfulness."""
    async with served(tmp_path) as site:
        answers = [
            await site.anonymous.get("/livez"),
            await site.anonymous.get("/"),
            await site.anonymous.get("/nowhere"),
            await site.anonymous.get("//livez"),
            await site.anonymous.delete("/livez"),
        ]

    for each in answers:
        assert each.headers["content-security-policy"] == CSP
        assert each.headers["x-content-type-options"] == "nosniff"
        assert each.headers["cache-control"] == "no-store"


async def test_another_host_is_not_answered(tmp_path: Path) -> None:
    """A name of somebody else's that points at this machine reaches nothing."""
    async with served(tmp_path) as site:
        answer = await site.anonymous.get("/livez", headers={"host": "evil.example:8600"})
        near = await site.anonymous.get("/livez", headers={"host": "127.0.0.1:8600"})

    assert answer.status_code == 421
    assert answer.json()["code"] == "wrong_host"
    assert near.status_code == 200


@pytest.mark.parametrize(
    ("path", "sound"),
    [
        (b"/", True),
        (b"/v1/actions/019-a", True),
        (b"/v1/agents/%C3%A9", True),
        (b"//v1", False),
        (b"/v1/", False),
        (b"/v1/../x", False),
        (b"/v1/./x", False),
        (b"/v1/%2e%2e/x", False),
        (b"/v1/%2f", False),
        (b"/v1/%5c", False),
        (b"/v1/%252f", False),
        (b"/v1/%00", False),
        (b"/v1/%0d%0a", False),
        (b"/v1/%E2%80%AE", False),
        (b"/v1/%ff", False),
        (b"/v1/%zz", False),
        (b"http://x/v1", False),
        (b"*", False),
        (b"", False),
        (b"/" + b"a" * 2000, False),
    ],
)
async def test_paths_have_one_reading(path: bytes, *, sound: bool) -> None:
    """A path that two readers could read differently is no path here."""
    assert sound_path(path) is sound


async def test_more_than_a_request_may_have_is_refused(tmp_path: Path) -> None:
    """A body that says it is too large, or turns out so, is refused before anything parses it."""
    async with served(tmp_path) as site:
        said = await site.anonymous.post("/livez", content=b"x" * (1024 * 1024 + 1))

    assert said.status_code == 413
    assert said.json()["code"] == "too_large"


async def test_only_looking_and_changing(tmp_path: Path) -> None:
    """By any method but GET and POST nothing is asked, by whomever: not even which methods there are."""
    async with served(tmp_path) as site:
        answers = [
            await client.request(method, "/v1/brakes")
            for method in ("OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE")
            for client in (site.anonymous, site.client_of("rita"))
        ]

    for each in answers:
        assert (each.status_code, each.json()["code"]) == (405, "no_such_method")
        assert each.headers["allow"] == "GET, POST"
