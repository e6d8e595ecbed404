"""`people.yaml`: who there is, and the roles each holds.

ana: [reviewer, pricing_lead]
ben: support_lead
"""

import re
from typing import Final

from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.nodes import Listing, Scalar
from interlock.domain.ids import Person

_PERSON: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,127}")


def read_people(section: Section) -> dict[Person, tuple[str, ...]]:
    """People and their roles. Everybody holds at least one, or could not do anything."""
    people: dict[Person, tuple[str, ...]] = {}
    spelled: dict[str, str] = {}
    for name, node in section.own():
        if not _PERSON.fullmatch(name):
            section.wrong(f"`{name[:64]}` is no name for a person: letters, digits and any of `_.@+-`", node)
        # Two names of one person would be two persons wherever two must agree.
        if (other := spelled.setdefault(name.casefold(), name)) != name:
            section.wrong(f"`{name[:64]}` and `{other[:64]}` are one name", node)
        roles = section.texts(name) if isinstance(node, Listing) else ()
        if isinstance(node, Scalar):
            roles = (node.text,)
        elif not isinstance(node, Listing):
            section.wrong(f"the roles of `{name[:64]}` must be a list of words", node)
        if isinstance(node, Listing) and not node.items:
            section.wrong(
                f"`{name[:64]}` holds no role, so could not agree to anything: name one, or leave them out", node
            )
        people[Person(name)] = roles
    return people
