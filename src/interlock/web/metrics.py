"""`/metrics`: figures of this server for Prometheus. No names of people, agents or contracts: whoever scrapes may keep it.

Figures are of this process and since it began, but for what waits and the size of the log, which are asked anew each time.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from typing import Final

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from interlock.services.plane import ControlPlane
from interlock.web.live import Hub, News, log_size
from interlock.web.parts import Asked, Plane

TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 20.0)


class Meters:
    """What is counted here."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        self._requests = Counter(
            "interlock_http_requests", "Requests answered.", ("route", "method", "status"), registry=here
        )
        self._took = Histogram(
            "interlock_http_seconds", "How long they took.", ("route",), buckets=_BUCKETS, registry=here
        )
        self._gate = Histogram(
            "interlock_gate_seconds", "Proposals over HTTP, decided.", buckets=_BUCKETS, registry=here
        )
        self._verdicts = Counter("interlock_gate_states", "How they stood when answered.", ("state",), registry=here)
        self._waiting = Gauge("interlock_approvals_waiting", "Actions that wait for people.", registry=here)
        self._age = Gauge("interlock_approvals_first_seconds", "How long the first of them has waited.", registry=here)
        self._entries = Gauge("interlock_log_entries", "Entries of the log.", registry=here)
        self._live = Gauge("interlock_live_streams", "Open streams of news.", registry=here)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request was answered. `route` is its pattern, never what somebody wrote."""
        self._requests.labels(route, method, str(status)).inc()
        self._took.labels(route).observe(seconds)

    def decided(self, state: str, seconds: float) -> None:
        """One proposal was answered."""
        self._gate.observe(seconds)
        self._verdicts.labels(state).inc()

    async def text(self, plane: ControlPlane, hub: Hub) -> bytes:
        """All of it."""
        page = await plane.inbox.page(limit=1)
        first = page.rows[0].proposed_at if page.rows else None
        self._waiting.set(page.waiting)
        self._age.set(0 if first is None else max(plane.means.clock.now() - first, 0) / 1000)
        self._entries.set(await log_size(plane.means.log))
        self._live.set(len(hub))
        return generate_latest(self.registry)


@get("/metrics", opt={"needs": "see", "unlimited": True}, include_in_schema=False)
async def metrics(request: Asked, plane: Plane, hub: News) -> Response[bytes]:
    """Figures for Prometheus, to whoever may see: give it an API key with that scope alone."""
    meters: Meters = request.app.state.meters
    return Response(await meters.text(plane, hub), headers={"Content-Type": TYPE})


ROUTES: list[HTTPRouteHandler] = [metrics]
