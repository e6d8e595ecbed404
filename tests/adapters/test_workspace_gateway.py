"""`gateway` in interlock.yaml: read, or refused with its place."""

from pathlib import Path

import pytest

from interlock.adapters.workspace import read_workspace
from interlock.domain.access_token import AccessIssuer, Client, Resource
from interlock.domain.bearer import Bounds
from interlock.domain.grant import anything_with
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.selector import Selector

WHOLE = """\
gateway:
  resource: https://gateway.example/mcp
  issuers:
    - issuer: https://id.example
      keys: https://id.example/jwks
      algorithms: [ES256]
      types: [at+jwt, jwt]
      lasts: 10m
      bound: required
      initiator: email
      other_audiences: [account]
      scopes: {look: [box.look], put: "box.*", all: ["*"]}
      clients:
        - client: assistant
          subject: ana
          agent: ag
          purpose: tidy up
          for: [models, mcp]
          tools: [box.look]
          prohibited: [box.drop]
          budgets: {calls: 9}
          data: {customer: [$sub], box: ["*"], shelf: [a, b]}
          task_lasts: 30m
"""
LEAST = """\
gateway:
  resource: https://g.example/mcp
  issuers: [{issuer: https://i.example, keys: keys.json, clients: [{client: a, agent: ag, purpose: p}]}]
"""


def _read(folder: Path, text: str) -> tuple[Resource, list[str]]:
    (folder / "interlock.yaml").write_text(text)
    found = read_workspace(folder)
    wrong = [f"{each.line}: {each.message}" for each in found.problems if each.severity == "error"]
    return found.settings.resource, wrong


def test_it_is_read(tmp_path: Path) -> None:
    """Without a word of it no access token counts; what is written is read as it stands."""
    assert _read(tmp_path, "tenant: t\n") == (Resource(), [])
    client = Client(
        name="assistant",
        subject="ana",
        agent=AgentName("ag"),
        purpose="tidy up",
        surfaces=("mcp", "models"),
        bounds=Bounds(
            tools=anything_with(["box.look"]),
            prohibited=(ContractName("box.drop"),),
            budgets={"calls": 9},
            data=Selector(records={"customer": ("$sub",), "box": ("*",), "shelf": ("a", "b")}),
            lasts_ms=1_800_000,
        ),
    )
    issuer = AccessIssuer(
        issuer="https://id.example",
        keys="https://id.example/jwks",
        algorithms=("ES256",),
        types=("at+jwt", "jwt"),
        lasts_ms=600_000,
        bound=True,
        initiator="email",
        beside=("account",),
        scopes={"look": ("box.look",), "put": ("box.*",), "all": ("*",)},
        clients=(client,),
    )
    found, wrong = _read(tmp_path, WHOLE)
    assert wrong == []
    assert found == Resource(resource="https://gateway.example/mcp", issuers=(issuer,))
    assert found.metadata == "https://gateway.example/.well-known/oauth-protected-resource/mcp"
    none, wrong = _read(tmp_path, LEAST.replace("purpose: p", "purpose: p, data: {}"))
    assert (wrong, none.issuers[0].clients[0].bounds.data) == ([], Selector(records={}))
    least, wrong = _read(tmp_path, LEAST)
    assert (wrong, least.issuers[0].types, least.issuers[0].clients[0].surfaces) == ([], ("at+jwt",), ("mcp",))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("resource: https://g.example/mcp\n", "", "`resource` is missing"),
        ("https://g.example/mcp", "http://g.example/mcp", "must begin with https://"),
        ("https://g.example/mcp", "https://g.example/mcp?x=1", "nothing behind them"),
        ("https://g.example/mcp", "https://a:b@g.example/mcp", "nothing behind them"),
        ("https://g.example/mcp", "gateway", "must begin with https://"),
        ("keys: keys.json", "keys: http://i.example/keys", "`keys` must begin with https://"),
        ("issuer: https://i.example, ", "", "`issuer` is missing"),
        ("issuer: https://i.example", "issuer: http://i.example", "`issuer` must begin"),
        (", clients: [{client: a, agent: ag, purpose: p}]", "", "`clients` is missing"),
        (", purpose: p", "", "`purpose` is missing"),
        ("keys: keys.json", "keys: k, algorithms: [HS256]", "`algorithms` must be"),
        ("keys: keys.json", "keys: k, algorithms: [none]", "`algorithms` must be"),
        ("keys: keys.json", "keys: k, types: [id+jwt]", "`types` must be"),
        ("keys: keys.json", "keys: k, lasts: 25h", "from 1m to 24h"),
        ("keys: keys.json", "keys: k, bound: yes", "`bound` must be"),
        ("keys: keys.json", 'keys: k, scopes: {"a b": [x]}', "is no scope"),
        ("keys: keys.json", 'keys: k, scopes: {a: ["x*"]}', "stands alone"),
        ("keys: keys.json", "keys: k, scopes: {a: [[x]]}", "opens a tool"),
        ("keys: keys.json", "keys: k, secret: x", "is no field"),
        ("purpose: p", "purpose: p, for: [people]", "`for` must be"),
        ("purpose: p", "purpose: p, budgets: {calls: many}", "whole number"),
        ("purpose: p", 'purpose: p, data: {box: ["a*"]}', "there may be a `*` alone"),
        ("purpose: p", "purpose: p, data: [box]", "`data` must be a table"),
        ("purpose: p", "purpose: p, data: ", "`data` is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """An address in the clear, an algorithm with a shared secret, a name that is none: each with its place."""
    assert LEAST.count(old) == 1
    _, wrong = _read(tmp_path, LEAST.replace(old, new))

    assert any(said in each for each in wrong), wrong


def test_an_issuer_stands_there_once(tmp_path: Path) -> None:
    """Two sections of one issuer would be two answers."""
    twice = LEAST.replace(
        "}]}]", "}]}, {issuer: https://i.example, keys: k, clients: [{client: a, agent: ag, purpose: p}]}]"
    )
    assert any("an issuer is there twice" in each for each in _read(tmp_path, twice)[1])


def test_the_gateway_has_an_address_of_its_own(tmp_path: Path) -> None:
    """Where it has one it is found there, behind TLS where that says so; the console stays where it is."""
    (tmp_path / "interlock.yaml").write_text("server: {public_url: 'https://console.example'}\n" + LEAST)
    settings = read_workspace(tmp_path).settings
    assert (settings.gateway.host, settings.gateway.secure, settings.hosting.host) == (
        "g.example",
        True,
        "console.example",
    )
    (tmp_path / "interlock.yaml").write_text("server: {public_url: 'https://console.example'}\n")
    assert read_workspace(tmp_path).settings.gateway.host == "console.example"
    assert Resource(resource="https://[::1]:8700/mcp").host == "::1"
    assert Resource(resource="https://G.example:8700/mcp").host == "g.example"
