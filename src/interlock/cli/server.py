"""`server`: MCP servers under contract. Adding one, looking at what it says, accepting it, and finding what changed."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import typer
from rich.console import Console

from interlock.bootstrap.upstreams import Accepted, Look, accept, add_server, by_name, known_servers, look
from interlock.cli.context import Context, context_of
from interlock.cli.output import Exit, UsageError, counted, run, safe, shown, table
from interlock.cli.server_told import checked, same, show, show_change, value_of
from interlock.domain.contract import NoReversal
from interlock.domain.errors import InterlockError
from interlock.domain.server_seen import reached_by
from interlock.domain.upstream_contract import UNSAID

Name = Annotated[str, typer.Argument(help="The server's name in the workspace.")]
Yes = Annotated[bool, typer.Option("--yes", help="Accept without being asked.")]

_APPLY: Final = "\nNext: [bold]interlock check && interlock apply[/bold]"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    server = typer.Typer(name="server", help="MCP servers, whose tools are contracts.", no_args_is_help=True)
    server.command(name="list")(listing)
    for command in (add, pin, diff, review, check):
        server.command()(command)
    server.command(name="accept")(accepting)
    app.add_typer(server)


def add(
    context: typer.Context,
    name: Name,
    command: Annotated[list[str] | None, typer.Argument(help="The program and its arguments, after `--`.")] = None,
    url: Annotated[str, typer.Option(help="The address of one that is reached over HTTP.")] = "",
    env: Annotated[list[str] | None, typer.Option(help="`NAME=VALUE` for its environment; `${VAR}` is ours.")] = None,
    header: Annotated[list[str] | None, typer.Option(help="`NAME=VALUE`; `${VAR}` is a variable of ours.")] = None,
) -> None:
    """Write the file of a server. Overwrites nothing, and reaches nobody."""
    here = context_of(context)
    try:
        path = add_server(here.folder, name, command or [], url, _pairs(env, "--env"), _pairs(header, "--header"))
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None

    def told(console: Console) -> None:
        console.print(f"  [green]+[/green] {shown(path)}")
        console.print(f"\nNext, see what it offers: [bold]interlock server pin {shown(name)}[/bold]")

    here.output.value({"server": name, "file": path}, told)


def listing(context: typer.Context) -> None:
    """List the servers, how they are reached, and how many of their tools are contracts."""
    here = context_of(context)
    try:
        known = known_servers(here.folder)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None
    value = [
        {
            "server": each.server,
            "tools": 0 if each.pinned is None else len(each.pinned.tools),
            "contracts": [found.name for found in each.contracts],
        }
        for each in known
    ]

    def told(console: Console) -> None:
        if not known:
            console.print("no servers: `interlock server add NAME -- COMMAND ...`")
            return
        rows = table("server", "tools", "unspoken", "trusted", "says it is", "reached by")
        for each in known:
            unspoken = [found for found in each.contracts if found.reversal == NoReversal(why=UNSAID)]
            rows.add_row(
                shown(each.server.name),
                "not pinned" if each.pinned is None else str(len(each.contracts)),
                str(len(unspoken)) if unspoken else "",
                "yes" if each.server.trusted else "no",
                "" if each.pinned is None else shown(each.pinned.server),
                shown(reached_by(each.server)[1]),
            )
        console.print(rows)

    here.output.value(value, told)


def pin(context: typer.Context, name: Name, yes: Yes = False) -> None:
    """Reach a server, show what is new or other than it was, and accept all of it."""
    here = context_of(context)
    found = run(here.output, partial(look, here.folder, name))
    if found.pinned is not None and not found.changes and not found.words_changed:
        here.output.value(value_of(found, accepted=True), lambda console: console.print(same(found)))
        return
    if not yes:
        here.output.value(value_of(found), lambda console: show(console, found))
        if here.output.json or not _said_yes(f"Accept what `{name}` says?"):
            here.output.say("\nnothing was accepted; `--yes` accepts it")
            raise typer.Exit(Exit.WAITING)
    accepted = run(here.output, partial(accept, here.folder, found, by=here.person))
    if yes and here.output.json:
        here.output.value(value_of(found, accepted=True), lambda _: None)
    tools = counted(len(accepted.pinned.tools), "tools")
    here.output.say(f"[green]accepted[/green] {tools} of {shown(name)}{_log(accepted)}{_named(here, name)}{_APPLY}")


def diff(context: typer.Context, name: Name) -> None:
    """Reach a server, and show how what it says differs from what was accepted. Ends with 3 where it does."""
    here = context_of(context)

    async def work() -> int:
        found = await look(here.folder, name)
        differs = bool(found.changes) or found.words_changed
        here.output.value(value_of(found), lambda console: show(console, found))
        return Exit.OPERATOR if differs else Exit.OK

    raise typer.Exit(run(here.output, work))


def review(context: typer.Context, name: Name) -> None:
    """Go through what differs tool by tool, and accept what you say yes to."""
    here = context_of(context)
    if here.output.json or not sys.stdin.isatty():
        nobody = UsageError(
            "a review asks, and nobody is at the keyboard",
            next_step=f"`interlock server diff {name}`, then `interlock server accept {name} TOOL ...`",
        )
        raise typer.Exit(here.output.fail(nobody))
    found = run(here.output, partial(look, here.folder, name))
    if not found.changes:
        of_itself = f"its tools are as they were accepted; what it says of itself is not: `interlock server pin {name}`"
        here.output.say(shown(of_itself) if found.words_changed else same(found))
        return
    # Asked outside of a loop of events: one that waits at a keyboard does not hear Ctrl-C.
    chosen = _chosen(here, found)
    raise typer.Exit(run(here.output, partial(_took, here, found, chosen)))


def accepting(
    context: typer.Context,
    name: Name,
    tools: Annotated[list[str] | None, typer.Argument(help="Which of its tools; without any, all.")] = None,
) -> None:
    """Accept what a server says now of these tools, and leave the others as they were."""
    here = context_of(context)

    async def work() -> int:
        found = await look(here.folder, name)
        there = {*by_name(found.present), *({} if found.pinned is None else by_name(found.pinned))}
        return await _took(here, found, tools or sorted(there))

    raise typer.Exit(run(here.output, work))


def check(context: typer.Context, name: Name) -> None:
    """Reach a server now: whether it answers, what it speaks, and whether it still says what was accepted."""
    here = context_of(context)

    async def work() -> int:
        found = await look(here.folder, name)
        here.output.value(value_of(found), lambda console: checked(console, found))
        return Exit.OPERATOR if found.pinned is not None and found.changes else Exit.OK

    raise typer.Exit(run(here.output, work))


async def _took(here: Context, found: Look, taken: Sequence[str]) -> int:
    name = found.server.name
    if not taken:
        here.output.say("nothing was accepted")
        return Exit.WAITING
    accepted = await accept(here.folder, found, by=here.person, tools=taken)
    here.output.value(
        {"server": name, "accepted": list(taken)},
        lambda console: console.print(f"[green]accepted[/green] {shown(', '.join(taken))}{_log(accepted)}{_APPLY}"),
    )
    return Exit.OK


def _named(here: Context, name: str) -> str:
    """Those of its tools that no agent names, to be copied from: an agent may use none that its file does not name."""
    known = next((each for each in known_servers(here.folder) if each.server.name == name), None)
    if known is None or not known.unused:
        return ""
    says = f"Say in servers/{name}.yaml what they do, and under `capabilities` of an agent which of them it may use:"
    return f"\n{shown(says)}\n  {shown(', '.join(known.unused))}"


def _log(accepted: Accepted) -> str:
    return "" if accepted.began is None else f"\n  log       a new one begins in {shown(str(accepted.began))}"


def _chosen(here: Context, found: Look) -> list[str]:
    """Which changes somebody says yes to, one by one. Who leaves in between said nothing yet."""
    taken: list[str] = []
    try:
        for change in found.changes:
            show_change(here.output.console, found, change)
            if _asked(f"Accept `{change.tool}`?"):
                taken.append(change.tool)
    except typer.Abort:
        here.output.say("")
        return []
    return taken


def _asked(question: str) -> bool:
    """Raises Abort where whoever is asked interrupts, or there is nothing more to be read."""
    return sys.stdin.isatty() and typer.confirm(safe(question), default=False)


def _said_yes(question: str) -> bool:
    try:
        return _asked(question)
    except typer.Abort:
        return False


def _pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given or ():
        name, sign, value = each.partition("=")
        if not name or not sign:
            raise typer.BadParameter(f"`{each}` reads NAME=VALUE", param_hint=option)
        found[name] = value
    return found
