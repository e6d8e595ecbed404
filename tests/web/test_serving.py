"""What the server says before anybody asks for anything of substance."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from interlock.domain.hosting import Hosting
from interlock.domain.refusals import TooLarge
from interlock.web.front import CSP, Front, sound_path
from tests.web.world import served

pytestmark = pytest.mark.anyio

AROUND: Final = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What every answer says to browsers."""


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
        form = await site.anonymous.post("/agents/ag/state?a=b", data={"move": "retire"})
        rita = await site.client_of("rita").get("/")

    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/%3Fa%3Db%26c%3Dd")
    # What would be done is not come back to: only what is asked for.
    assert (form.status_code, form.headers["location"]) == (303, "/sign-in?next=/")
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
        assert AROUND.items() <= dict(each.headers).items()
        assert "strict-transport-security" not in each.headers
        assert each.headers["cache-control"] == "no-store"


async def read(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads what comes and says that all is well."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"well"})


@asynccontextmanager
async def in_front(hosting: Hosting, told: list[tuple[str, int]]) -> AsyncGenerator[httpx.AsyncClient]:
    """Somebody in front of `read`, at its own address. `told` hears how which path was answered."""

    def answered(route: str, method: str, status: int, seconds: float) -> None:
        assert method == "POST"
        assert seconds >= 0
        told.append((route, status))

    front = Front(read, hosting, end=lambda: None, answered=answered)
    address = hosting.public_url or "http://localhost"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url=address) as client:
        yield client


async def test_behind_tls_nobody_comes_back_without() -> None:
    """Where people reach us through TLS, every answer says that there is no other way."""
    async with in_front(Hosting(public_url="https://a.example", host="a.example"), []) as client:
        answers = [await client.post("/x"), await client.delete("/x")]

    assert [each.headers.get("strict-transport-security") for each in answers] == ["max-age=31536000"] * 2


async def test_a_request_is_read_one_way_and_no_further_than_it_may_be_long() -> None:
    """A header of which two readers could read two things, a question longer than a head, and a body that goes on for longer than
    it may without saying how long it is; what is counted of an unknown path is not what was written."""
    told: list[tuple[str, int]] = []

    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(17):
            yield b"x" * 64 * 1024

    async with in_front(Hosting(), told) as client:
        well = await client.post("/secret-name", content=b"x" * 100)
        twice = [
            await client.post("/x", headers=[(name, "a"), (name, "b")])
            for name in ("authorization", "content-type", "if-match", "idempotency-key", "origin")
        ]
        long = await client.post("/x?" + "a" * 8193)
        with pytest.raises(TooLarge):
            await client.post("/x", content=endless())

    assert well.text == "well"
    assert [each.status_code for each in twice] == [400] * 5
    assert (long.status_code, long.json()["code"], long.headers["connection"]) == (413, "too_large", "close")
    assert told == [("-", 200), ("-", 0)]


async def test_a_defect_of_ours_tells_nobody_what_it_was_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody foresaw is answered as our fault, to programs and to people, and the log says where: its words are nobody's."""

    async def broken() -> None:
        raise RuntimeError("ana's card is 4711")

    async with served(tmp_path) as site:
        monkeypatch.setattr(site.plane.braking, "brakes", broken)
        answers = [await site.client_of("rita").get(path) for path in ("/v1/brakes", "/brakes")]

    assert [each.status_code for each in answers] == [500, 500]
    assert answers[0].json()["fault"] == "ours"
    assert "RuntimeError at" in caplog.text
    assert all("4711" not in each for each in (*(answer.text for answer in answers), caplog.text))


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
        (b"/v1/%", False),
        (b"/v1/%a", False),
        (b"/%", False),
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
