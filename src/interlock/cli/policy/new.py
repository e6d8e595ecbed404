"""`policy new`: begin with policies that are tested."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.beginning import Begun, begin_matrix, begin_policies
from interlock.cli.context import context_of
from interlock.cli.output import UsageError, shown
from interlock.domain.errors import InterlockError

_SURE = 850


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    policy.command()(new)


def new(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="`pricing`, `refunds`, `replenishment`, `mail` or `database`.", show_default=False)
    ] = "",
    agent: Annotated[str, typer.Option(help="Whom the policies are about.")] = "",
    contract: Annotated[
        list[str] | None, typer.Option(help="`ROLE=NAME`: which contract they are about, such as `issue=refunds.pay`.")
    ] = None,
    from_matrix: Annotated[
        bool, typer.Option("--from-matrix", help="By risk, reversibility and confidence instead: the oversight matrix.")
    ] = False,
    confidence: Annotated[
        int, typer.Option(help="With the matrix: from how many per mille on an agent is sure.", min=1, max=1000)
    ] = _SURE,
) -> None:
    """Write policies to begin with, and their tests. Overwrites nothing."""
    here = context_of(context)
    try:
        if bool(name) == from_matrix:
            raise UsageError(
                "say what to begin with",
                next_step="`interlock policy new refunds`, or pricing, replenishment, mail, database, or `--from-matrix`",
            )
        if from_matrix:
            begun = begin_matrix(here.folder, confidence=confidence, agent=agent)
        else:
            begun = begin_policies(here.folder, name, agent=agent, contracts=_by_role(contract or []))
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None
    here.output.value(begun, lambda console: _shown(console, begun))


def _by_role(words: list[str]) -> dict[str, str]:
    """`issue=refunds.pay` by `issue`."""
    found: dict[str, str] = {}
    for word in words:
        role, equals, name = word.partition("=")
        if not (role and equals and name):
            raise UsageError(f"`{word}` is not `ROLE=NAME`", next_step="write it as `--contract issue=refunds.pay`")
        found[role] = name
    return found


def _shown(console: Console, begun: Begun) -> None:
    for path in begun.files:
        console.print(f"  [green]+[/green] {shown(path)}")
    if begun.contract:
        console.print(f"\nAbout [bold]{shown(begun.contract)}[/bold] by agent [bold]{shown(begun.agent)}[/bold].")
    for each in begun.todo:
        console.print(f"  - {shown(each)}")
    console.print("\nNext: [bold]interlock check && interlock policy test[/bold]")
