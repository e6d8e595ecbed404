"""Who asks, and whether the door opens for them. Until somebody can be recognised, nobody is."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from interlock.domain.actor import Actor
from interlock.domain.errors import NotAllowed, NotSignedIn

NOBODY = "nobody"
"""What a handler needs that is for everybody."""


class Access(AbstractAuthenticationMiddleware):
    """Sets `request.user`: an Actor, or None."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Nobody is recognised."""
        del connection
        return AuthenticationResult(user=None, auth=None)


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Open the door or not. Raises NotSignedIn and NotAllowed. A handler that does not say what it needs is closed."""
    needs = handler.opt.get("needs")
    if needs == NOBODY:
        return
    actor: Actor | None = connection.user
    if actor is None:
        raise NotSignedIn
    if needs is None or not actor.may(needs):
        raise NotAllowed(
            f"this needs `{needs}`, which none of your roles gives", next_step="people.yaml says who holds which role"
        )
