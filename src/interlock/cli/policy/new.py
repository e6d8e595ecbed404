"""Begin with policies that others have tested."""

import typer


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    del policy
