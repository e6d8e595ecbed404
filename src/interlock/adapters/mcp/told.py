"""What our own ways tell a waiting call, as an error that no server can make up.

A session knows errors only as the protocol has them. What we say ourselves (nothing was sent, the answer was too long, the status
was 403) carries a mark that is made anew in every process and never sent anywhere.
"""

from secrets import token_hex
from typing import Final, Literal, cast

from mcp_types import ErrorData

Ours = Literal["unsent", "too long", "garbage", "refused", "expired", "lost"]
"""`unsent`: it never left. `garbage`: what answers it cannot be read. `refused`: the server's own door said no. `expired`: it
knows the session no more, so nothing was done with the call. `lost`: it left, and no answer came."""
TOO_LONG: Final = "too long"
GARBAGE: Final = "garbage"

_MARK: Final = token_hex(16)
_CODE: Final = -32_099


def told(kind: Ours, why: str) -> ErrorData:
    """An error of ours."""
    return ErrorData(code=_CODE, message=why, data={_MARK: kind})


def ours(data: object) -> Ours | None:
    """What kind of error of ours this is the data of; None: it is a server's."""
    if not isinstance(data, dict):
        return None
    # Nobody else knows the mark, so what stands behind it is ours.
    return cast("dict[str, Ours]", data).get(_MARK)
