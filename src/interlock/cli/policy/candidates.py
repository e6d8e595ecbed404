"""Policies in shadow: what they would have done, and what becomes of them."""

import typer


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    del policy
