"""How a task came to whoever acts in it by being handed on: by which tokens, to whose key, and what shows it with a call.

A task that was handed on is opened by the chain of tokens that names it, and admits calls from the holder of that chain alone,
who presents it. So do the tasks that are opened inside it: they are no way around what was granted.
"""

from typing import Literal

import msgspec

from interlock.domain.chain import Chain
from interlock.domain.ids import TaskId
from interlock.domain.token import TokenError


class Delegation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By what a task was handed on. Nothing in it is private."""

    task: TaskId
    """The task that was: this one, or the nearest around it."""
    holder: str
    """The thumbprint of the key to whose holder."""
    tokens: tuple[str, ...]
    """The `jti` of each token of the chain that opened it, the root first."""
    holders: tuple[str, ...]
    """The thumbprints of the keys that held them, the last the holder's."""
    further: int = 0
    """How often it may still be handed on."""
    depth: int = 1
    """How often it was."""


Unfit = Literal["token_missing", "token_task", "token_holder"]


def unfit(task: TaskId, delegated: Delegation | None, chain: Chain | None, instance: str) -> Unfit | None:
    """Why a call in `task` is not shown to be its holder's by `chain`, which `instance` presents and holds, or None.

    A task that was not handed on is its record's alone and needs no chain; one that is presented all the same must be its own.
    """
    if chain is None:
        return None if delegated is None else "token_missing"
    if delegated is None:
        # One that its holders made names whatever task they like.
        return None if chain.leaf.task == task and len(chain.tokens) == 1 else "token_task"
    if chain.leaf.task != delegated.task:
        return "token_task"
    if delegated.holder != instance:
        return "token_holder"
    # A longer one must be the very one by which it was opened; one of a single token the control plane gave for this task.
    return None if len(chain.tokens) == 1 or ids_of(chain) == delegated.tokens else "token_task"


def delegated_by(chain: Chain, above: Delegation | None) -> Delegation:
    """What is kept of `chain`, by which a task is opened inside one that itself came by `above`."""
    leaf = chain.leaf
    return Delegation(
        task=TaskId(leaf.task),
        holder=chain.holders[-1],
        tokens=ids_of(chain),
        holders=chain.holders,
        further=leaf.del_max_depth - leaf.del_depth,
        depth=1 + (above.depth if above is not None else 0),
    )


def ids_of(chain: Chain) -> tuple[str, ...]:
    """The `jti` of each token, the root first."""
    return tuple(token.jti for token in chain.tokens)


def up_to(chain: Chain, count: int) -> Chain:
    """The first `count` tokens of a verified chain, which are a verified chain. Raises TokenError where there are fewer."""
    if not 0 < count <= len(chain.tokens):
        raise TokenError("token_malformed", "there are fewer tokens")
    if count == len(chain.tokens):
        return chain
    tokens = chain.tokens[:count]
    limits: dict[str, int] = {}
    for token in tokens:
        limits.update(token.budgets)
    return msgspec.structs.replace(
        chain,
        tokens=tokens,
        holders=chain.holders[:count],
        hash=chain.tokens[count].par_hash,
        grant=tokens[-1].grant,
        limits=limits,
    )
