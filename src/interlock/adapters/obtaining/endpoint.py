"""Where an authorization server gives out tokens: asked of it (RFC 8414, or OpenID Connect Discovery), within bounds."""

from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx
import msgspec

from interlock.adapters.addresses import is_safe
from interlock.adapters.attesting.published import TIMEOUT_S, fetched
from interlock.adapters.exchange import BROKEN
from interlock.domain.duration import MINUTE
from interlock.domain.errors import EffectorError

KEPT_MS: Final = 10 * MINUTE


class _Said(msgspec.Struct, frozen=True):
    """What is read of what a server says of itself."""

    issuer: str
    token_endpoint: str


_said: Final = msgspec.json.Decoder(_Said)


class Endpoint:
    """Of one issuer."""

    def __init__(self, issuer: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._issuer = issuer
        self._transport = transport
        self._known = ""
        self._asked_at = 0

    async def address(self, now: int) -> str:
        """The address. Raises EffectorError where the server does not say one that can be trusted."""
        if self._known and 0 <= now - self._asked_at < KEPT_MS:
            return self._known
        said = await self._found()
        if said.issuer != self._issuer:
            raise EffectorError(f"the authorization server `{self._issuer}` calls itself otherwise")
        if not is_safe(said.token_endpoint):
            raise EffectorError(f"`{self._issuer}` names an address for tokens that is not behind TLS")
        self._known, self._asked_at = said.token_endpoint, now
        return self._known

    async def _found(self) -> _Said:
        why = ""
        for place in places(self._issuer):
            try:
                with anyio.fail_after(TIMEOUT_S):
                    return _said.decode(await fetched(place, transport=self._transport))
            except BROKEN as error:
                why = why or type(error).__name__
        raise EffectorError(
            f"`{self._issuer}` does not say where tokens are had: {why}",
            next_step="see that it publishes its metadata, or write `token_url` instead of `issuer`",
        )


def places(issuer: str) -> tuple[str, str]:
    """Where an issuer's metadata is looked for: behind its host (RFC 8414 section 3.1), then below it."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    behind = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{path}"
    return behind, f"{issuer.rstrip('/')}/.well-known/openid-configuration"
