"""Who may speak at all: people are those of `people.yaml`, in force."""

from typing import Final

from interlock.domain.control import Control
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.ids import Person
from interlock.domain.names import instead

UNNAMED: Final = "unnamed"
"""What stands in the log for somebody who did not say who they are."""


def roles_of(person: str, control: Control) -> frozenset[str]:
    """The roles `person` holds. Raises NotAllowed for a name that is not among the people, or that holds none."""
    if person not in control.people:
        raise NotAllowed(
            f"`{person}` is not among the people of this workspace",
            next_step=instead(
                person, control.people, "name people and their roles in people.yaml, then `interlock apply`"
            ),
        )
    roles = control.roles(Person(person))
    if not roles:
        raise NotAllowed(
            f"`{person}` holds no role in this workspace",
            next_step=f"give `{person}` a role in people.yaml, then `interlock apply`",
        )
    return roles


def must_be_reasoned(why: str) -> None:
    """Raises ContractError where nothing is said, of what people do to what others began."""
    if not why.strip():
        raise ContractError("this takes a reason", path="/why", next_step="say why; it is kept in the log")


def must_be_known(person: str, control: Control) -> None:
    """The same, for what needs somebody who answers for it. Where the workspace names nobody, any name will do."""
    if control.people:
        roles_of(person, control)
