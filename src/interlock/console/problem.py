"""An error as a page, in the frame of whoever asked.

What reaches no handler (an address that is none, a method that is none there) reaches no door either: nobody was looked up yet.
So it is done while the answer is made, and an error about somebody who is signed in leaves them where they can go on.
"""

from contextlib import suppress
from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from interlock.console.frame import framed
from interlock.console.render import page
from interlock.domain.errors import InterlockError
from interlock.web.problems import Problem

OURS: Final = 500
"""From this status on the fault is ours: then nothing more is asked of what just failed."""


def problem_page(request: Request[Any, Any, State], problem: Problem) -> Response[Any]:
    """An error as a page: the words of the API's answer."""
    return _ProblemPage(request, problem)


class _ProblemPage(Response[str]):
    def __init__(self, request: Request[Any, Any, State], problem: Problem) -> None:
        super().__init__("", media_type=MediaType.HTML, status_code=problem.status)
        self._request, self._problem = request, problem

    def to_asgi_response(self, *_: Any, **settings: Any) -> ASGIResponse:
        """What is sent, once it is known to whom."""
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-type"}
        return _Later(self._request, self._problem, headers, is_head=bool(settings.get("is_head_response")))


class _Later(ASGIResponse):
    __slots__ = ("_head", "_problem", "_request", "_said")

    def __init__(
        self, request: Request[Any, Any, State], problem: Problem, said: dict[str, str], *, is_head: bool
    ) -> None:
        super().__init__(status_code=problem.status, media_type=MediaType.HTML)
        self._request, self._problem, self._said, self._head = request, problem, said, is_head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look up who asks where that is not known, and send the page."""
        request = self._request
        if self._problem.status < OURS:
            # Where the store answers nobody now, the error is told all the same, without a frame.
            with suppress(InterlockError):
                if "user" not in scope:
                    scope["user"] = await request.app.state.recognise(request)
                await framed(request)
        answer: Any = page(request, "problem.html", status=self._problem.status, problem=self._problem)
        answer.headers.update(self._said)
        await answer.to_asgi_response(None, request, is_head_response=self._head)(scope, receive, send)
