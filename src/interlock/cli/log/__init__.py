"""`interlock log`: the evidence log as others are shown it, and what proves that something is in it."""

import typer

from interlock.cli.log import anchors, proofs, showing


def register(app: typer.Typer) -> None:
    """Add the commands."""
    log = typer.Typer(name="log", help="Show the log to others, and prove what is in it.", no_args_is_help=True)
    for module in (showing, proofs, anchors):
        module.register(log)
    app.add_typer(log)
