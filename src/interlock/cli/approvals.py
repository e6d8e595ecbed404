"""`approvals`, `look`, `ask`, `delegate`, `batch`, `corrections`: what waits for people, and what they made of it."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.moments import between
from interlock.cli.output import Exit, moment, run, short, shown, table, worded
from interlock.cli.people import ActionArgument, Note
from interlock.cli.story import show_action
from interlock.cli.writing import write_file
from interlock.domain.action import Action
from interlock.domain.approval import look_of
from interlock.domain.batch import Batch, BatchResult
from interlock.domain.contract import RISKS, Risk
from interlock.domain.errors import ContractError
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.inbox import InboxPage
from interlock.workbench.finding import find_action, must_be_there


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (approvals, look, ask, delegate, batch, corrections):
        app.command()(command)


def approvals(
    context: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="Only what you may decide on now.")] = False,
    risk: Annotated[str, typer.Option(help="Only of this risk.")] = "",
    contract: Annotated[str, typer.Option(help="Only of this contract.")] = "",
    agent: Annotated[str, typer.Option(help="Only of this agent.")] = "",
    cursor: Annotated[str, typer.Option(help="Go on after a page: what it printed last.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
) -> None:
    """List what waits for people's word, the most urgent first."""
    here = context_of(context)

    async def work() -> None:
        if mine:
            here.who()
        async with here.reading() as plane:
            await must_be_there(plane, agent, contract)
            page = await plane.inbox.page(
                person=here.person,
                mine=mine,
                risk=_risk(risk),
                contract=ContractName(contract) if contract else None,
                agent=AgentName(agent) if agent else None,
                cursor=cursor,
                limit=limit,
            )
        here.output.value(page, lambda console: _listing(console, page))

    run(here.output, work)


def look(context: typer.Context, action: ActionArgument) -> None:
    """Everything there is to see of a held action before deciding. That you were shown it is recorded."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            found = await find_action(plane, action)
            dossier = await plane.dossiers.open(found.id, here.who())
            stored = await find_action(plane, found.id)
            contract = await plane.orders.contract(stored.contract_digest)
        here.output.value(dossier, lambda console: show_action(console, stored, contract, dossier=dossier))

    run(here.output, work)


def ask(
    context: typer.Context,
    action: ActionArgument,
    question: Annotated[str, typer.Argument(help="What you want to know of the agent.", callback=worded)],
) -> None:
    """Put a question to the agent of a held action. It stays held; the agent finds the question where it waits."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            found = await find_action(plane, action)
            after = await plane.inquiring.ask(found.id, here.who(), question)
        here.output.value(after, lambda console: _asked(console, after))

    run(here.output, work)


def delegate(
    context: typer.Context,
    action: ActionArgument,
    to: Annotated[
        str,
        typer.Option(
            help="To whom: somebody who holds one of the roles asked, too, or whom its policy lets it be handed to."
        ),
    ] = "",
    back: Annotated[bool, typer.Option("--back", help="Take it back, and decide yourself after all.")] = False,
    note: Note = "",
) -> None:
    """Hand a held action to a colleague, and be silent on it until you take it back."""
    here = context_of(context)

    async def work() -> None:
        if bool(to) == back:
            raise ContractError(
                "say one of the two: to whom, or that you take it back", next_step="`--to NAME`, or `--back`"
            )
        async with here.plane() as plane:
            found = await find_action(plane, action)
            if back:
                after = await plane.inquiring.take_back(found.id, here.who())
            else:
                after = await plane.inquiring.delegate(found.id, here.who(), Person(to), note=note)
        said = "yours again" if back else f"handed to {to}"
        here.output.value(
            after, lambda console: console.print(f"{shown(after.contract)} {short(after.id)} is {shown(said)}")
        )

    run(here.output, work)


def batch(
    context: typer.Context,
    actions: Annotated[list[str], typer.Argument(help="The actions' ids, or the ends of them: 2 to 20 alike.")],
    reject: Annotated[bool, typer.Option("--reject", help="Say no to each.")] = False,
    note: Note = "",
) -> None:
    """Decide on like actions in one go. One of them is drawn, and has to be looked at first: `interlock look`."""
    here = context_of(context)

    async def work() -> int:
        async with here.plane() as plane:
            found = [await find_action(plane, each) for each in actions]
            drawn = await plane.batches.draw(here.who(), tuple(each.id for each in found))
            first = next(each for each in found if each.id == drawn.drawn)
            if first.hold is None or look_of(first.hold, here.who()) is None:
                here.output.value(drawn, lambda console: _draw(console, drawn))
                return Exit.WAITING
            views = {each.id: each.hold.view for each in found if each.hold is not None}
            result = await plane.batches.decide(
                drawn.id, here.who(), "reject" if reject else "approve", note=note, views=views
            )
        here.output.value(result, lambda console: _batched(console, result))
        return Exit.OK if result.decided else Exit.NOT_DONE

    raise typer.Exit(run(here.output, work))


def corrections(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Write them there, a JSON object a line.")],
    since: Annotated[str, typer.Option(help="Proposed from then on: 2026-11-01, or 30d.")] = "",
    contract: Annotated[str, typer.Option(help="Only of this contract.")] = "",
    agent: Annotated[str, typer.Option(help="Only of this agent.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Also plain yeses.")] = False,
) -> None:
    """What people made of what agents asked for: requests, changes, verdicts, notes, outcomes. To learn from."""
    here = context_of(context)

    async def work() -> None:
        first = between(since, "")[0] or 0
        write_file(out, b"")  # a file that cannot be written is found out before everything is read
        async with here.reading() as plane:
            await must_be_there(plane, agent, contract)
            found = [
                each
                async for each in plane.correcting.corrections(
                    since_at=first,
                    contract=ContractName(contract) if contract else None,
                    agent=AgentName(agent) if agent else None,
                    every=every,
                )
            ]
        write_file(out, b"".join(msgspec.json.encode(each) + b"\n" for each in found))
        said = f"{len(found)} corrections in {out}"
        here.output.value({"written": len(found), "out": str(out)}, lambda console: console.print(shown(said)))

    run(here.output, work)


def _draw(console: Console, drawn: Batch) -> None:
    console.print(f"of these {len(drawn.actions)}, {short(drawn.drawn)} was drawn: look at it, then say this again")
    console.print(f"[dim]interlock look {short(drawn.drawn)}[/dim]")


def _batched(console: Console, result: BatchResult) -> None:
    console.print(f"{len(result.decided)} decided, {len(result.left)} left as they are")
    for each in result.left:
        console.print(f"[dim]{short(each.action)}: {shown(each.why)}[/dim]")


def _risk(word: str) -> Risk | None:
    found: Risk | None = next((each for each in RISKS if each == word), None)
    if word and found is None:
        raise ContractError(f"there is no risk `{word}`", next_step=f"choose among: {', '.join(RISKS)}")
    return found


def _listing(console: Console, page: InboxPage) -> None:
    if page.warning:
        console.print(f"[yellow]{shown(page.warning)}[/yellow]")
    if not page.rows:
        console.print("[dim]nothing waits for a word[/dim]" if not page.waiting else "[dim]nothing of that waits[/dim]")
        return
    listed = table("action", "until (UTC)", "risk", "what", "agent", "asked", "why")
    for row in page.rows:
        asked = f"{', '.join(row.needs)} {row.agreed}/{row.wanted}"
        listed.add_row(
            short(row.action),
            moment(row.deadline),
            row.risk,
            shown(row.line),
            shown(row.agent),
            shown(f"{asked}, handed to you" if row.handed else asked),
            shown(row.reason),
        )
    console.print(listed)
    if page.next:
        console.print(f"[dim]{len(page.rows)} of {page.waiting}; go on with `--cursor {page.next}`[/dim]")


def _asked(console: Console, action: Action) -> None:
    questions = action.hold.questions if action.hold is not None else ()
    console.print(f"question {len(questions)} about {shown(action.contract)} {short(action.id)} waits for the agent")
