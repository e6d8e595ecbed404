"""What is wrong with a request itself, before anything in it is asked for: its size, its form, its host, its pace."""

from interlock.domain.errors import InterlockError


class BadRequest(InterlockError):
    """A request that no handler can read: its path, its headers, or what it gives for a field."""

    code = "bad_request"
    fault = "yours"
    next = "compare the request with the description of the API: `/v1/openapi.json`"


class TooLarge(InterlockError):
    """More bytes than a request may have."""

    code = "too_large"
    fault = "yours"
    next = "send less at once"


class NoSuchMethod(InterlockError):
    """A method by which nothing is asked here."""

    code = "no_such_method"
    fault = "yours"
    next = "look with GET, and change with POST"


class TooSlow(InterlockError):
    """A request that did not arrive in the time there is for one."""

    code = "too_slow"
    fault = "yours"
    next = "send it again, at once"


class Crowded(InterlockError):
    """More open streams than there may be."""

    code = "crowded"
    fault = "operator"
    next = "close pages that nobody looks at; `server: {live: ...}` in interlock.yaml says how many there may be"


class TooMany(InterlockError):
    """More requests of one sender than there may be."""

    code = "too_many_requests"
    fault = "yours"
    next = "ask less often; `Retry-After` says when there is room again"

    def __init__(self, after_s: int) -> None:
        super().__init__("there were too many requests of yours lately", after_s=after_s)
        self.after_s = after_s


class NoHost(InterlockError):
    """A request for a host that is not this one."""

    code = "wrong_host"
    fault = "yours"
    next = (
        "open the address that `interlock serve` printed, or name yours: `server: {public_url: ...}` in interlock.yaml"
    )
