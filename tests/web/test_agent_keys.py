"""Keys of agents over HTTP: made by who answers for the agent, told once, listed without their secret, revoked."""

from pathlib import Path

import pytest

from interlock.domain.borne import Borne
from interlock.domain.errors import NotAdmitted
from interlock.domain.ids import AgentName, Person
from tests.web.world import served

pytestmark = pytest.mark.anyio


@pytest.mark.proves("bearing.key_lets_in", "bearing.ends", "bearing.secrets_kept_nowhere")
async def test_a_key_is_made_listed_and_revoked(tmp_path: Path) -> None:
    """An owner of the agent makes one, whose text is told once and kept by no cache; it lets in until somebody revokes it, which
    under one idempotency key happens once."""
    async with served(tmp_path) as site:
        rita = site.client_of("rita")
        wanted = {"agent": "ag", "purpose": "answer", "on_behalf_of": "user:cleo", "for": ["mcp", "models"]}
        made = await rita.post("/v1/agent-keys", json={**wanted, "bounds": {"budgets": {"calls": 5}}})
        said = made.json()
        bearer = await site.plane.bearing.admit(Borne(authorization=(f"Bearer {said['key']}",)), "models")
        listed = await rita.get("/v1/agent-keys?agent=ag")
        other = (await rita.get("/v1/agent-keys?agent=other")).json()
        name = said["told"]["id"]
        once = {"idempotency-key": "k1"}
        ended = await rita.post(f"/v1/agent-keys/{name}/revoke", json={"why": "lost"}, headers=once)
        again = await rita.post(f"/v1/agent-keys/{name}/revoke", json={"why": "lost"}, headers=once)
        with pytest.raises(NotAdmitted):
            await site.plane.bearing.admit(Borne(authorization=(f"Bearer {said['key']}",)), "models")

    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert (bearer.agent, bearer.initiator, bearer.bounds.budgets) == ("ag", "user:cleo", {"calls": 5})
    assert [each["id"] for each in listed.json()] == [name]
    assert said["key"].partition(".")[2] not in listed.text
    assert "digest" not in listed.text
    assert other == []
    assert (ended.status_code, ended.json()["key"]["counts"]) == (200, False)
    assert again.json() == ended.json()


async def test_what_is_refused(tmp_path: Path) -> None:
    """Nobody who does not answer for the agent makes one; nor one for nothing, or with fields that there are not."""
    async with served(tmp_path) as site:
        rita = site.client_of("rita")
        plain = {"agent": "ag", "purpose": "answer"}
        refused = await site.client_of("ria").post("/v1/agent-keys", json=plain)
        unknown = [
            (await rita.post("/v1/agent-keys", json=body)).status_code
            for body in ({**plain, "for": []}, {**plain, "for": ["x"]}, {**plain, "scopes": 1}, {**plain, "agent": "x"})
        ]
        none = await rita.post(f"/v1/agent-keys/{'0' * 32}/revoke", json={})

    assert refused.status_code == 403
    assert unknown == [422, 400, 400, 404]
    assert none.status_code == 404


async def test_the_console_lists_and_ends_them(tmp_path: Path) -> None:
    """The agent's page shows each key that counts, for whom and what, without a secret; whoever may stop ends one there, once,
    and nobody else does."""
    async with served(
        tmp_path, people="rita: [reviewer]\nria: [reviewer, lead]\nana: [reviewer]\nvic: [viewer]\n"
    ) as site:
        text, key = await site.plane.agent_keys.make(
            AgentName("ag"), by=Person("rita"), purpose="answer <b>them</b>", on_behalf_of="user:cleo"
        )
        rita, vic = site.client_of("rita"), site.client_of("vic")
        page = (await rita.get("/agents/ag")).text
        seen = (await vic.get("/agents/ag")).text
        place = f"/agents/ag/keys/{key.id}/revoke"
        refused = await vic.post(place)
        other = await rita.post(f"/agents/helper/keys/{key.id}/revoke")
        ended = await rita.post(place)
        again = await rita.post(place)
        after = (await rita.get(ended.headers["location"])).text

    assert f'action="{place}"' in page
    assert f'action="{place}"' not in seen
    assert "user:cleo" in seen
    assert "answer &lt;b&gt;them" in page
    assert text.partition(".")[2] not in page
    assert (refused.status_code, other.status_code, ended.status_code, again.status_code) == (403, 404, 303, 404)
    assert "The key is revoked" in after
    assert key.id not in after
