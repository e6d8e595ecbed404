"""The environment variables Interlock reads, drawn from `settings.Settings`."""

import re

from interlock.settings import Settings
from scripts.fields import sentences
from scripts.markdown import table


def settings() -> str:
    """Every variable, and what it says. Raises ValueError for a setting whose sentence does not begin with its variable."""
    said = sentences(Settings)
    rows: list[list[str]] = []
    for field in Settings.__struct_fields__:
        found = re.fullmatch(r"(`INTERLOCK_[A-Z_]+`): (.+)", said.get(field, ""))
        if found is None:
            raise ValueError(f"the setting `{field}` does not say which variable it is")
        rows.append([found[1], found[2]])
    return table(["variable", "what it says"], rows)
