"""Bring policies into force, with as many people as that takes."""

import typer


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    del policy
