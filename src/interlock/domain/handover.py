"""The text by which a task is handed on: the chain of tokens, and what each of its tasks is about.

What a task is about may be personal, so it stands in no token but beside the chain: a token carries its digest, over a salt, and
so its words are those of whoever signed it. Once a task is open its words are in its record and are left out.
"""

from hashlib import sha256
from typing import Final

import msgspec

from interlock.domain.canonical import encode
from interlock.domain.chain import Chain, unverified
from interlock.domain.errors import ContractError
from interlock.domain.ids import AgentName, ContractName, TaskId
from interlock.domain.jwk import b64, unb64
from interlock.domain.possession import Call
from interlock.domain.presented import MAX_BYTES, called
from interlock.domain.record import plain
from interlock.domain.selector import Selector
from interlock.domain.token import TokenError

OPEN: Final = "interlock.open"
"""What stands for a tool in the proofs of those who ask for a task that was handed on to be opened."""
_BEGINS: Final = "interlock-task:"
_ASK: Final = "ask whoever hands on the task for its text, whole: `task.delegate(...)` gives it"


class Work(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a task that is handed on is about, and until when."""

    purpose: str
    to: str
    """The credential of whoever it is handed to, by which the control plane had recognised it: nobody else's name is lent."""
    ends_at: int
    """UTC ms."""
    salt: str
    """128 bits of chance: nobody who sees the token guesses what it is about."""
    plan: str = ""
    prohibited: tuple[ContractName, ...] = ()
    data: Selector | None = None
    """The records it may touch; None: those of the task around it."""

    @property
    def digest(self) -> str:
        """What the task's token says of it: SHA-256 over its canonical form, base64url. Raises CanonicalError."""
        return b64(sha256(encode(plain(self), max_bytes=MAX_BYTES)).digest())


class Handover(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """All of it."""

    chain: tuple[str, ...]
    works: tuple[Work | None, ...]
    """Of each token's task; None of one that is open."""

    def __post_init__(self) -> None:
        if len(self.chain) != len(self.works):
            raise ValueError("not as many tasks as tokens")

    @property
    def text(self) -> str:
        """One line to hand over. It is no secret: nobody but the holder of the last token's key can use it."""
        return _BEGINS + b64(msgspec.json.encode(self))


def read_handover(text: str) -> tuple[Handover, Chain]:
    """What a text says, and the chain in it as its holder sees it. Raises ContractError."""
    if len(text) > 2 * MAX_BYTES:
        raise ContractError("the text of the task is longer than any that is handed over", next_step=_ASK)
    try:
        if not text.startswith(_BEGINS):
            raise ValueError("it begins otherwise")
        handover = msgspec.json.decode(unb64(text.removeprefix(_BEGINS)), type=Handover)
        return handover, unverified(handover.chain)
    except TokenError as error:
        raise ContractError(f"the text hands on no task: {error.detail}", next_step=_ASK) from None
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise ContractError("the text hands on no task", next_step=_ASK) from None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a control plane: to open what of a chain is not open, for whoever holds one of its tokens."""

    task: TaskId
    """The last token's."""
    agent: AgentName
    """Who asks: the agent of the last token, or of one before it."""
    chain: tuple[str, ...]
    works: tuple[Work | None, ...]

    def call(self, audience: str) -> Call:
        """What the proof of whoever asks is about. Raises CanonicalError."""
        words = ".".join("" if each is None else each.digest for each in self.works)
        chain = b64(sha256("\n".join(self.chain).encode()).digest())
        return called(self.task, OPEN, {"chain": chain, "works": words}, None, audience=audience)
