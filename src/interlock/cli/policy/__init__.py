"""`interlock policy`: policies as their owners work with them."""

import typer

from interlock.cli.policy import candidates, diff, explain, files, new, prove, publish, testing


def register(app: typer.Typer) -> None:
    """Add the commands."""
    policy = typer.Typer(
        name="policy", help="Write, test, explain, compare and publish policies.", no_args_is_help=True
    )
    for module in (new, files, testing, explain, diff, prove, candidates, publish):
        module.register(policy)
    app.add_typer(policy)
