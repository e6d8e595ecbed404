"""What a request asks for, as the contracts that it takes: read of its body before anything is done with it.

By it a program is told that other scopes would do what its own do not. It closes nothing: what is not understood here, or read
otherwise than by whoever answers, is for the gate to refuse.
"""

import msgspec

from interlock.domain.ids import AgentName, ContractName
from interlock.domain.upstream_reads import beside_name, passes
from interlock.gateway.offers import Offers
from interlock.ports.upstream import Upstreams


class _Params(msgspec.Struct, frozen=True):
    name: str = ""
    uri: str = ""


class _Request(msgspec.Struct, frozen=True):
    method: str
    params: _Params = _Params()


class Meant:
    """Reads requests."""

    def __init__(self, offers: Offers, upstreams: Upstreams) -> None:
        self._offers = offers
        self._upstreams = upstreams

    async def contracts(self, body: bytes, agent: AgentName) -> tuple[ContractName, ...]:
        """The capabilities of `agent` that a request of its takes, of which any would do; none where it takes none."""
        try:
            asked = msgspec.json.decode(body, type=_Request)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ()
        found = (await self._offers.now()).agents.get(agent)
        named = await self._named(asked)
        return () if found is None else tuple(each for each in named if each in found.capabilities)

    async def _named(self, asked: _Request) -> tuple[ContractName, ...]:
        name, servers = asked.params.name, self._upstreams.servers()
        match asked.method:
            case "tools/call":
                contract = await self._offers.contract_of(name)
                return () if contract is None else (contract,)
            case "resources/read" | "resources/subscribe":
                uri = asked.params.uri
                return tuple(beside_name(each.name, "read_resource") for each in servers if passes(uri, each.resources))
            case "prompts/get":
                return tuple(
                    beside_name(each.name, "get_prompt")
                    for each in servers
                    if name.startswith(f"{each.name}__") and passes(name.removeprefix(f"{each.name}__"), each.prompts)
                )
            case _:
                return ()
