"""The door through which the shopping assistant comes: an MCP gateway, and the shop's sign-in, whose tokens it takes.

The assistant is a program like those that others write: it speaks MCP and bears a token of the customer it helps. It has no key
of Interlock's and knows nothing of it.
"""

import socket
from pathlib import Path

import msgspec

from interlock_demo.program import Program
from interlock_demo.served import Served
from interlock_demo.world.sign_in import ISSUER, PROGRAM, SignIn

KEYS = "sign-in.json"
_SECTION = """
# Whose tokens let programs in that speak MCP, and as which agents.
gateway:
  resource: {address}
  issuers:
    - issuer: {issuer}
      keys: {keys}
      clients:
        - client: {program}
          agent: assistant
          purpose: help a customer to what they want
          data: {{customer: [$sub], product: ["*"], cart: ["*"], order: ["*"]}}
"""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is, and who lets in."""

    address: str
    sign_in: SignIn

    @property
    def place(self) -> str:
        """What the gateway behind it is told to listen at."""
        return self.address.removeprefix("http://").removesuffix("/mcp")

    def token(self, customer_id: str) -> str:
        """What a program bears that helps this customer."""
        return self.sign_in.token(customer_id, self.address)


def door_in(workspace: Path) -> Door:
    """A door, written down in the files of `workspace`: nobody stands behind it until it is `kept`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    door = Door(address=f"http://127.0.0.1:{port}/mcp", sign_in=SignIn())
    (workspace / KEYS).write_text(door.sign_in.keys(), "utf-8")
    with (workspace / "interlock.yaml").open("a", encoding="utf-8") as file:
        file.write(_SECTION.format(address=door.address, issuer=ISSUER, keys=KEYS, program=PROGRAM))
    return door


def kept(program: Program, door: Door) -> Served:
    """The gateway behind the door, to be used with `with`."""
    return Served(program, "gateway", "--http", door.place)
