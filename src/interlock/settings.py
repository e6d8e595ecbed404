"""What this process is told from outside: the environment, read once and passed on as a value."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from interlock.domain.ids import Person


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The environment's part of the configuration. Everything else is a file of the workspace."""

    workspace: Path = Path()
    """`INTERLOCK_WORKSPACE`: the workspace folder; the current folder where it is not set."""
    person: Person | None = None
    """`INTERLOCK_PERSON`: who is at the keyboard, for `approve`, `reject`, `modify`, `settle`, `undo`, `stop`."""


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Settings from `os.environ` or anything shaped like it. Empty counts as not set."""
    person = environment.get("INTERLOCK_PERSON", "").strip()
    return Settings(
        workspace=Path(environment.get("INTERLOCK_WORKSPACE") or "."),
        person=Person(person) if person else None,
    )
