"""`publishing` in `interlock.yaml`: how many people it takes to change what is in force, and which.

publishing: {persons: 2, roles: [policy_author], owners: true}
"""

from typing import Final, Literal

from interlock.adapters.workspace.fields import Section
from interlock.domain.publishing import MOST_PERSONS, Publishing

_YES_NO: Final[tuple[Literal["true", "false"], ...]] = ("true", "false")


def read_publishing(section: Section | None) -> Publishing:
    """The rule; one person where nothing is said."""
    if section is None:
        return Publishing()
    persons = section.integer("persons", 1, least=1)
    if persons > MOST_PERSONS:
        section.wrong(f"`persons` is at most {MOST_PERSONS}", section.take("persons"))
    rule = Publishing(
        persons=persons, roles=section.texts("roles"), owners=section.choice("owners", _YES_NO, "false") == "true"
    )
    section.close()
    return rule
