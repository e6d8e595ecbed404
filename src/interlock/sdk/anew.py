"""A call that shows who makes it, made again where a release came into force meanwhile, and where the network lost it."""

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from interlock.domain.errors import CredentialStale
from interlock.sdk.identity import Identity
from interlock.sdk.patience import Patience

ROUNDS: Final = 5
"""How often a call is made again because releases kept changing under it."""
R = TypeVar("R")


async def anew(
    identity: Identity,
    attempt: Callable[[], Awaitable[R]],
    *,
    repeatable: bool = True,
    patience: Patience | None = None,
) -> R:
    """`attempt`, again with another credential where another release came into force, and where the network lost it."""
    return await identity.again(partial(_renewed, attempt), repeatable=repeatable, patience=patience)


async def _renewed(attempt: Callable[[], Awaitable[R]]) -> R:
    """`attempt`, again with another credential where another release came into force meanwhile."""
    for _ in range(ROUNDS):
        with contextlib.suppress(CredentialStale):
            return await attempt()
    return await attempt()
