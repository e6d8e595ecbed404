"""Why an action was decided as it was, and how another would be."""

import typer


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    del policy
