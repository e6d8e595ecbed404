"""`approve`, `reject`, `modify`, `settle`, `undo`, `retry`: what a person decides."""

from typing import Annotated, Literal

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.given import arguments_from, json_from
from interlock.cli.output import Exit, run, short, shown, state, table, worded
from interlock.cli.story import RUN_BY_PROGRAM, progress
from interlock.domain.action import Action
from interlock.domain.approval import open_requirements
from interlock.domain.contract import Contract, InProcess
from interlock.domain.diff import between
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.filtering import published
from interlock.domain.ids import Digest, UnwindId
from interlock.domain.task import Task
from interlock.domain.unwind import Unwind, UnwindScope
from interlock.domain.vigilance import turned_out
from interlock.services.plane import ControlPlane
from interlock.workbench.finding import SHORTEST, find_action, find_either, find_release, find_task, names

_ENDINGS: dict[str, Literal["done", "failed"]] = {"done": "done", "failed": "failed"}

ActionArgument = Annotated[str, typer.Argument(help="The action's id, or the end of it.")]
Note = Annotated[str, typer.Option(help="Why; kept with the decision.", callback=worded)]
Reason = Annotated[str, typer.Option(help="Why; the agent is told it.", callback=worded)]
Target = Annotated[
    str, typer.Option(help="Of critical risk: the value of what it is about, as `interlock show` names it, typed out.")
]
View = Annotated[str, typer.Option(help="The view's digest you decided on; refused if it changed since.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (approve, reject, modify, settle, undo, retry):
        app.command()(command)


def approve(
    context: typer.Context,
    action: ActionArgument,
    note: Note = "",
    view: View = "",
    target: Target = "",
) -> None:
    """Say yes to a held action, exactly as `interlock show` shows it."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            found = await find_action(plane, action)
            after = await plane.approvals.approve(
                found.id, here.who(), note=note, view=_view(found, view), target=target or None
            )
            contract = await plane.orders.contract(after.contract_digest)
        here.output.value(after, lambda console: _said(console, after, contract))

    run(here.output, work)


def reject(context: typer.Context, action: ActionArgument, note: Reason = "", view: View = "") -> None:
    """Say no to a held action, and why. That ends it."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            found = await find_action(plane, action)
            after = await plane.approvals.reject(found.id, here.who(), note=note, view=_view(found, view))
        here.output.value(after, lambda console: _said(console, after))

    run(here.output, work)


def modify(
    context: typer.Context,
    action: ActionArgument,
    args: Annotated[str, typer.Option(help="The arguments to change, as a JSON object; the others stay.")],
    note: Note = "",
    target: Target = "",
) -> None:
    """Say yes to a held action with other arguments. They are validated and decided like any."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            found = await find_action(plane, action)
            after = await plane.approvals.modify(
                found.id, here.who(), arguments_from(args), note=note, target=target or None
            )
            contract = await plane.orders.contract(after.contract_digest)
        asked = after.hold.requested if after.hold is not None else None
        rows = () if asked is None else between(contract, asked, after.arguments)

        def telling(console: Console) -> None:
            _said(console, after, contract)
            for row in rows:
                console.print(f"[dim]{shown(f'{row.name}: {row.before_text} -> {row.after_text}')}[/dim]")

        here.output.value(after, telling)

    run(here.output, work)


def settle(
    context: typer.Context,
    action: ActionArgument,
    happened: Annotated[str, typer.Argument(help="`done` if it happened, `failed` if it did not.")],
    result: Annotated[str, typer.Option(help="What the tool would have returned, as JSON; an undo may need it.")] = "",
    note: Note = "",
) -> None:
    """Say what became of an unknown action, after you looked."""
    here = context_of(context)

    async def work() -> None:
        said = _ENDINGS.get(happened)
        if said is None:
            raise ContractError(f"`{happened}` is neither `done` nor `failed`", next_step="say which of the two it was")
        async with here.plane() as plane:
            found = await find_action(plane, action)
            after = await plane.settling.settle(
                found.id,
                here.who(),
                said,
                result=json_from(result) if result else None,
                note=note,
            )
        here.output.value(published(after), lambda console: _said(console, after))

    run(here.output, work)


def undo(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="An action's id, `task:ID`, or `release:LABEL`.")],
    why: Annotated[str, typer.Option(help="Why; kept with the request.", callback=worded)] = "",
) -> None:
    """Undo an action, a task, or everything a release did, in reverse order, each undo through the gate."""
    here = context_of(context)

    async def work() -> int:
        async with here.plane() as plane:
            scope, target = await _target(plane, what)
            request = await plane.compensation.undo(scope, target, by=here.who(), why=why)
            request = await plane.compensation.advance(request)
        here.output.value(request, lambda console: _unwinding(console, request))
        return Exit.OK if request.state == "done" else Exit.WAITING

    raise typer.Exit(run(here.output, work))


def retry(
    context: typer.Context,
    request: Annotated[str, typer.Argument(help="The undo request's id; without it all are listed.")] = "",
) -> None:
    """Go on with an undo that was blocked, or list the requests there are."""
    here = context_of(context)

    async def listing() -> None:
        async with here.plane() as plane:
            found = await plane.compensation.requests()
        here.output.value(found, lambda console: _requests(console, found))

    async def work() -> int:
        async with here.plane() as plane:
            found = [each for each in await plane.compensation.requests() if names(request, each.id)]
            if len(found) != 1:
                several = f"`{request}` may be {len(found)} undo requests"
                said = several if found else f"there is no undo request `{request}`"
                raise NotFound(said, next_step="list them: `interlock retry`")
            after = await plane.compensation.retry(UnwindId(found[0].id), by=here.who())
            after = await plane.compensation.advance(after)
        here.output.value(after, lambda console: _unwinding(console, after))
        return Exit.OK if after.state == "done" else Exit.WAITING

    if not request:
        run(here.output, listing)
    else:
        raise typer.Exit(run(here.output, work))


def _view(action: Action, view: str) -> Digest | None:
    """The full digest of the view that a person names by its beginning."""
    if not view:
        return action.hold.view if action.hold is not None else None
    if action.hold is not None and len(view) >= SHORTEST and action.hold.view.startswith(view):
        return action.hold.view
    return Digest(view)


async def _target(plane: ControlPlane, what: str) -> tuple[UnwindScope, str]:
    scope, _, name = what.partition(":")
    if scope == "task" and name:
        return "task", (await find_task(plane, name)).id
    if scope == "release" and name:
        return "release", (await find_release(plane, name)).digest
    found = await find_either(plane, what)
    if isinstance(found, Task):
        raise NotFound(
            f"`{what}` is a task, not an action", next_step=f"undo all of it: `interlock undo task:{short(found.id)}`"
        )
    return "action", found.id


def _said(console: Console, action: Action, contract: Contract | None = None) -> None:
    console.print(f"{shown(action.contract)} {short(action.id)} is {state(action.state)}")
    if turned_out(action):
        console.print(f"[bold]{shown(action.reasons[-1])}[/bold]")
    if action.state == "held" and action.hold is not None:
        for need in open_requirements(action.hold, initiator=action.initiator):
            console.print(f"[dim]{shown(progress(action.hold, need, action.initiator))}[/dim]")
    if action.state == "ready":
        by_program = contract is not None and isinstance(contract.target, InProcess)
        console.print(f"[dim]{RUN_BY_PROGRAM if by_program else 'a worker runs it: `interlock work`'}[/dim]")


def _unwinding(console: Console, request: Unwind) -> None:
    console.print(f"undo of {request.scope} {shown(request.target)} is {request.state}: {request.undone} undone")
    if request.state == "blocked":
        console.print(f"[red]blocked[/red] by {request.blocked_by}: {shown(request.blocked_why)}")
        console.print(f"[dim]deal with that, then `interlock retry {short(request.id)}`[/dim]")
    if request.state == "running":
        console.print("[dim]a worker goes on with it: `interlock work`[/dim]")


def _requests(console: Console, requests: list[Unwind]) -> None:
    if not requests:
        console.print("[dim]nothing was asked to be undone[/dim]")
        return
    listed = table("request", "scope", "target", "state", "undone", "blocked by")
    for each in requests:
        listed.add_row(
            short(each.id), each.scope, each.target, each.state, str(each.undone), shown(each.blocked_why or "-")
        )
    console.print(listed)
