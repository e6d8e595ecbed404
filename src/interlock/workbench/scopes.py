"""What a person names when they stop something."""

from typing import Final, cast

from interlock.domain.control import StopScope
from interlock.domain.errors import ContractError
from interlock.domain.revocation import Named
from interlock.services.plane import ControlPlane
from interlock.workbench.finding import find_release, find_task

SCOPES: Final = (
    "`all`, `agent:NAME`, `release:LABEL`, `contract:NAME`, `tag:WORD`, `instance:THUMBPRINT`, `task:ID`, `user:NAME`, "
    "`target:HOST` or `tenant:NAME`"
)

REVOCABLE: Final = (
    "`token:ID`, `instance:THUMBPRINT`, `agent:NAME`, `release:LABEL`, `task:ID`, `user:NAME`, `key:ID` (of an agent) or "
    "`client:ISSUER#NAME`"
)


async def revocable(plane: ControlPlane, what: str) -> tuple[Named, str]:
    """What `what` names that can be revoked, in the words of `revoke`. Raises ContractError for what names no such thing,
    NotFound for a release or a task that is not there."""
    kind, _, name = what.partition(":")
    if kind in ("token", "key", "client") and name:
        return cast(Named, kind), name
    if kind not in ("instance", "agent", "release", "task", "user") or not name:
        raise ContractError(f"`{what}` does not say what is meant", next_step=f"write {REVOCABLE}")
    scope, found = await scope_of(plane, what)
    return cast(Named, scope), found


async def scope_of(plane: ControlPlane, what: str) -> tuple[StopScope, str]:
    """The scope that `what` names, in the words of `stop` and `resume`.

    A user is whom work is done for: `user:ana`, or `user:customer:c-17` for one who is no `user:`. Raises ContractError for
    what names no scope, NotFound for a release or a task that is not there.
    """
    scope, _, name = what.partition(":")
    match scope:
        case "all" if not name:
            return "all", ""
        case "agent" | "contract" | "tag" | "instance" | "tenant" | "target" if name:
            return scope, name
        case "user" if name:
            return "user", name if ":" in name else what
        case "release" if name:
            return "release", (await find_release(plane, name)).digest
        case "task" if name:
            return "task", (await find_task(plane, name)).id
        case _:
            raise ContractError(f"`{what}` does not say what is meant", next_step=f"write {SCOPES}")
