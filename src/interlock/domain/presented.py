"""What a call brings to show who makes it, and why it may not count.

A call brings its credential, the chain of task tokens where it was lent the task, and a proof of possession: a text signed
with the instance's key over exactly this call. The proof names its task, tool and arguments, so a stolen one is good for
nothing else; it counts for seconds, and once.
"""

from hashlib import sha256
from typing import Final, Literal, NamedTuple

import msgspec

from interlock.domain.canonical import CanonicalError, JsonValue, encode, is_utf8
from interlock.domain.credential import SKEW_MS
from interlock.domain.ids import Digest
from interlock.domain.jwk import b64
from interlock.domain.possession import Call

MAX_BYTES: Final = 64 * 1024
"""Of everything a call brings, before any of it is parsed."""
MAX_NAME: Final = 256
"""A longer name of a tool stands in a proof as its digest."""
KEPT_MS: Final = 4 * SKEW_MS
"""How long after it was made a proof is remembered. It counts for one skew; two processes may differ by two."""

Code = Literal[
    "presented_missing",
    "presented_size",
    "credential_form",
    "credential_foreign",
    "credential_signature",
    "credential_tenant",
    "credential_agent",
    "credential_early",
    "credential_expired",
    "credential_release",
    "agent_unknown",
    "token_missing",
    "token_malformed",
    "token_untrusted",
    "token_signature",
    "token_broken_link",
    "token_depth",
    "token_widened",
    "token_expired",
    "token_not_yet",
    "token_holder",
    "token_agent",
    "token_task",
    "task_instance",
    "proof_form",
    "proof_signature",
    "proof_time",
    "proof_other",
    "proof_replayed",
]


class Refusal(NamedTuple):
    """Why a call is not admitted: in words that quote nothing of what was presented, and what to do."""

    words: str
    next: str


_AGAIN: Final = "obtain a credential from this control plane: `interlock.open` does that by itself"
_CLOCK: Final = "set the clock of the machine; it may be off by 30 seconds"

_ACCEPT: Final = "act in what `client.accept(...)` gives for the text of the task"
_LEND: Final = "have the task handed on as the SDK does: `task.delegate(...)`"

REFUSALS: Final[dict[Code, Refusal]] = {
    "presented_missing": Refusal("the call does not say who makes it", _AGAIN),
    "presented_size": Refusal("what the call presents is longer than 64 KiB", "present one credential and one proof"),
    "credential_form": Refusal("the credential is not one of Interlock's, in its one form", _AGAIN),
    "credential_foreign": Refusal("the credential was not issued by this control plane", _AGAIN),
    "credential_signature": Refusal("the credential is not signed by the key it names", _AGAIN),
    "credential_tenant": Refusal("the credential is of another tenant", _AGAIN),
    "credential_agent": Refusal("the credential is of another agent than the task's", "call as the agent of the task"),
    "credential_early": Refusal("the credential does not count yet", _CLOCK),
    "credential_expired": Refusal("the credential has expired", "renew it before it expires, or enrol again"),
    "credential_release": Refusal(
        "the credential is of another release of the agent than the one in force", "renew the credential"
    ),
    "agent_unknown": Refusal("the agent is not in force any more", "bring it into force: `interlock apply`"),
    "token_missing": Refusal("the task was handed on, and the call does not show by which tokens", _ACCEPT),
    "token_malformed": Refusal("a task token is not one of Interlock's, in its one form", _ACCEPT),
    "token_untrusted": Refusal("the first task token was not given by this control plane", _LEND),
    "token_signature": Refusal("a task token is not signed by the key it should be", _LEND),
    "token_broken_link": Refusal("a task token does not follow from the one before it, or one is missing", _LEND),
    "token_depth": Refusal("the task was handed on more often than it may be", _LEND),
    "token_widened": Refusal("a task token grants more than the one before it", _LEND),
    "token_expired": Refusal("the time of a task token is over", "have the task handed on anew"),
    "token_not_yet": Refusal("a task token does not count yet", _CLOCK),
    "token_holder": Refusal("the task was handed on to another instance", "call from the process it was handed on to"),
    "token_agent": Refusal("the task was handed on to another agent", "call as the agent it was handed on to"),
    "token_task": Refusal("the task tokens are of another task", "call with the tokens that opened the task"),
    "task_instance": Refusal(
        "the task was opened by another instance, which alone acts in it", "take it over: `client.resume(task_id)`"
    ),
    "proof_form": Refusal("the proof of possession is not in its one form", "make the proof as the SDK does"),
    "proof_signature": Refusal(
        "the proof is not signed with the instance's key", "a credential counts only with the key it was given for"
    ),
    "proof_time": Refusal("the proof was not made just now", _CLOCK),
    "proof_other": Refusal(
        "the proof is of another call: control plane, task, tool, arguments or key differ", "make a proof for each call"
    ),
    "proof_replayed": Refusal(
        "the proof was used before", "make a new proof for each call; if you did, somebody listens"
    ),
}


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """The texts, as they came."""

    credential: str
    proof: str
    chain: tuple[str, ...] = ()
    """Task tokens, the root first. None: a call of the task's own agent."""
    outside: bool = False
    """Whether the call came from outside this process. Whoever takes it in says so, never whoever makes it."""

    def too_long(self) -> bool:
        """Whether there is more of it than anybody has to read."""
        return len(self.credential) + len(self.proof) + sum(map(len, self.chain)) > MAX_BYTES


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a call, as it was proven."""

    instance: str
    credential: str
    """The `jti` of its credential."""
    attested: str
    proof: Digest
    """SHA-256 of what the proof's signature is over."""
    token: str = ""
    """The `jti` of the last task token, where the task was handed on."""


SPENT: Final = "spent"
"""The kind of Conflict that says so."""


class Spent(msgspec.Struct, frozen=True):
    """What counts once: no change that spends it again holds, until it could not count any more."""

    digest: Digest
    until: int


def called(
    task: str, tool: str, arguments: dict[str, JsonValue] | None, key: object, *, audience: str, token: str = ""
) -> Call:
    """The call that a proof is about. A key that is no text of ours is none, as the gate takes no such key.

    `arguments` without a canonical form, which no contract takes, are None: one call, whatever they are.
    """
    # Whatever a model calls a tool is short and plain here: a claim can say no more.
    plain = len(tool) <= MAX_NAME and tool.isascii() and tool.isprintable()
    named = tool if plain else b64(sha256(tool.encode(errors="surrogatepass")).digest())
    said = key if isinstance(key, str) and is_utf8(key) else ""
    return Call(tool=named, audience=audience, arguments=arguments, idempotency_key=said, task=task, token=token)


def writable(arguments: dict[str, JsonValue]) -> bool:
    """Whether they have a canonical form."""
    try:
        encode(arguments)
    except CanonicalError:
        return False
    return True
