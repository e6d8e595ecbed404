"""The agent's side of a control plane at an address: the same client as in its own process, over HTTP."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlock.adapters.effectors.functions import Functions
from interlock.adapters.effectors.python import InProcessEffectors
from interlock.adapters.issuing import InstanceKey
from interlock.adapters.remote.address import address_of
from interlock.adapters.remote.own_tools import Offered
from interlock.adapters.system import SystemClock, SystemIds
from interlock.domain.contract import InProcess
from interlock.domain.enrolling import LOCAL
from interlock.domain.errors import NotAllowed
from interlock.sdk.client import Client
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home
from interlock.sdk.identity import Identity, shows
from interlock.sdk.patience import Patience
from interlock.sdk.signature import plain_result, values_of
from interlock.sdk.tool import Tool

if TYPE_CHECKING:
    from interlock.adapters.remote.plane import Remote


def open_afar(
    location: str,
    *,
    apply: bool,
    tools: Sequence[Tool[..., Any]],
    attest: str,
    evidence: str | Path | Callable[[str], str],
    ca: str | Path,
    proxy: str,
) -> Client:
    """See `connecting.open`. Nothing is sent before the first call. Raises NotAllowed for what cannot be meant from afar."""
    address = address_of(location)
    if apply or tools:
        raise NotAllowed(
            "nothing comes into force from afar: contracts and policies are the server's workspace",
            next_step="put them into the workspace that `interlock serve` serves, and `interlock apply` there",
        )
    if attest == LOCAL:
        raise NotAllowed(
            "nobody is recognised from afar by being here",
            next_step="show what vouches for the program: `interlock.open(..., attest='bootstrap', evidence=Path('token'))`; "
            "`interlock identity token AGENT` makes one",
        )
    shown = shows(attest, evidence)
    clock, ids = SystemClock(), SystemIds()
    plane = _remote(address, str(ca), proxy, clock)
    identity = Identity(plane, InstanceKey(), clock, ids, shown, Patience())

    functions = InProcessEffectors(Functions(values_of, plain_result))

    def register(tool: Tool[..., Any]) -> None:
        if isinstance(tool.contract.target, InProcess):
            functions.offer(tool.contract.target.name, tool)

    connection = Connection(plane, Home(), register, identity, functions.lend, Offered(functions), functions.offer)
    return Client(connection, None)


def _remote(address: str, ca: str, proxy: str, clock: SystemClock) -> "Remote":
    """Made by name: the HTTP client takes long to import, and who works on a folder never needs it."""
    wire = import_module("interlock.adapters.remote.wire").Wire(address, ca=ca, proxy=proxy)
    made: Remote = import_module("interlock.adapters.remote.plane").Remote(wire, clock)
    return made
