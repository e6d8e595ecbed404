"""Who acts, where and for whom: all of an action that a brake can name."""

import msgspec

from interlock.domain.ids import AgentName, ContractName, Digest, TaskId


class Acting(msgspec.Struct, frozen=True, kw_only=True):
    """What a brake's scope is held against."""

    agent: AgentName
    release: Digest
    contract: ContractName
    tags: frozenset[str] = frozenset()
    """The cohorts of the agent, by its file in force."""
    instance: str = ""
    """The thumbprint of the running process's key; empty where none is known."""
    tasks: tuple[TaskId, ...] = ()
    """The action's task and those it was opened within: a brake on a task holds its sub-tasks."""
    initiator: str = ""
    """On whose behalf: `user:ana`."""
    target: str = ""
    """What the contract calls: a host, a module."""
