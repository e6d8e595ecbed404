"""What a person may do with the control plane itself: one table from roles to permissions, for API, console and keys alike.

Permissions open doors. Who may say what about one record (roles that are asked, owners, nobody about their own) is decided
where that record is. Roles are words of people.yaml: seven have a meaning here, and any other, `support_lead`, is that of
somebody who reviews. No role, no permission.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

Permission = Literal["see", "decide", "stop", "operate", "release", "write_policy", "administer", "audit"]
"""`see`: read what happens. `decide`: answer what waits for people. `stop`: brakes, in every header. `operate`: settle, undo,
and take brakes off. `release`: put a behaviour forward. `write_policy`: edit, try and publish policy. `administer`: others'
sessions and keys. `audit`: exports, and the reading of what was redacted."""

PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

ROLES: Final[Mapping[str, frozenset[Permission]]] = {
    "viewer": frozenset({"see"}),
    "operator": frozenset({"see", "decide", "stop", "operate"}),
    "reviewer": frozenset({"see", "decide", "stop"}),
    "releaser": frozenset({"see", "stop", "release"}),
    "policy_author": frozenset({"see", "stop", "write_policy"}),
    "admin": frozenset({"see", "stop", "operate", "administer"}),
    "auditor": frozenset({"see", "audit"}),
}
"""The roles that mean something here, and what each opens."""

ADMIN: Final = "admin"

BREAK_GLASS: Final[frozenset[Permission]] = frozenset({"see", "decide", "stop", "operate"})
"""What a person who broke the glass may do besides, for as long as that lasts."""


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """What these roles open together. A role of the workspace's own counts as `reviewer`."""
    own = ROLES["reviewer"]
    found: frozenset[Permission] = frozenset()
    for role in roles:
        found |= ROLES.get(role, own)
    return found


def is_permission(word: str) -> bool:
    """Whether `word` names a permission."""
    return word in PERMISSIONS
