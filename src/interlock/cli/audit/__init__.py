"""The evidence: `packet` and `verify`, and `interlock audit` for who looks at it from outside."""

import typer

from interlock.cli.audit import exports, packets, query, replay


def register(app: typer.Typer) -> None:
    """Add the commands."""
    packets.register(app)
    replay.register(app)
    audit = typer.Typer(
        name="audit", help="Ask the evidence, hand it over, check what was handed over.", no_args_is_help=True
    )
    for module in (query, exports):
        module.register(audit)
    app.add_typer(audit)
