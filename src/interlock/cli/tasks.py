"""`tasks`, `task show`, `task close`: which tasks are open, how each stands, and ending one."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.output import counted, moment, run, short, shown, table, worded
from interlock.cli.story import WITHHELD, Line, print_lines
from interlock.domain.task import Task
from interlock.services.task_list import LOOKED_AT, Left, Listed, Seen, seen, tasks_there
from interlock.workbench.finding import find_task

TaskArgument = Annotated[str, typer.Argument(help="The task's id, or the end of it.")]

_MEANS = {
    "open": "the agent may act in it",
    "expired": "its time is over: nothing new is admitted",
    "closing": "it is being undone: nothing new is admitted",
    "closed": "nothing new is admitted",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(tasks)
    task = typer.Typer(name="task", help="One task: how it stands, and ending it.", no_args_is_help=True)
    task.command()(show)
    task.command()(close)
    app.add_typer(task)


def tasks(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over and closed, too.")] = False,
    cursor: Annotated[str, typer.Option(help="Go on after a page: what it printed last.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=LOOKED_AT)] = 30,
) -> None:
    """List the open tasks, newest first: for whom, what for, until when, what is left of their budgets."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = await tasks_there(plane, everything=everything, limit=limit, cursor=cursor)
        here.output.value(found, lambda console: _listed(console, found, everything=everything))

    run(here.output, work)


def show(context: typer.Context, task: TaskArgument) -> None:
    """One task: its bounds, its budgets, how many actions it has, and what was opened within it."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = await seen(plane, await find_task(plane, task), inside=True)
        here.output.value(found, lambda console: show_task(console, found))

    run(here.output, work)


def close(
    context: typer.Context,
    task: TaskArgument,
    why: Annotated[str, typer.Option(help="Why; kept with it.", callback=worded)],
) -> None:
    """Admit no more actions in a task. What waits in it goes on waiting, and nothing is undone: for that `interlock undo`."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            before = await find_task(plane, task)
            await plane.tasks.close(before, by=here.who(), why=why)
            found = await seen(plane, await find_task(plane, before.id), inside=True)

        def told(console: Console) -> None:
            already = " already" if before.state != "open" else ""
            console.print(
                f"task {short(before.id)} is [green]{found.standing}[/green]{already}: {_MEANS[found.standing]}"
            )
            _goes_on(console, found)

        value = {
            "already": before.state != "open",
            "task": found.task,
            "waiting": found.waiting,
            "within": found.within,
        }
        here.output.value(value, told)

    run(here.output, work)


def show_task(console: Console, found: Seen) -> None:
    """One task, top to bottom."""
    task = found.task
    console.print(f"[bold]task[/bold]  {found.standing}  [dim]{_MEANS[found.standing]}[/dim]")
    print_lines(console, [*_bounds(task), *_spent(found)])


def _bounds(task: Task) -> Iterator[Line]:
    yield "task", task.id
    yield "agent", f"{task.agent}, release {task.release[:12]}"
    if task.withheld:
        yield "private", WITHHELD[task.withheld]
    else:
        yield "for", task.initiator
        yield "purpose", task.purpose
    if task.plan:
        yield "plan", task.plan
    yield "opened", f"{moment(task.opened_at)} UTC"
    yield "until", f"{moment(task.expires_at)} UTC"
    if task.parent is not None:
        yield "within", f"task {task.parent}"
    if task.delegated is not None:
        yield "handed to", f"instance:{task.delegated.holder}, by tokens {', '.join(task.delegated.tokens)}"
    if task.through:
        yield "came through", task.through
    if task.prohibited:
        yield "prohibited", ", ".join(task.prohibited)
    for each in () if task.tools is None else task.tools.words() or ("none",):
        yield "tools", each
    for each in () if task.data is None else task.data.words() or ("none",):
        yield "records", each


def _spent(found: Seen) -> Iterator[Line]:
    task = found.task
    for each in found.budgets:
        yield "budget", f"{_left(each)} left of {each.limit}"
    waiting = f", of which {found.waiting} may still happen" if found.waiting else ""
    yield "actions", f"{found.actions}{waiting}; `interlock actions --task {short(task.id)}` lists them"
    for name in found.within:
        yield "inside it", f"task {name}, open"
    if task.state == "open":
        yield "next", f"interlock task close {short(task.id)} --as NAME --why ...    (admits nothing more)"


def _goes_on(console: Console, found: Seen) -> None:
    """What closing a task does not end, and how that is ended."""
    name = short(found.task.id)
    if found.waiting:
        console.print(f"{counted(found.waiting, 'actions')} of it may still happen: `interlock actions --task {name}`")
        console.print(
            f"[dim]`interlock undo task:{name} --as NAME` stops what waits, and takes back what was done[/dim]"
        )


def _listed(console: Console, found: Listed, *, everything: bool) -> None:
    if not found.tasks and not found.next:
        console.print("[dim]there is no task[/dim]" if everything else "[dim]no task is open[/dim]")
    elif found.tasks:
        rows = table("task", "agent", "for", "purpose", "until (UTC)", "state", "left", "actions")
        for each in found.tasks:
            task = each.task
            whom = shown(task.initiator) if not task.withheld else f"[dim]{task.withheld}[/dim]"
            left = ", ".join(_left(budget) for budget in each.budgets)
            rows.add_row(
                short(task.id),
                shown(task.agent),
                whom,
                shown(task.purpose),
                moment(task.expires_at),
                each.standing,
                shown(left),
                str(each.actions),
            )
        console.print(rows)
    if found.next:
        console.print(f"[dim]there are older ones: go on with `--cursor {found.next}`[/dim]")


def _left(budget: Left) -> str:
    return f"{budget.left} {budget.unit}"
