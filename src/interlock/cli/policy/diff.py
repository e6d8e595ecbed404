"""What would change if other policies were in force."""

import typer


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    del policy
