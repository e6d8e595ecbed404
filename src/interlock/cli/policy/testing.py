"""Run the tests of policies."""

import typer


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    del policy
