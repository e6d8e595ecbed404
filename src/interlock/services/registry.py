"""What is in force: agents, contracts, policies, people. Every change of it is a fact in the log."""

from interlock.services.editions import Definition
from interlock.services.publishing import Applied, Publisher

ALL = 1_000_000


class Registry:
    """Puts definitions in force where one person may."""

    def __init__(self, *, publisher: Publisher) -> None:
        self._publisher = publisher

    async def apply(self, definition: Definition, *, by: str) -> Applied:
        """Validate and store every version by its digest, form the releases, and swap the control record.

        Raises PolicyError, ContractError or WorkspaceError, and NotAllowed where the rule in force takes more people than
        one; everything in force is then as it was.
        """
        return await self._publisher.publish(definition, by=by, alone=True)
