"""A server that takes tokens of an issuer, called by an account of our own: the agent, its client and the record see none of
it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import interlock
from interlock.adapters.workspace.pinned_file import pinned_text
from interlock.domain.call import Answer
from interlock.domain.upstream import Http, Pinned, Server
from interlock.domain.upstream_auth import ClientCredentials
from tests.adapters.authorization import Issuing, Serving
from tests.gateway.kit import House, actions, house, text
from tests.upstream.reaching import LEGACY, READ, over_http, reaching, written
from tests.workspaces import Place, forget, workspace

pytestmark = pytest.mark.anyio
STATIC = "static-secret-of-ours"


class Guard(Serving):
    """Stands before a server: takes the tokens of an issuer, and writes what it heard into an answer that asks for it."""

    def __init__(self, issuing: Issuing, behind: str) -> None:
        super().__init__()
        self.issuing, self.behind = issuing, behind
        self.refuses: set[str] = set()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the server behind it answers."""
        del path
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.issuing.given or token in self.refuses:
            return 401, {}, f"not {token}".encode()
        if not body:
            return 405, {}, b""
        kept = {name: value for name, value in headers.items() if name.startswith(("mcp-", "content-type", "accept"))}
        kept.pop("accept-encoding", None)
        found = httpx.post(f"{self.behind}", content=body, headers=kept, timeout=20, trust_env=False)
        said = {name: value for name, value in found.headers.items() if name in ("content-type", "mcp-session-id")}
        told = found.content.replace(b"TELL-ME", token.encode()).replace(b"AND-THIS", headers.get("x-key", "").encode())
        return found.status_code, said, told


@pytest.fixture(name="notes")
def _notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture(name="issuing")
def _issuing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuing]:
    with Issuing() as made:
        monkeypatch.setenv("TOOLS_SECRET", made.secret)
        monkeypatch.setenv("TOOLS_KEY", STATIC)
        yield made


@pytest.fixture(name="guard")
def _guard(issuing: Issuing, notes: Path) -> Iterator[Guard]:
    with over_http(notes) as kit:
        assert isinstance(kit.way, Http)
        with Guard(issuing, kit.way.url) as made:
            yield made


def server(guard: Guard) -> Server:
    """Behind the guard, with an account and a header of ours."""
    account = ClientCredentials(client=guard.issuing.client, issuer=guard.issuing.address, secret=SECRET)
    return Server(name="kit", way=Http(url=f"{guard.address}/mcp", headers={"X-Key": "${TOOLS_KEY}"}, auth=account))


SECRET = "env:TOOLS_SECRET"  # noqa: S105  where it is
FILE = """\
http: {{url: "{url}/mcp", headers: {{X-Key: "${{TOOLS_KEY}}"}}}}
auth: {{client_credentials: {{issuer: "{issuer}", client: "{client}", secret: "env:TOOLS_SECRET"}}}}
owner: rita
tools:
  note: {{effect: read, risk: low}}
"""


@pytest.mark.proves("upstream.credentials", "upstream.never_shown")
async def test_a_tool_is_called_with_a_token_of_our_own(guard: Guard, notes: Path) -> None:
    """One token serves all calls; one that is refused is renewed, and the tool ran once; what the server writes back of the
    token and of a header's secret is masked in the result."""
    issuing = guard.issuing
    async with reaching(server(guard), Path(), LEGACY) as way:
        note = way.contract("note", **READ)
        first = await way.call(note, {"text": "one TELL-ME and AND-THIS", "key": ""})
        assert isinstance(first, Answer)
        assert len(issuing.given) == 1
        guard.refuses.add(issuing.given[0])
        second = await way.call(note, {"text": "two", "key": ""})

    assert len(issuing.given) == 2
    assert written(notes) == ["one TELL-ME and AND-THIS|", "two|"]
    told = f"{first} {second}"
    assert told.count("[masked: credential]") >= 2
    assert all(each not in told for each in (*issuing.given, STATIC, issuing.secret))
    assert issuing.forms[0]["resource"] == f"{guard.address}/mcp"


@pytest.fixture(name="place")
def _place(tmp_path: Path, guard: Guard) -> Iterator[Place]:
    made = workspace(tmp_path / "ws")
    agent = made.folder / "agents" / "ag.yaml"
    agent.write_text(agent.read_text().replace("capabilities: [", "capabilities: [kit.note, "))
    (made.folder / "servers").mkdir()
    said = FILE.format(url=guard.address, issuer=guard.issuing.address, client=guard.issuing.client)
    (made.folder / "servers" / "kit.yaml").write_text(said)
    yield made
    forget(made)


@pytest.fixture(name="door")
def _door(place: Place) -> Iterator[list[House]]:
    opened: list[House] = []
    yield opened
    for each in opened:
        each.kill()


@pytest.mark.proves("bearing.no_passing_on", "upstream.never_shown")
async def test_what_a_client_bears_goes_no_further(place: Place, guard: Guard, door: list[House]) -> None:
    """A client with an agent key calls a tool of a server through the gateway: the server hears a token of ours and no letter
    of the key; the client's answer, the record and every file hold neither, nor the secret by which ours was had."""
    async with reaching(server(guard), Path(), LEGACY) as way:
        pinned = Pinned(server="kit 1.2.3", protocol=LEGACY, tools=tuple(way.accepted.values()))
    (place.folder / "servers" / "kit.pinned.json").write_text(pinned_text(pinned))
    with interlock.open(place.folder, apply=True):
        pass
    door.append(house(place))
    key = door[0].key("ag", "user:ana", "--tools", '{"kit.note": {}}')
    async with door[0].client(key) as mcp:
        result = await mcp.call_tool("kit__note", {"text": "TELL-ME and AND-THIS", "key": ""})

    [action] = await actions(place)
    told = text(result) + str(result.structured_content) + str(action)
    assert "noted [masked: credential] and [masked: credential]" in told
    heard = "".join(f"{path}{headers}{body!r}" for path, headers, body in (*guard.asked, *guard.issuing.asked))
    secret = key.partition(".")[2]
    assert secret not in heard
    assert key.partition(".")[0] not in heard
    files = b"".join(each.read_bytes() for each in sorted(place.folder.rglob("*")) if each.is_file())
    for each in (*guard.issuing.given, STATIC, guard.issuing.secret, secret):
        assert each.encode() not in files
        assert each not in told
