"""What lists of the API have in common: how many rows a page has, and how they go on."""

from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import urlencode

from litestar import Response
from litestar.params import QueryParameter

from interlock.web.once import kept
from interlock.web.parts import Asked

MOST: Final = 200
"""Of a list, on one page."""

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=MOST)]
"""How many of a list."""


def listed(request: Asked, value: Any, cursor: str) -> Response[Any]:
    """A page of a list, with where it goes on (RFC 8288)."""
    answer = kept(request, value)
    if cursor:
        query = {name: each for name, each in request.query_params.items() if name != "cursor"} | {"cursor": cursor}
        answer.headers["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
    return answer
