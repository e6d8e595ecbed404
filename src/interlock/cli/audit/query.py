"""`audit query`: which actions, and why."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import Context, context_of
from interlock.cli.moments import between
from interlock.cli.output import counted, moment, run, short, shown, state, table
from interlock.domain.baseline import UNUSUAL
from interlock.domain.searched import question
from interlock.services.searching import Found, Hit
from interlock.workbench.finding import find_task, must_be_there
from interlock.workbench.searches import found

SLOW = 20_000
"""From so many entries on that are to be read first, a person is told."""


def register(audit: typer.Typer) -> None:
    """Add the command."""
    audit.command()(query)


def query(
    context: typer.Context,
    agent: Annotated[str, typer.Option(help="By this agent.")] = "",
    contract: Annotated[str, typer.Option(help="Through this contract.")] = "",
    policy: Annotated[
        str, typer.Option(help="Decided by this policy, or rule of ours: `interlock.stage.assisted`.")
    ] = "",
    approver: Annotated[str, typer.Option(help="On which this person said a word.")] = "",
    initiator: Annotated[str, typer.Option(help="On behalf of: `user:ana`, or only `ana`.")] = "",
    touching: Annotated[
        list[str] | None,
        typer.Option("--touching", "--subject", help="About this record: `order:A-17`; may be given again."),
    ] = None,
    task: Annotated[str, typer.Option(help="In this task, by its id or the end of it.")] = "",
    release: Annotated[str, typer.Option(help="By this release, by its whole digest.")] = "",
    unusual: Annotated[
        str, typer.Option(help=f"That departed from their agent's baseline: `any`, or in {', '.join(UNUSUAL)}.")
    ] = "",
    states: Annotated[list[str] | None, typer.Option("--state", help="In this state; may be given again.")] = None,
    since: Annotated[str, typer.Option(help="Begun from then on: 2026-11-01, or 30d.")] = "",
    until: Annotated[str, typer.Option(help="Begun before: 2026-12-01, or 1d.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 50,
) -> None:
    """Which actions, by whom, under which policy, agreed by whom, about which record. All that is given must fit.

    The answer comes from an index over the log, which is brought up to its head first. The index is no evidence: it can be
    deleted, and is made again. `interlock packet ACTION` shows the evidence of what is found.
    """
    here = context_of(context)

    async def work() -> None:
        first, last = between(since, until)
        within = ""
        if task:
            async with here.reading(private=False) as plane:
                within = (await find_task(plane, task)).id
        wanted = question(
            agent=agent,
            contract=contract,
            policy=policy,
            approver=approver,
            initiator=initiator,
            touching=touching or (),
            task=within,
            release=release,
            unusual=unusual,
            states=states or (),
            since_at=first,
            until_at=last,
            limit=limit,
        )
        if agent or contract:
            async with here.reading(private=False) as plane:
                await must_be_there(plane, agent, contract)
        answer = await found(here.folder, wanted, reading_told(here))
        here.output.value(answer, lambda console: show_found(console, answer))

    run(here.output, work)


class _Said:
    """Tells of a long reading, a few times."""

    def __init__(self, here: Context) -> None:
        self._here = here
        self._first = self._told = -1

    def __call__(self, done: int, of: int) -> None:
        """So many entries of so many were read."""
        if self._first < 0:
            self._first = done
        share = 10 * done // of
        if of - self._first >= SLOW and share > self._told and not self._here.output.json:
            self._told = share
            self._here.output.errors.print(f"[dim]reading the log into the index: {done} of {of} entries[/dim]")


def reading_told(here: Context) -> _Said:
    """Tells a person, a few times, how far the log is read."""
    return _Said(here)


def show_found(console: Console, answer: Found) -> None:
    """What was found, as a table."""
    listed = table("when (UTC)", "action", "agent", "contract", "state", "for", "why", "about")
    for hit in answer.hits:
        listed.add_row(
            moment(hit.began_at),
            short(hit.action),
            shown(hit.agent),
            shown(hit.contract),
            state(hit.state),
            shown(hit.initiator),
            shown(_why(hit)),
            shown(", ".join(hit.touches)),
        )
    if answer.hits:
        console.print(listed)
    more = ", and there are more: `--limit`" if answer.more else ""
    console.print(f"[dim]{counted(len(answer.hits), 'actions')} among {counted(answer.size, 'entries')}{more}[/dim]")


def _why(hit: Hit) -> str:
    said = f"{hit.verdict.replace('_', ' ')} by {', '.join(hit.policies)}" if hit.verdict else "; ".join(hit.reasons)
    if hit.unusual:
        said = f"{said}; unusual: {', '.join(hit.unusual)}"
    return f"{said}; {', '.join(hit.approvers)}" if hit.approvers else said
