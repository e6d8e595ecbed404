"""The way to witnesses over HTTP, and what checks cosignatures of either kind.

Loaded by its name when somebody anchors: the client takes as long to import as half of all else.
"""

from collections.abc import Mapping

import httpx

from interlock.adapters.exchange import BROKEN, exchanged
from interlock.domain.errors import WitnessError
from interlock.domain.quorum import Witness
from interlock.domain.witnessing import MAX_REQUEST_BYTES

TIMEOUT_S = 8.0


class HttpWitnesses:
    """See `ports.cosigning.Witnesses`. Redirects are not followed: a witness is where it was said to be."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    async def ask(self, witness: Witness, request: bytes) -> tuple[int, bytes]:
        """See `Witnesses.ask`."""
        address = f"{witness.url.rstrip('/')}/add-checkpoint"
        return await posted(address, request, {"content-type": "text/plain"}, self._transport)


async def posted(
    address: str, data: bytes, headers: Mapping[str, str], transport: httpx.AsyncBaseTransport | None = None
) -> tuple[int, bytes]:
    """Status and body of the answer, of which no more is read than a request may be long. Raises WitnessError."""
    try:
        return await exchanged(
            "POST", address, headers, data, most_bytes=MAX_REQUEST_BYTES, timeout_s=TIMEOUT_S, transport=transport
        )
    except BROKEN as error:
        raise WitnessError(f"it cannot be reached: {type(error).__name__}: {error}") from None
