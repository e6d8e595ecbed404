"""The API that people's programs use: from what waits to what was done, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from interlock.api.app import description, schema_of_people
from interlock.bootstrap.site import definition, read_site
from interlock.domain.action import Action
from interlock.web.once import Once
from tests import workspaces
from tests.web.world import served

pytestmark = pytest.mark.anyio


async def test_from_the_list_to_the_effect(tmp_path: Path) -> None:
    """What waits is listed, shown, agreed to as it was shown, done once by a worker, and told with its proof."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        rita = site.client_of("rita")
        listed = (await rita.get("/v1/approvals?mine=true")).json()
        shown = (await rita.get(f"/v1/approvals/{action}")).json()
        word = {"view": shown["view"], "note": "fine"}
        said = await rita.post(f"/v1/approvals/{action}/approve", json=word)
        again = await rita.post(f"/v1/approvals/{action}/approve", json=word)
        await site.work()
        done = (await rita.get(f"/v1/actions/{action}")).json()
        story = (await rita.get(f"/v1/actions/{action}/story")).json()
        packet = await rita.get(f"/v1/actions/{action}/packet")
        proof = await rita.get(f"/v1/actions/{action}/proof")

    assert [each["action"] for each in listed["rows"]] == [action]
    assert said.status_code == 200
    assert said.json()["state"] == "ready"
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
    assert done["state"] == "done"
    assert story["state"] == "done"
    assert site.place.effects() == ["put 500"]
    assert len(packet.json()["entries"]) >= 4
    assert proof.json()["phase"] == "outcome"


async def test_what_changed_meanwhile_is_shown_anew(tmp_path: Path) -> None:
    """A word on a view that is no longer what would be done is refused with 409 and the view as it now is; that one counts."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        rita, ria = site.client_of("rita"), site.client_of("ria")
        view = (await rita.get(f"/v1/approvals/{action}")).json()["view"]
        changed = await ria.post(
            f"/v1/approvals/{action}/modify", json={"view": view, "arguments": {"n": 300}, "note": "less"}
        )
        late = await rita.post(f"/v1/approvals/{action}/approve", json={"view": "0" * 64})

    assert changed.status_code == 200
    assert late.status_code == 409
    assert late.json()["code"] in ("stale_view", "illegal_move")


@pytest.mark.proves("server.shown_or_refused")
async def test_a_stale_view_brings_the_fresh_one(tmp_path: Path) -> None:
    """The refusal of a view that is not what was shown carries the whole dossier as it stands."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        rita = site.client_of("rita")
        late = await rita.post(f"/v1/approvals/{action}/approve", json={"view": "0" * 64})
        fresh = late.json()["fresh"]
        said = await rita.post(f"/v1/approvals/{action}/approve", json={"view": fresh["view"]})

    assert (late.status_code, late.json()["code"]) == (409, "stale_view")
    assert fresh["action"] == action
    assert said.json()["state"] == "ready"


@pytest.mark.proves("server.shown_or_refused")
async def test_two_reviewers_at_once(tmp_path: Path) -> None:
    """Of a yes and a no at the same moment one counts, the other hears 409, and what is done follows from the one."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        rita, ria = site.client_of("rita"), site.client_of("ria")
        view = (await rita.get(f"/v1/approvals/{action}")).json()["view"]
        answers: list[tuple[str, int]] = []

        async def say(client: object, word: str) -> None:
            answer = await client.post(  # type: ignore[attr-defined]  # an httpx client
                f"/v1/approvals/{action}/{word}", json={"view": view, "note": "so it is"}
            )
            answers.append((word, answer.status_code))

        async with anyio.create_task_group() as group:
            group.start_soon(say, rita, "approve")
            group.start_soon(say, ria, "reject")
        await site.work()
        state = (await rita.get(f"/v1/actions/{action}")).json()["state"]

    assert sorted(status for _, status in answers) == [200, 409]
    won = next(word for word, status in answers if status == 200)
    assert state == {"approve": "done", "reject": "rejected"}[won]
    assert len(site.place.effects()) == (1 if won == "approve" else 0)


async def test_what_only_an_undo_may_read_is_told_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a result that is kept whole for its undo, neither API nor console says what was taken out for everybody else."""
    tools = workspaces.TOOLS.replace("return Put(n=n, word=word)", 'return Put(n=n, word="inner-4711")', 1).replace(
        '"$args.n"}),', '"$result.n"}), output=interlock.Output(drop=("word",)),', 1
    )
    monkeypatch.setattr(workspaces, "TOOLS", tools)
    async with served(tmp_path) as site:
        action = await site.propose(5)
        rita = site.client_of("rita")
        stored = await site.plane.means.store.get(Action, action)
        paths = ("/v1/actions", *(f"/v1/actions/{action}{more}" for more in ("", "/story", "/packet")))
        told = {path: await rita.get(path) for path in (*paths, f"/actions/{action}", "/actions", "/v1/audit")}

    assert "inner-4711" in repr(stored)
    assert {path: (each.status_code, "inner-4711" in each.text) for path, each in told.items()} == dict.fromkeys(
        told, (200, False)
    )


async def test_nobody_agrees_to_their_own(tmp_path: Path) -> None:
    """Whoever asked for the work cannot agree to what it takes."""
    async with served(tmp_path) as site:
        action = await site.propose(500, initiator="user:rita")
        rita = site.client_of("rita")
        view = (await rita.get(f"/v1/approvals/{action}")).json()["view"]
        said = await rita.post(f"/v1/approvals/{action}/approve", json={"view": view})

    assert (said.status_code, said.json()["code"]) == (403, "not_allowed")


async def test_a_request_with_a_key_is_made_once(tmp_path: Path) -> None:
    """The same request under the same key gets the first one's answer; another one under it is refused; nobody else's key is
    theirs."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        rita, ria = site.client_of("rita"), site.client_of("ria")
        view = (await rita.get(f"/v1/approvals/{action}")).json()["view"]
        key = {"idempotency-key": "one"}
        path = f"/v1/approvals/{action}/approve"
        first = await rita.post(path, json={"view": view}, headers=key)
        same = await rita.post(path, json={"view": view}, headers=key)
        other = await rita.post(path, json={"view": view, "note": "but"}, headers=key)
        hers = await ria.post(path, json={"view": view}, headers=key)

    assert first.status_code == same.status_code == 200
    assert first.content == same.content
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert hers.status_code == 409


async def test_a_word_that_was_refused_is_refused_again_under_its_key(tmp_path: Path) -> None:
    """What is recorded beside a refusal (that the fresh view was shown, that it was decided again) is not the word that was
    asked for: the same request is judged again, and never answered as if it had been heard."""
    async with served(tmp_path) as site:
        action, rita = await site.propose(500), site.client_of("rita")
        path, key = f"/v1/approvals/{action}/approve", {"idempotency-key": "one"}
        said = [await rita.post(path, json={"view": "0" * 64}, headers=key) for _ in range(2)]
        view = (await rita.get(f"/v1/approvals/{action}")).json()["view"]
        site.place.change("policies/all.cedar", lambda text: f"{text}// in other words\n")
        await site.plane.registry.apply(definition(read_site(tmp_path)), by="rita")
        said += [await rita.post(path, json={"view": view}, headers={"idempotency-key": "two"}) for _ in range(2)]
        held = (await rita.get(f"/v1/actions/{action}")).json()

    assert [(each.status_code, each.json().get("code")) for each in said[:3]] == [(409, "stale_view")] * 3
    assert (said[3].status_code, said[3].json()["state"]) == (200, held["state"]) == (200, "ready")


async def test_who_sends_many_keys_spoils_nobody_elses_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose key was crowded out by others' while it was done is answered with what was done; the same again, while
    it is being done, is told to come back."""
    monkeypatch.setattr("interlock.web.once.KEPT", 1)
    async with served(tmp_path) as site:
        rita, ria, stop = site.client_of("rita"), site.client_of("ria"), site.plane.braking.stop
        brake = {"scope": "contract", "name": "box.put"}

        async def crowded(*args: Any, **more: Any) -> object:
            monkeypatch.setattr(site.plane.braking, "stop", stop)
            same = await rita.post("/v1/brakes", json=brake, headers={"idempotency-key": "one"})
            assert (same.status_code, same.json()["code"]) == (409, "conflict")
            assert int(same.headers["retry-after"]) > 0
            other = await ria.post("/v1/brakes", json={**brake, "name": "box.get"}, headers={"idempotency-key": "two"})
            assert other.status_code in (200, 404, 422)
            return await stop(*args, **more)

        monkeypatch.setattr(site.plane.braking, "stop", crowded)
        answer = await rita.post("/v1/brakes", json=brake, headers={"idempotency-key": "one"})

    assert answer.status_code == 200
    assert "box.put" in answer.text


async def test_answers_under_keys_take_so_much_memory_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many somebody has kept, all together stay within bounds; whose answer went is told how things stand."""
    once = Once()
    monkeypatch.setattr("interlock.web.app.Once", lambda: once)
    monkeypatch.setattr("interlock.web.once.MOST_BYTES", 10_000)
    sizes: list[int] = []
    async with served(tmp_path) as site:
        action, rita = await site.propose(500), site.client_of("rita")
        for number in range(8):
            said = await rita.post(
                f"/v1/approvals/{action}/ask",
                json={"text": f"why {number}?"},
                headers={"idempotency-key": f"n-{number}"},
            )
            assert said.status_code == 200
            sizes.append(once.size)
        again = await rita.post(
            f"/v1/approvals/{action}/ask", json={"text": "why 0?"}, headers={"idempotency-key": "n-0"}
        )

    assert 0 < max(sizes) <= 10_000
    assert (again.status_code, "why 7?" in again.text, again.text.count("why 0?")) == (200, True, 1)


async def test_lists_go_on_where_they_ended(tmp_path: Path) -> None:
    """Every row is on exactly one page, each page says where the next begins, and one that is known is not sent again."""
    async with served(tmp_path) as site:
        made = {await site.propose(n) for n in (1, 2, 3)}
        rita = site.client_of("rita")
        seen: list[str] = []
        path = "/v1/actions?limit=2&states=done&states=held&states=ready"
        while path:
            answer = await rita.get(path)
            seen += [each["id"] for each in answer.json()["actions"]]
            path = answer.links.get("next", {}).get("url", "")
        of_tasks, path = list[str](), "/v1/tasks?limit=2&everything=true&agent=ag"
        while path:
            answer = await rita.get(path)
            of_tasks += [each["task"]["id"] for each in answer.json()["tasks"]]
            path = answer.links.get("next", {}).get("url", "")
        known = await rita.get("/v1/agents")
        same = await rita.get("/v1/agents", headers={"if-none-match": known.headers["etag"]})

    assert len(seen) == 3
    assert set(seen) == made
    assert len(of_tasks) == len(set(of_tasks)) == 3
    assert (same.status_code, same.content) == (304, b"")


async def test_a_brake_holds_what_was_agreed_to(tmp_path: Path) -> None:
    """A brake that was pulled over HTTP holds in every process from when it is answered; taken off, the work goes on."""
    async with served(tmp_path, people="rita: [reviewer]\noli: [operator]\n") as site:
        action = await site.propose(500)
        rita, oli = site.client_of("rita"), site.client_of("oli")
        view = (await rita.get(f"/v1/approvals/{action}")).json()["view"]
        await rita.post(f"/v1/approvals/{action}/approve", json={"view": view})
        pulled = await rita.post("/v1/brakes", json={"scope": "agent", "name": "ag", "why": "a doubt"})
        await site.work()
        held = site.place.effects()
        off = await rita.post("/v1/brakes/resume", json={"scope": "agent", "name": "ag"})
        resumed = await oli.post("/v1/brakes/resume", json={"scope": "agent", "name": "ag"})

    assert [each["words"] for each in pulled.json()] == ["agent:ag"]
    assert held == []
    assert off.status_code == 403
    assert resumed.json() == []


async def test_what_does_not_fit_is_said_by_field(tmp_path: Path) -> None:
    """A body with a field too many, a wrong type or none at all is refused in one shape, which names the field."""
    async with served(tmp_path) as site:
        rita = site.client_of("rita")
        bodies = [
            b"",
            b"{",
            b"[]",
            b'{"view": 1}',
            b'{"view": "x", "extra": 1}',
            b'{"note": "x"}',
            b"\xff",
            b'{"view": "' + b"x" * 500 + b'"}',
            b"[" * 100_000,
        ]
        answers = [
            await rita.post("/v1/approvals/a/approve", content=each, headers={"content-type": "application/json"})
            for each in bodies
        ]
        many = await rita.get("/v1/actions?limit=1000000")
        state = await rita.get("/v1/actions?states=nonsense")

    for each in (*answers, many, state):
        assert each.status_code == 400, each.text
        assert each.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "code", "detail", "next", "fault"} <= set(each.json())


async def test_every_view_answers(tmp_path: Path) -> None:
    """Everything that can be looked at without naming anything is answered, also where there is next to nothing."""
    async with served(tmp_path, people="rita: [reviewer, auditor]\nria: [reviewer, lead]\nana: [reviewer]\n") as site:
        rita = site.client_of("rita")
        paths = [path for path, said in schema_of_people()["paths"].items() if "get" in said and "{" not in path]
        answers = {path: (await rita.get(path)).status_code for path in paths}
        named = {
            path: (await rita.get(path)).status_code
            for path in ("/v1/agents/ag", "/v1/agents/ag/card", "/v1/agents/ag/versions", "/v1/contracts/box.put")
        }
        supposed = {"contract": "box.put", "agent": "ag", "arguments": {"n": 500}}
        tried = await rita.post("/v1/policies/try", json=supposed)
        afar = await rita.post("/v1/policies/try", json={**supposed, "read_facts": True})

    assert (afar.status_code, afar.json()["code"]) == (403, "not_allowed")
    assert set(answers.values()) == {200}
    assert set(named.values()) == {200}
    assert tried.json()["decision"]["verdict"] == "require_approval"


async def test_the_description_is_true() -> None:
    """The description is OpenAPI 3.1, every reference in it leads somewhere, each route says what it needs, and only what is done
    once under a key says that it takes one."""
    said = schema_of_people()
    calls = msgspec.json.decode(description())["paths"]
    text = msgspec.json.encode(said).decode()

    assert said["openapi"] == "3.1.0"
    for piece in text.split('"$ref":"#/components/schemas/')[1:]:
        assert piece.partition('"')[0] in said["components"]["schemas"]
    for path in said["paths"].values():
        for operation in path.values():
            assert operation["x-needs"] not in ("None", "nobody")
    assert "Idempotency-Key" in str(calls["/v1/brakes"]["post"])
    assert "Idempotency-Key" not in str(
        (calls["/v1/agent/actions"], calls["/v1/policies/try"], calls["/v1/brakes/dry"])
    )
    assert "content" not in calls["/v1/agent/tasks/{task}/close"]["post"]["responses"]["204"]
