"""A server as people look at it: how it is reached, and each of its tools as it was accepted, as it is in force, as it was seen.

How it is reached is told as its file says it: a `${NAME}` is a variable and stays one, and what may be a secret by its place or
its shape is never told, whoever wrote it there.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from interlock.domain.contract import Contract, Effect, McpTarget, Risk
from interlock.domain.hiding import Hiding
from interlock.domain.ids import ContractName
from interlock.domain.server_drift import Drift, Sighting, mark_of
from interlock.domain.upstream import Connections, Definition, Http, Pinned, Server, Stdio

Standing = Literal["in_force", "accepted", "changed", "gone", "new"]
"""`in_force`: it is called, as it was accepted. `accepted`: it waits for `interlock apply`. `changed`, `gone`: it is another than
the accepted one, or there no more, and is not called. `new`: nobody accepted it."""


class SeenTool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tool."""

    name: str
    """By its server."""
    standing: Standing
    contract: ContractName | None = None
    """Which is in force."""
    effect: Effect | None = None
    risk: Risk | None = None
    pin: str = ""
    """SHA-256 of what was accepted; empty: nothing."""
    found: str = ""
    """SHA-256 of what was found in its place."""
    fields: tuple[str, ...] = ()
    """Which of its members changed."""
    seen_at: int | None = None
    """When it was first seen to be so, UTC ms."""
    accepted: Definition | None = None
    present: Definition | None = None
    """Of one that is not as it was accepted: both, as far as they are kept."""


class SeenServer(msgspec.Struct, frozen=True, kw_only=True):
    """One server."""

    name: str
    kind: Literal["stdio", "http"]
    reached: str
    """The command, or the address."""
    variables: tuple[str, ...]
    """What its environment, or the headers sent to it, are called. Never what they hold."""
    trusted: bool
    connections: Connections
    pinned: bool
    """Whether anything of it was ever accepted."""
    says: str
    """What it called itself when it was accepted."""
    protocol: str
    seen_at: int | None
    """When it last said what tools it has, UTC ms, to ten minutes; None: never, to a process that calls tools."""
    tools: tuple[SeenTool, ...]

    @property
    def held(self) -> int:
        """How many of its tools are not called, since they are other than what was accepted."""
        return sum(each.standing in ("changed", "gone") for each in self.tools)


def seen_server(
    server: Server,
    pinned: Pinned | None,
    contracts: Iterable[Contract],
    drifts: Mapping[str, Drift],
    sighting: Sighting | None,
) -> SeenServer:
    """`server`, whose accepted tools are `pinned`; with `contracts` in force and `drifts`, what is known of its tools by mark."""
    accepted = {} if pinned is None else {each.name: each for each in pinned.tools}
    force = {
        each.target.tool: each for each in contracts if _is_of(each, server.name) and isinstance(each.target, McpTarget)
    }
    new = {each.tool for each in drifts.values() if each.state == "new" and mark_of(each.tool) == each.mark}
    names = sorted({*accepted, *force, *new})
    kind, reached, variables = reached_by(server)
    return SeenServer(
        name=server.name,
        kind=kind,
        reached=reached,
        variables=variables,
        trusted=server.trusted,
        connections=server.connections,
        pinned=pinned is not None,
        says="" if pinned is None else pinned.server,
        protocol="" if pinned is None else pinned.protocol,
        seen_at=None if sighting is None else sighting.seen_at,
        tools=tuple(_tool(name, accepted.get(name), force.get(name), drifts.get(mark_of(name))) for name in names),
    )


def _tool(name: str, accepted: Definition | None, contract: Contract | None, drift: Drift | None) -> SeenTool:
    pin = "" if accepted is None else accepted.digest
    current = drift is not None and drift.pin == pin and drift.state != ""
    found = SeenTool(name=name, standing=_standing(pin, contract), pin=pin)
    if contract is not None:
        found = msgspec.structs.replace(found, contract=contract.name, effect=contract.effect, risk=contract.risk)
    if drift is None or not current:
        return found
    return msgspec.structs.replace(
        found,
        standing=drift.state,
        found=drift.found,
        fields=drift.fields,
        seen_at=drift.seen_at,
        accepted=accepted,
        present=drift.definition,
    )


def _standing(pin: str, contract: Contract | None) -> Standing:
    if not pin:
        # It is in force as somebody accepted it, whose word the file has no more; or else nobody has accepted it.
        return "in_force" if contract is not None else "new"
    as_accepted = contract is not None and isinstance(contract.target, McpTarget) and contract.target.pin == pin
    return "in_force" if as_accepted else "accepted"


def _is_of(contract: Contract, server: str) -> bool:
    return isinstance(contract.target, McpTarget) and contract.target.server == server


def reached_by(server: Server) -> tuple[Literal["stdio", "http"], str, tuple[str, ...]]:
    """How, by which command or address, and what the variables or headers are called that go along."""
    hiding = Hiding().server(server.name)
    match server.way:
        case Stdio(command=command, env=env):
            # What a shell is given as one word is words, too, and one of them may be a secret.
            words = tuple(" ".join(command).split(" "))
            return "stdio", " ".join(hiding.words(words)), tuple(sorted(env))
        case Http(url=url, headers=headers):
            return "http", hiding.url(url), tuple(sorted(headers))
