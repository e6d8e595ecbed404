"""How a server is reached is told without what may be a secret, and each of its tools as it stands."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.contract import Contract
from interlock.domain.ids import WorkerId
from interlock.domain.server_drift import Drift, Sighting, mark_of
from interlock.domain.server_seen import reached_by, seen_server
from interlock.domain.upstream import Definition, Http, Pinned, Server, Stdio, Way
from interlock.domain.upstream_contract import Words, upstream_contract

SECRETS = st.text("abcdefghijkmnpqrstuvwxyz23456789", min_size=24, max_size=40).filter(
    lambda text: any(each.isdigit() for each in text) and any(each.isalpha() for each in text)
)
SERVER = Server(name="kit", way=Stdio(command=("kit",)))
TOOL = Definition(name="greet", description="Says hello.", input_schema={"type": "object"})


@given(secret=SECRETS, place=st.integers(0, 6))
@pytest.mark.proves("console.servers")
def test_no_secret_is_told(secret: str, place: int) -> None:
    """Behind a flag, in a flag, within what a shell is given, in an address, its path, its query, in a header: never told."""
    ways: tuple[Way, ...] = (
        Stdio(command=("kit", "--token", secret)),
        Stdio(command=("kit", f"--api-key={secret}")),
        Stdio(command=("sh", "-c", f'exec kit --token "{secret}" --quiet')),
        Http(url=f"https://ana:{secret}@kit.example/mcp"),
        Http(url=f"https://kit.example/s/{secret}/mcp"),
        Http(url=f"https://kit.example/mcp?key={secret}#x"),
        Http(url="https://kit.example/mcp", headers={"X-Key": secret}),
    )
    told = str(reached_by(msgspec.structs.replace(SERVER, way=ways[place])))
    assert secret not in told
    assert "kit" in told


def test_a_variable_stays_one_and_plain_words_stay() -> None:
    """What is no secret is told as it is written."""
    way = Stdio(command=("npx", "-y", "@x/kit@1.2.3", "--root", "/srv/notes"), env={"TOKEN": "${KIT_TOKEN}", "A": "b"})
    assert reached_by(msgspec.structs.replace(SERVER, way=way)) == (
        "stdio",
        "npx -y @x/kit@1.2.3 --root /srv/notes",
        ("A", "TOKEN"),
    )


def test_how_a_tool_stands() -> None:
    """Accepted and in force; accepted and not yet in force; seen to be another; seen to be another than an older pin, which says
    nothing of the one that counts."""
    pinned = Pinned(server="kit 1", protocol="2025-11-25", tools=(TOOL,))
    force = upstream_contract(SERVER, TOOL, Words())
    older = upstream_contract(SERVER, msgspec.structs.replace(TOOL, title="Greet"), Words())
    drift = Drift(
        server="kit",
        tool="greet",
        mark=mark_of("greet"),
        pin=TOOL.digest,
        state="changed",
        found="f",
        seen_at=5,
        seen_by=WorkerId("w"),
    )

    def standing(contracts: tuple[Contract, ...], *drifts: Drift) -> str:
        found = seen_server(
            SERVER,
            pinned,
            contracts,
            {each.mark: each for each in drifts},
            Sighting(server="kit", seen_at=1, tools=1),
        )
        return found.tools[0].standing

    assert standing((force,)) == "in_force"
    assert standing((older,)) == standing(()) == "accepted"
    assert standing((force,), drift) == "changed"
    assert standing((force,), msgspec.structs.replace(drift, pin="other")) == "in_force"
    assert standing((force,), msgspec.structs.replace(drift, state="")) == "in_force"
