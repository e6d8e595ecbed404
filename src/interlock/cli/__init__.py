"""The command line. Each module holds the commands of one noun; `main` is the program `interlock`."""

from interlock.cli.entry import main

__all__ = ["main"]
