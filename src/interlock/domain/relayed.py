"""A use of a model that is asked through Interlock: what is said of the question, and of the answer.

Then how many tokens it took is no longer the agent's word: before, it is bounded by the size of what is sent; after, its
provider says it, or all that was reserved counts. Nothing of the words of either stands here, only their digests, and these
go behind commitments: who can guess a short question could guess it from its digest.
"""

from typing import Final, Literal

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError
from interlock.domain.ids import Digest

LONGEST_WORD: Final = 200
"""Characters of what a provider calls itself, its model or the end of an answer."""
MOST_ENDS: Final = 16

Counted = Literal["provider", "nothing", "reserved"]
"""By what it was settled: its provider's word; nothing was asked of the model, or it refused; or all that was reserved, since
nobody said anything that can be believed."""


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By which way a model was asked."""

    asked: str
    """The name by which the agent asked for it."""
    provider: str
    """Who was asked, as the workspace names it."""
    sent: str
    """What the model is called there."""
    attempt: int = 1
    """Which of the attempts for one request: one after the other, until one was answered."""
    request: str
    """What these have in common, an id."""


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked, without its words."""

    digest: Digest
    """SHA-256 over the request's JSON, keys in order, without spaces and without `stream` and `stream_options`."""
    size: int
    """Of what came from the agent, in bytes."""
    masked: dict[str, int] = {}
    """What was masked in it, by kind: how often."""


class Relayed(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a use before the model is asked."""

    route: Route
    question: Question

    def __post_init__(self) -> None:
        words = (self.route.asked, self.route.provider, self.route.sent, self.route.request)
        if not all(each.isprintable() and len(each) <= LONGEST_WORD for each in words) or self.route.attempt < 1:
            raise ContractError("a model is asked by names that can be printed", path="/relayed")


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was answered, without its words."""

    counted: Counted
    why: str = ""
    """Of `nothing` and `reserved`: why, by a word of ours."""
    status: int = 0
    """Of HTTP; 0: no answer began."""
    model: str = ""
    """What the answer says which model it is of."""
    fingerprint: str = ""
    """`system_fingerprint`, the provider's name for how that model is set up."""
    id: str = ""
    """The provider's name for the answer."""
    finish: tuple[str, ...] = ()
    """Why it ended, by each choice."""
    reasoning: int = 0
    """How many of the output tokens the provider says were spent on reasoning."""
    digest: str = ""
    """SHA-256 over the bytes of the answer that the agent was given; empty where it was given none."""
    size: int = 0
    """How many these are."""
    first_ms: int = 0
    """After how long the answer began."""
    took_ms: int = 0
    """After how long it had ended."""

    @property
    def told(self) -> dict[str, JsonValue]:
        """What is the provider's word."""
        said: dict[str, JsonValue] = {
            "model": self.model,
            "systemFingerprint": self.fingerprint,
            "id": self.id,
            "finish": list(self.finish),
            "reasoningTokens": self.reasoning,
        }
        return {name: value for name, value in said.items() if value}

    @property
    def seen(self) -> dict[str, JsonValue]:
        """What the relay saw itself, to stand behind a commitment."""
        said: dict[str, JsonValue] = {"bytes": self.size, "firstMs": self.first_ms, "tookMs": self.took_ms}
        return {**said, "digest": self.digest} if self.digest else said

    @property
    def kept(self) -> "Reply":
        """It, as it is stored beside the use: without a digest of anybody's words."""
        return msgspec.structs.replace(self, digest="")


def words_of(value: object) -> str:
    """What a provider says of itself, as it is kept: what can be printed of it, and not too much."""
    if not isinstance(value, str):
        return ""
    return "".join(each if each.isprintable() else "?" for each in value[:LONGEST_WORD])
