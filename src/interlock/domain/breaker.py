"""The circuit breaker of a contract, or of what several contracts call: a host, a module.

Ten answers in a row that left it open stop it, in every process, for half a minute. Then it is half open: one call, the
probe, is let through. A clear answer closes it; another unclear one opens it again for twice as long, up to half an hour.
"""

import re
from typing import ClassVar, Final, Literal

import msgspec

from interlock.domain.contract import Contract, HttpTarget, InProcess, McpTarget, PythonTarget
from interlock.domain.ids import ActionId, ContractName
from interlock.domain.record import Record

THRESHOLD: Final = 10
"""So many unclear answers in a row open it."""
PAUSE_MS: Final = 30_000
LONGEST_MS: Final = 1_800_000
PROBE_MARGIN_MS: Final = 10_000
"""So much longer than its tool's timeout a probe is waited for, before another one is let through."""

_AUTHORITY: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
"""RFC 3986 section 3.2."""

BreakerScope = Literal["contract", "target"]


class Breaker(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is counted, in the commit that records an answer, so that all processes count together."""

    kind: ClassVar[str] = "breaker"

    scope: BreakerScope
    name: str
    failures: int = 0
    """Unclear answers since the last clear one."""
    contracts: tuple[ContractName, ...] = ()
    """Of a target: whose they were, two at most. One contract that fails alone is the contract's trouble."""
    until_at: int | None = None
    """It is open, and half open from then on; None: it is closed."""
    pause_ms: int = 0
    probe: ActionId | None = None
    """The action that was let through."""
    probe_until: int = 0

    @property
    def key(self) -> str:
        """Scope and name."""
        return breaker_key(self.scope, self.name)


def breaker_key(scope: str, name: str) -> str:
    """The key of the breaker of a contract or a target."""
    return f"{scope}:{name}"


def target_of(contract: Contract) -> str:
    """What a contract calls, as far as it may share it with others: a host, a module, a server; empty where there is none."""
    match contract.target:
        case HttpTarget(url=url):
            authority = _AUTHORITY.match(url)
            return authority[1].rpartition("@")[2].lower() if authority is not None else ""
        case PythonTarget(target=target):
            return target.partition(":")[0]
        case McpTarget(server=server):
            return f"mcp:{server}"
        case InProcess():
            return ""


def answered(before: Breaker, action: ActionId) -> Breaker:
    """`before` after a clear answer: the count begins anew. What is open only the probe's answer closes."""
    if before.until_at is not None and before.probe != action:
        return before
    return Breaker(scope=before.scope, name=before.name, revision=before.revision)


def unclear(before: Breaker, action: ActionId, contract: ContractName, now: int) -> Breaker:
    """`before` after an answer that left it open. Of what is open only the probe's answer counts."""
    if before.until_at is not None:
        if before.probe != action:
            return before
        pause = min(before.pause_ms * 2, LONGEST_MS)
        return msgspec.structs.replace(before, until_at=now + pause, pause_ms=pause, probe=None, probe_until=0)
    seen = (
        before.contracts if contract in before.contracts or len(before.contracts) > 1 else (*before.contracts, contract)
    )
    after = msgspec.structs.replace(before, failures=before.failures + 1, contracts=seen)
    if after.failures < THRESHOLD or (after.scope == "target" and len(seen) < 2):
        return after
    return msgspec.structs.replace(after, until_at=now + PAUSE_MS, pause_ms=PAUSE_MS)


def probing(before: Breaker, action: ActionId, now: int, lease_ms: int) -> Breaker | None:
    """`before` with `action` as its probe (itself where it is that already), or None where it may not be let through."""
    if before.until_at is None or (before.probe == action and now < before.probe_until):
        return before
    if now < before.until_at or now < before.probe_until:
        return None
    return msgspec.structs.replace(before, probe=action, probe_until=now + lease_ms)
