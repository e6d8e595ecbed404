"""Model calls through Interlock: an ASGI application in the words of OpenAI's API. Base URL and key is all an agent changes.

1. Who asks: a token, for `models`. Nothing is read of a question before that.
2. The question: bounded, read, its secrets dealt with as the workspace says; its model must have a route.
3. The task of whoever asks, with its budgets; brakes, what the agent may run on and what is left are asked as the use begins,
   and again while the model writes.
4. The answer, see `answering`. Whoever leaves meanwhile leaves the provider, too.
"""

import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import msgspec

from interlock.domain.bearer import Bearer
from interlock.domain.borne import Borne
from interlock.domain.errors import InterlockError, NotFound
from interlock.domain.hosting import Hosting
from interlock.domain.ids import AgentName
from interlock.domain.model_request import PATHS, read
from interlock.domain.model_route import ModelRoute, Models
from interlock.domain.refusals import Crowded, NoSuchMethod
from interlock.ports.model_provider import ModelProviders
from interlock.relay.again import Again
from interlock.relay.answering import Answering, Turn
from interlock.relay.asking import KEY, TASK, Asking, asking_of, body_of
from interlock.relay.delivering import Delivery, Receive, Scope, Send, gone
from interlock.relay.meanwhile import unless
from interlock.relay.tasks import Tasks

BELOW: Final = "/v1/*"
"""Which paths it answers."""
MODELS: Final = "/v1/models"
Admit: TypeAlias = Callable[[Borne], Awaitable[Bearer]]
"""Who asks. Raises InterlockError for whoever may not."""
Allowed: TypeAlias = Callable[[AgentName], Awaitable[tuple[str, ...]]]
"""The models an agent may run on; none: any."""

_log = logging.getLogger("interlock.relay")


class Relay:
    """The application. It answers `BELOW`."""

    def __init__(
        self,
        models: Models,
        hosting: Hosting,
        admit: Admit,
        tasks: Tasks,
        answering: Answering,
        allowed: Allowed,
        providers: ModelProviders,
    ) -> None:
        self._models = models
        self._hosting = hosting
        self._admit = admit
        self._tasks = tasks
        self._answering = answering
        self._allowed = allowed
        self._providers = providers
        self._again = Again()
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        out = Delivery(send)
        out.unread = scope["method"] != "GET"
        try:
            asking = asking_of(scope, self._hosting)
            if asking.path == MODELS or asking.path.startswith(f"{MODELS}/"):
                await self._listed(asking, out)
            else:
                await self._asked(asking, receive, out)
        except InterlockError as error:
            await out.refuse(error)
        except Exception as error:  # noqa: BLE001  whatever it is, the agent is answered and the operator told where
            frames = traceback.extract_tb(error.__traceback__)
            place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
            # What it says may quote what somebody sent; where it was raised may not.
            _log.error("a defect of Interlock: %s at %s", type(error).__name__, place)
            await out.refuse(InterlockError("a defect of Interlock; the server's log says where"))

    async def close(self) -> None:
        """Close the tasks, and let go of the connections."""
        await self._tasks.close()
        await self._providers.close()

    async def _asked(self, asking: Asking, receive: Receive, out: Delivery) -> None:
        kind = PATHS.get(asking.path)
        if kind is None:
            raise NotFound("there is nothing here", next_step=f"ask at {', '.join([*PATHS, MODELS])}")
        if asking.method != "POST":
            raise NoSuchMethod("questions are asked with POST", next_step="ask with POST")
        who = await self._admit(asking.borne)
        with self._room(who.same):
            raw = await body_of(asking, receive, self._models.most_bytes)
            out.unread = False
            request = read(kind, raw, self._models.secrets)
            route = self._route(request.model)

            async def answered() -> None:
                named = asking.says(TASK)
                task = await (self._tasks.named(named, who) if named else self._tasks.of(who))
                await self._answering.answer(Turn(request=request, route=route, who=who, task=task, out=out))

            async def once() -> None:
                await self._again.do(who, asking.says(KEY), kind.encode() + b"\0" + raw, out, answered)

            await unless(lambda: gone(receive), once)

    @contextmanager
    def _room(self, whose: str) -> Generator[None]:
        """One more question of whoever that is. Raises Crowded."""
        most, of_one = self._models.at_once, self._models.of_one
        if self._open.total() >= most:
            raise Crowded(f"{most} questions are open already", next_step="ask again in a moment")
        if self._open[whose] >= of_one:
            raise Crowded(f"{of_one} questions of yours are open already", next_step="wait for some of their answers")
        self._open[whose] += 1
        try:
            yield
        finally:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]

    def _route(self, model: str) -> ModelRoute:
        route = self._models.routes.get(model)
        if route is None:
            raise NotFound(
                f"there is no route to a model `{model}`",
                next_step="`/v1/models` says which there are; `models: routes` in interlock.yaml makes them",
            )
        return route

    async def _listed(self, asking: Asking, out: Delivery) -> None:
        if asking.method != "GET":
            raise NoSuchMethod("models are listed with GET", next_step="ask with GET")
        who = await self._admit(asking.borne)
        allowed = await self._allowed(who.agent)
        found = [_told(route) for route in self._models.routes.values() if not allowed or route.legs[0].name in allowed]
        name = asking.path.removeprefix(MODELS).removeprefix("/")
        if not name:
            await out.whole(200, msgspec.json.encode({"object": "list", "data": found}), {})
            return
        one = next((each for each in found if each["id"] == name), None)
        if one is None:
            raise NotFound(
                f"there is no route to a model `{name[:200]}` for this agent", next_step=f"list them: `{MODELS}`"
            )
        await out.whole(200, msgspec.json.encode(one), {})


def _told(route: ModelRoute) -> dict[str, Any]:
    return {"id": route.name, "object": "model", "created": 0, "owned_by": route.legs[0].provider}
