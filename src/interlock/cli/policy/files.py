"""Format and lint policy files."""

import typer


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    del policy
