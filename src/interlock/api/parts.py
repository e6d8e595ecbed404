"""What the API's handlers have in common: what they need, texts in bodies, how many rows a page has, and how lists go on."""

from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.params import QueryParameter

from interlock.web.once import kept
from interlock.web.parts import Asked

SEE: Final = {"needs": "see"}
DECIDE: Final = {"needs": "decide"}
STOP: Final = {"needs": "stop"}
OPERATE: Final = {"needs": "operate"}
ADMINISTER: Final = {"needs": "administer"}

MOST: Final = 200
"""Of a list, on one page."""

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=MOST)]
"""How many of a list."""
Note: TypeAlias = Annotated[str, msgspec.Meta(max_length=4_000)]
"""What a person says with what they do."""
Reason: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)]
"""The same, where it takes one."""


def listed(request: Asked, value: Any, cursor: str) -> Response[Any]:
    """A page of a list, with where it goes on (RFC 8288)."""
    answer = kept(request, value)
    if cursor:
        query = [(name, each) for name, each in request.query_params.multi_items() if name != "cursor"]
        answer.headers["Link"] = f'<{request.url.path}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'
    return answer
