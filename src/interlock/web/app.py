"""One Litestar application from handlers: what they are given, who may reach them, and how their errors are answered."""

from collections.abc import Sequence
from typing import Final

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.types import ControllerRouterHandler

from interlock.domain.access import is_permission
from interlock.domain.errors import InterlockError
from interlock.domain.hosting import Hosting
from interlock.ports.plane import Plane
from interlock.services.doctor import Examine
from interlock.services.plane import ControlPlane
from interlock.web.access import NOBODY, Access, guard, recogniser
from interlock.web.limits import Limits, limited
from interlock.web.live import Hub, hub_of
from interlock.web.metrics import Meters
from interlock.web.once import Once, once_of
from interlock.web.parts import actor_of, agents_of, plane_of
from interlock.web.problems import ProblemPage, answers

LARGEST_BODY = 1024 * 1024
"""Of a request, in bytes."""

GIVEN: Final = {
    "plane": Provide(plane_of),
    "actor": Provide(actor_of),
    "agents": Provide(agents_of),
    "hub": Provide(hub_of),
    "once": Provide(once_of),
}
"""What handlers are given by name."""


def application(
    plane: ControlPlane,
    agents: Plane,
    hub: Hub,
    handlers: Sequence[ControllerRouterHandler],
    *,
    hosting: Hosting,
    limits: Limits,
    meters: Meters,
    page: ProblemPage | None = None,
    access: DefineMiddleware | None = None,
    examine: Examine | None = None,
) -> Litestar:
    """The application; `examine` has the installation looked at.

    Raises InterlockError, and nothing is served, where a handler does not say who may reach it.
    """

    def quiet(config: AppConfig) -> AppConfig:
        config.logging_config = None
        return config

    knowing = access or DefineMiddleware(Access)
    app = Litestar(
        route_handlers=list(handlers),
        state=State(
            {
                "plane": plane,
                "agents": agents,
                "hosting": hosting,
                "hub": hub,
                "once": Once(),
                "limits": limits,
                "meters": meters,
                "examine": examine,
                "recognise": recogniser(knowing),
            }
        ),
        dependencies=GIVEN,
        guards=[guard, limited],
        middleware=[knowing],
        exception_handlers=answers(page),
        openapi_config=None,
        on_app_init=[quiet],
        request_max_body_size=LARGEST_BODY,
        debug=False,
    )
    for handler in handlers_of(app):
        needs = handler.opt.get("needs")
        for each in (needs, handler.opt.get("of_keys", needs)):
            if each != NOBODY and not is_permission(str(each)):
                raise InterlockError(f"`{min(handler.paths)}` does not say who may reach it: {each!r}")
    return app


def handlers_of(app: Litestar) -> list[BaseRouteHandler]:
    """Every handler that can be reached, once."""
    found: dict[int, BaseRouteHandler] = {}
    for route in app.routes:
        for each in getattr(route, "route_handlers", ()):
            if isinstance(each, HTTPRouteHandler) and each.http_methods != {"OPTIONS"}:
                found[id(each)] = each
    return list(found.values())
