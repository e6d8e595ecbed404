"""What was revoked, and whether a chain or a caller has any of it in it.

A revocation holds at the next decision and the next dispatch, and takes everything below it along: the marks of a chain are
those of all its tokens, so that an ancestor revoked refuses the chain. It is final. What was revoked is granted anew or not
at all; only the memory of it ends, when what it is about could not be valid any more in any case.
"""

from collections.abc import Collection, Iterable
from hashlib import sha256
from typing import Final, Literal, get_args

import msgspec

from interlock.domain.chain import Chain
from interlock.domain.errors import ContractError
from interlock.domain.ids import BrakeId, is_id
from interlock.domain.initiator import whole
from interlock.domain.jwk import is_thumbprint
from interlock.domain.presented import Caller
from interlock.domain.task import Task
from interlock.domain.through import CLIENT, KEY, is_client, is_key_id
from interlock.domain.token import Token

Kind = Literal["token", "holder", "instance", "agent", "release", "task", "root", "user", "credential", "key", "client"]
"""By `jti` of a token or credential, by thumbprint of a holder's or instance's key, by name, digest or id; `root` is the
outermost task, with its whole tree; `user` is the initiator. `key` is an agent key by id, `client` a program by the issuer of its
access tokens and its name there."""
KINDS: Final = get_args(Kind)

Named = Literal["token", "instance", "agent", "release", "task", "user", "key", "client"]
"""What people revoke. A task is revoked with its whole tree."""

Mark = tuple[Kind, str]


AGAIN: Final[frozenset[Kind]] = frozenset({"agent", "release", "user", "client"})
"""What is granted to over and over; anything else is named once and never again."""

REVOKED: Final = "revoked: "
"""How the reason begins of what a revocation refuses or voids."""

_WORDS: Final[dict[Kind, str]] = {
    "token": "the task token",
    "holder": "the key that holds a task token",
    "instance": "the instance",
    "agent": "the agent",
    "release": "the release",
    "task": "the task",
    "root": "the whole tree of tasks",
    "user": "the rights of the initiator",
    "credential": "the credential",
    "key": "the agent key",
    "client": "the program",
}


class Revocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that no longer counts."""

    kind: Kind
    name: str
    """Of a user, where there is a `salt`, the digest of that and the initiator: nobody's name stands in the standing orders."""
    since_at: int
    until_at: int | None = None
    """Until when it must be remembered; None: until a person says otherwise."""
    epoch: int = 0
    """The revision of the standing orders that it made. Of an agent, a release and a user it takes what was granted before; what
    is granted after it is granted anew. 0: all of it."""
    salt: str = ""
    words: BrakeId = BrakeId("")
    """Where it is said why, and by whom."""

    @property
    def mark(self) -> Mark:
        """What it is compared by."""
        return (self.kind, self.name)

    def takes(self, found: Collection[Mark], epoch: int = 0) -> bool:
        """Whether it is about one of the marks `found` of what was granted under the standing orders of revision `epoch`."""
        if self.kind in AGAIN and self.epoch and epoch >= self.epoch:
            return False
        if not self.salt:
            return self.mark in found
        return any(kind == self.kind and self.name == pseudonym(self.salt, name) for kind, name in found)


def pseudonym(salt: str, initiator: str) -> str:
    """What stands for an initiator, however it is written, where no name may: SHA-256 over both, in hexadecimal."""
    return sha256(f"{salt}\n{whole(initiator)}".encode()).hexdigest()


def token_marks(token: Token) -> tuple[Mark, ...]:
    """By what one token may be revoked."""
    holder = token.holder
    return (
        ("token", token.jti),
        ("holder", holder),
        ("instance", holder),
        ("agent", token.agent),
        ("release", token.release),
        ("task", token.task),
        ("root", token.root),
        ("user", token.sub),
    )


def marks(chain: Chain) -> frozenset[Mark]:
    """By what a chain may be revoked: by anything of any of its tokens. The same for a text for ever, so it may be kept."""
    return frozenset(mark for token in chain.tokens for mark in token_marks(token) if mark[1])


def task_marks(task: Task) -> frozenset[Mark]:
    """By what a task may be revoked, beside the tasks around it: its own id, whose it is and for whom, the instance that opened
    it or took it over, and if it was handed on the tokens by which, and the keys that held them."""
    found: set[Mark] = {
        ("task", task.id),
        ("agent", task.agent),
        ("release", task.release),
        ("user", task.initiator),
        ("instance", task.instance),
    }
    found.update(through_marks(task.through))
    if task.delegated is not None:
        found.update(("token", each) for each in task.delegated.tokens)
        found.update(("instance", each) for each in task.delegated.holders)
    return frozenset(mark for mark in found if mark[1])


def through_marks(through: str) -> tuple[Mark, ...]:
    """By what the way may be revoked that somebody came whom a gateway acts for."""
    if through.startswith(KEY):
        return (("key", through.removeprefix(KEY)),)
    return (("client", through.removeprefix(CLIENT)),) if through.startswith(CLIENT) else ()


def caller_marks(caller: Caller) -> frozenset[Mark]:
    """By what whoever made a call may be revoked."""
    found: tuple[Mark, ...] = (
        ("instance", caller.instance),
        ("credential", caller.credential),
        ("token", caller.token),
    )
    return frozenset(mark for mark in found if mark[1])


def must_be_named(kind: str, name: str) -> None:
    """Raises ContractError where `name` cannot be that of a `token`, an `instance`, a `key` or a `client`.

    They may be named before they are heard of, so nothing else tells a misspelt one; and what is named stands in the log in the
    open, where nobody's words may.
    """
    if kind == "instance" and not is_thumbprint(name):
        raise ContractError(
            "an instance is named by the thumbprint of its key: 43 letters, digits, `-` and `_`",
            path="/name",
            next_step="copy it from `interlock show ACTION`, or from `interlock identity instances`",
        )
    if kind == "key" and not is_key_id(name):
        raise ContractError(
            "an agent key is named by what stands before its dot: 32 hexadecimal digits",
            path="/name",
            next_step="copy it from `interlock agent key list`",
        )
    if kind == "client" and not is_client(name):
        raise ContractError(
            "a program is named by the issuer of its tokens, `#`, and its name there: https://id.example.org#nightly",
            path="/name",
            next_step="copy it from what a task of it says that it came through: `interlock show TASK`",
        )
    if kind == "token" and not is_id(name):
        raise ContractError(
            "a token is named by its `jti`, in the form 01a1fdd7-46cc-77d9-b5e3-12fa2b3ecb09",
            path="/name",
            next_step="copy it from `interlock show TASK`, or from the entry that opened the task",
        )


def revoked(revocations: Iterable[Revocation], found: frozenset[Mark], epoch: int = 0) -> Revocation | None:
    """The first of `revocations` that takes what has the marks `found` and was granted at `epoch`, or None.

    A revocation whose memory has ended still counts while it is there: it is forgotten by `remembered` alone.
    """
    for each in revocations:
        if each.takes(found, epoch):
            return each
    return None


def refusal(revocation: Revocation, chain: Chain | None = None) -> str:
    """Why what `revocation` is about refuses, as a sentence; with the chain, where in it that stands."""
    what = _WORDS[revocation.kind]
    if chain is not None and revocation.mark not in token_marks(chain.leaf):
        return f"{what} was revoked from which this one was handed on"
    return f"{what} was revoked"


def remembered(revocations: Iterable[Revocation], now: int) -> tuple[Revocation, ...]:
    """Those that must still be remembered at `now`."""
    return tuple(each for each in revocations if each.until_at is None or now < each.until_at)


def with_one_more(revocations: Iterable[Revocation], new: Revocation, now: int) -> tuple[Revocation, ...]:
    """`revocations` with `new`, without those that need not be remembered, each mark once and as long as either asks."""
    kept: list[Revocation] = []
    for each in remembered(revocations, now):
        if each.mark != new.mark:
            kept.append(each)
        elif each.until_at is None or (new.until_at is not None and each.until_at > new.until_at):
            new = msgspec.structs.replace(new, until_at=each.until_at, since_at=each.since_at)
        else:
            new = msgspec.structs.replace(new, since_at=each.since_at)
    return (*kept, new)
