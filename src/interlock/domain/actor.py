"""Who is asking, as the web recognised them: a person with what they may do in this request."""

from typing import Literal

import msgspec

from interlock.domain.access import Permission
from interlock.domain.ids import Person

By = Literal["session", "key", "link"]
"""How they were recognised: a signed-in browser, an API key, or a one-time link that is being used right now."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A person of people.yaml in one request. Nobody is told who they are by a request's body."""

    person: Person
    roles: frozenset[str]
    permissions: frozenset[Permission]
    """What the roles open; of an API key, what both its person's roles and its scopes open."""
    by: By
    session: str = ""
    """The session's public name, or the key's id. Never what proves it."""
    csrf: str = ""
    """What a form of this session must carry in its field `csrf`. Empty of a key, which no browser sends by itself."""
    glass_until: int = 0
    """Until when, UTC ms, the person has more permissions for having broken the glass; 0 if they have not."""

    def may(self, permission: Permission) -> bool:
        """Whether the door with this name opens for them."""
        return permission in self.permissions
