"""Who bears a token: an agent, on whose behalf it works, within which bounds, and by what it was let in.

Programs that speak the protocols of others cannot prove with each call that they hold a key of ours; they bear a token. A gateway
in between acts for them as an instance of its own, and the task in which it does says by what they came through.
"""

import re
from hashlib import sha256
from typing import Final, Literal, get_args

import msgspec

from interlock.domain.canonical import MAX_INTEGER, encode
from interlock.domain.errors import ContractError
from interlock.domain.grant import Grant
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.initiator import whole
from interlock.domain.names import listed
from interlock.domain.record import plain
from interlock.domain.revocation import Mark, through_marks
from interlock.domain.selector import Selector
from interlock.domain.task import Opening

Surface = Literal["mcp", "models"]
"""What may be spoken to: `mcp`, tools and what goes with them; `models`, model calls."""
SURFACES: Final[tuple[Surface, ...]] = get_args(Surface)

MOST_PURPOSE: Final = 400
MOST_INITIATOR: Final = 200
_INITIATOR: Final = re.compile(r"[a-z][a-z0-9_.-]{0,40}:\S(.*\S)?")


class Bounds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What each task is given that is opened for whoever bears a token. What is not said is as wide as the agent's file."""

    tools: Grant | None = None
    data: Selector | None = None
    budgets: dict[str, int] = {}
    """By unit, of each task."""
    prohibited: tuple[ContractName, ...] = ()
    lasts_ms: int | None = None
    """How long each task lasts at most."""


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever bore a token that counts. Nothing in it opens anything: the token itself is not here."""

    agent: AgentName
    initiator: str
    purpose: str
    surfaces: tuple[Surface, ...]
    """What it may speak to."""
    bounds: Bounds = Bounds()
    expires_at: int
    """Until when the token counts, UTC ms."""
    through: str
    """By what it came: `agent_key:<id>`, or `oauth:<issuer>#<client>`. Recorded with its task."""
    epoch: int
    """The revision of the standing orders under which it was let in: what is revoked after that takes its tasks."""
    key_thumbprint: str | None = None
    """Of the key whose possession was proven with the token (DPoP); None: the token alone was borne."""
    ends_with_token: bool = False
    """Whether its tasks end no later than the token."""

    def opening(self, now: int, *, plan: str = "", run: str = "") -> Opening:
        """What a task for it is opened with."""
        lasts = self.bounds.lasts_ms
        if self.ends_with_token:
            left = max(self.expires_at - now, 1)
            lasts = left if lasts is None else min(lasts, left)
        return Opening(
            agent=self.agent,
            purpose=self.purpose,
            initiator=self.initiator,
            lasts_ms=lasts,
            budgets=dict(self.bounds.budgets),
            prohibited=self.bounds.prohibited,
            tools=self.bounds.tools,
            data=self.bounds.data,
            plan=plan,
            run=run,
            through=self.through,
            epoch=self.epoch,
        )

    @property
    def marks(self) -> frozenset[Mark]:
        """By what it may be revoked."""
        return frozenset({("agent", self.agent), ("user", self.initiator), *through_marks(self.through)})

    @property
    def same(self) -> str:
        """Alike for all that may share one task: the digest of who it is, for whom, through what and within what. A token that
        was renewed is the same bearer's."""
        said = [self.agent, whole(self.initiator), self.purpose, self.through, self.key_thumbprint or ""]
        return sha256(encode([*said, plain(self.bounds)])).hexdigest()


def surfaces_of(words: tuple[str, ...]) -> tuple[Surface, ...]:
    """These words as surfaces, in their order and once. Raises ContractError for none, or for one that is none."""
    unknown = [each for each in words if each not in SURFACES]
    if unknown or not words:
        raise ContractError(
            f"`{unknown[0][:40]}` is nothing that is spoken to with a token"
            if unknown
            else "a token for nothing would open nothing",
            path="/for",
            next_step=f"name some of {listed(SURFACES)}",
        )
    return tuple(each for each in SURFACES if each in words)


def initiator_of(text: str, agent: AgentName) -> str:
    """On whose behalf, as it is kept: empty is the agent's own system. Raises ContractError for what names nobody."""
    if not text.strip():
        return f"system:{agent}"
    said = text.strip() if ":" in text else f"user:{text.strip()}"
    if len(said) > MOST_INITIATOR or not said.isprintable() or not _INITIATOR.fullmatch(said):
        raise ContractError(
            "on whose behalf is said as `user:ana`, `customer:c-17` or `system:nightly`",
            path="/on_behalf_of",
            next_step=f"a kind, a colon and a name, together at most {MOST_INITIATOR} characters",
        )
    return said


def purpose_of(text: str) -> str:
    """What it is for, as it is kept. Raises ContractError for what says nothing, or cannot be shown."""
    said = text.strip()
    if not said or len(said) > MOST_PURPOSE or not said.isprintable():
        raise ContractError(f"a purpose says in 1 to {MOST_PURPOSE} characters what the work is for", path="/purpose")
    return said


def must_bound(bounds: Bounds) -> None:
    """Raises ContractError for budgets or a span that nothing can be bounded by."""
    for unit, amount in bounds.budgets.items():
        if not unit or len(unit) > 40 or not unit.isascii() or not unit.isprintable() or not 0 <= amount <= MAX_INTEGER:
            raise ContractError(
                "a budget is a unit (`calls`, or a currency) and a whole number of it", path="/bounds/budgets"
            )
    if bounds.lasts_ms is not None and not 0 < bounds.lasts_ms <= MAX_INTEGER:
        raise ContractError("a task lasts longer than nothing", path="/bounds/lasts_ms")
