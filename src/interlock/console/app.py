"""The pages of the console, gathered: each module of a page has its handlers in `ROUTES`."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from interlock.console import (
    action_list,
    agents,
    approvals,
    audit,
    batches,
    brakes,
    exceptions,
    frame,
    modifying,
    overview,
    policies,
    policy_try,
    publications,
    returning,
    servers,
    settings,
    settings_people,
    sign_in,
    static,
    stories,
    tasks,
)
from interlock.console.frame import framed

PAGES = Router(
    path="/",
    route_handlers=[
        *overview.ROUTES,
        *approvals.ROUTES,
        *batches.ROUTES,
        *exceptions.ROUTES,
        *modifying.ROUTES,
        *stories.ROUTES,
        *brakes.ROUTES,
        *returning.ROUTES,
        *action_list.ROUTES,
        *tasks.ROUTES,
        *agents.ROUTES,
        *servers.ROUTES,
        *policies.ROUTES,
        *policy_try.ROUTES,
        *publications.ROUTES,
        *audit.ROUTES,
        *settings.ROUTES,
        *sign_in.ROUTES,
        *settings_people.ROUTES,
        *frame.ROUTES,
    ],
    before_request=framed,
)
"""What has a frame around it."""
ROUTES: list[ControllerRouterHandler] = [*static.ROUTES, PAGES]
