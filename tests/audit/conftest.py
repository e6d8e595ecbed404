"""A workspace in force, for what is asked of it from the command line."""

from tests.cli.conftest import shell

__all__ = ["shell"]
