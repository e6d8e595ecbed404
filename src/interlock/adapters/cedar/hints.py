"""What Cedar's strict validation finds wrong."""

import re
from typing import Final

import cedarpy

from interlock.adapters.cedar.source import Statement


def invalid(statement: Statement, schema: cedarpy.Schema, *, idle: bool) -> list[str]:
    """What Cedar's strict validation finds wrong with one policy. `idle`: it is about groups that no contract is in now,
    which the validator takes for a mistake."""
    result = cedarpy.validate_policies(statement.text, schema)  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped
    if result.validation_passed:
        return []
    found = {_OWN_NAME.sub("", problem.error) for problem in result.errors} or {"it does not pass validation"}
    if idle or len(found) > 1:
        # Beside another problem it only follows from that one.
        found.discard(_NOTHING_TO_APPLY_TO)
    return sorted(found)


_NOTHING_TO_APPLY_TO: Final = "unable to find an applicable action given the policy scope constraints"
_OWN_NAME: Final = re.compile(r"^for policy `policy0`[:,] ")
