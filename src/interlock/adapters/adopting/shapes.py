"""Values that somebody else wrote, as tables and lists: what is of another shape is not there."""

from typing import Any, cast

Entry = dict[str, Any]


def table_of(value: object) -> Entry | None:
    """A table by names."""
    if not isinstance(value, dict):
        return None
    return {str(name): each for name, each in cast(dict[object, Any], value).items()}


def list_of(value: object) -> list[Any] | None:
    """A list."""
    return list(cast(list[Any], value)) if isinstance(value, list | tuple) else None
