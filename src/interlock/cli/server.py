"""`server`: MCP servers under contract. Adding one, looking at what it says, accepting it, and finding what changed."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from interlock.bootstrap.upstreams import Accepted, Look, accept, add_server, by_name, known_servers, look
from interlock.cli.context import Context, context_of
from interlock.cli.output import Exit, UsageError, counted, run, safe, shown, table
from interlock.domain.contract import NoReversal
from interlock.domain.errors import ContractError, InterlockError
from interlock.domain.foreign import foreign
from interlock.domain.server_seen import reached_by
from interlock.domain.upstream import Change, Definition
from interlock.domain.upstream_contract import UNSAID

Name = Annotated[str, typer.Argument(help="The server's name in the workspace.")]
Yes = Annotated[bool, typer.Option("--yes", help="Accept without being asked.")]

_LONGEST: Final = 400
_MARK: Final = {"new": "[green]+[/green]", "gone": "[red]-[/red]", "changed": "[yellow]~[/yellow]"}
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

    async def work() -> int:
        found = await look(here.folder, name)
        if found.pinned is not None and not found.changes and not found.words_changed:
            here.output.value(_value(found, accepted=True), lambda console: console.print(_same(found)))
            return Exit.OK
        if not yes:
            here.output.value(_value(found), lambda console: _show(console, found))
            if here.output.json or not _asked(f"Accept what `{name}` says?"):
                here.output.say("\nnothing was accepted; `--yes` accepts it")
                return Exit.WAITING
        accepted = await accept(here.folder, found, by=here.person)
        if yes and here.output.json:
            here.output.value(_value(found, accepted=True), lambda _: None)
        tools = counted(len(accepted.pinned.tools), "tools")
        here.output.say(f"[green]accepted[/green] {tools} of {shown(name)}{_log(accepted)}{_named(here, name)}{_APPLY}")
        return Exit.OK

    raise typer.Exit(run(here.output, work))


def diff(context: typer.Context, name: Name) -> None:
    """Reach a server, and show how what it says differs from what was accepted. Ends with 3 where it does."""
    here = context_of(context)

    async def work() -> int:
        found = await look(here.folder, name)
        differs = bool(found.changes) or found.words_changed
        here.output.value(_value(found), lambda console: _show(console, found))
        return Exit.OPERATOR if differs else Exit.OK

    raise typer.Exit(run(here.output, work))


def review(context: typer.Context, name: Name) -> None:
    """Go through what differs tool by tool, and accept what you say yes to."""
    here = context_of(context)

    async def work() -> int:
        if here.output.json or not sys.stdin.isatty():
            raise UsageError(
                "a review asks, and nobody is at the keyboard",
                next_step=f"`interlock server diff {name}`, then `interlock server accept {name} TOOL ...`",
            )
        found = await look(here.folder, name)
        taken: list[str] = []
        for change in found.changes:
            _show_change(here.output.console, found, change)
            if _asked(f"Accept `{change.tool}`?"):
                taken.append(change.tool)
        return await _took(here, found, taken)

    raise typer.Exit(run(here.output, work))


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
        here.output.value(_value(found), lambda console: _checked(console, found))
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


def _asked(question: str) -> bool:
    return sys.stdin.isatty() and typer.confirm(safe(question), default=False)


def _pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given or ():
        name, sign, value = each.partition("=")
        if not name or not sign:
            raise typer.BadParameter(f"`{each}` reads NAME=VALUE", param_hint=option)
        found[name] = value
    return found


def _value(found: Look, *, accepted: bool = False) -> dict[str, Any]:
    return {
        "server": found.server.name,
        "says": found.present.server,
        "protocol": found.present.protocol,
        "took_ms": found.took_ms,
        "tools": [each.name for each in found.present.tools],
        "prompts": found.present.prompts,
        "resources": found.present.resources,
        "changes": [
            {"tool": each.tool, "kind": each.kind, "fields": each.fields, "now": by_name(found.present).get(each.tool)}
            for each in found.changes
        ],
        "accepted": accepted,
    }


def _same(found: Look) -> str:
    return f"{shown(found.server.name)} says what was accepted: {counted(len(found.present.tools), 'tools')}"


def _checked(console: Console, found: Look) -> None:
    present = found.present
    console.print(
        f"[green]reached[/green] {shown(found.server.name)} in {found.took_ms} ms: {shown(present.server or 'unnamed')}, "
        f"MCP {shown(present.protocol)}, {counted(len(present.tools), 'tools')}, "
        f"{counted(len(present.resources), 'resources')}, {counted(len(present.prompts), 'prompts')}"
    )
    if found.pinned is None:
        console.print(f"nothing of it is accepted yet: [bold]interlock server pin {shown(found.server.name)}[/bold]")
    elif found.changes:
        names = ", ".join(each.tool for each in found.changes)
        console.print(f"[yellow]it says something else[/yellow] than was accepted of {shown(names)}")
        console.print(f"Next: [bold]interlock server diff {shown(found.server.name)}[/bold]")
    else:
        console.print(_same(found))


def _show(console: Console, found: Look) -> None:
    present = found.present
    console.print(
        f"[bold]{shown(found.server.name)}[/bold] is {shown(present.server or 'unnamed')}, MCP {shown(present.protocol)}"
    )
    if found.words_changed or (found.pinned is None and present.instructions):
        before = "" if found.pinned is None else found.pinned.instructions
        _words(console, "instructions", before, present.instructions)
    if not found.changes:
        console.print(_same(found))
    for change in found.changes:
        _show_change(console, found, change)


def _show_change(console: Console, found: Look, change: Change) -> None:
    """One tool: what it says, or what it says now beside what was accepted."""
    console.print(
        f"\n{_MARK[change.kind]} [bold]{shown(change.tool)}[/bold] {'' if change.kind == 'new' else change.kind}"
    )
    after = by_name(found.present).get(change.tool)
    before = None if found.pinned is None else by_name(found.pinned).get(change.tool)
    if after is None:
        return
    if before is None:
        _words(console, "says", "", after.description or after.title)
        console.print(f"  takes  {shown(_arguments(after))}")
    else:
        for field in change.fields:
            _words(console, field.replace("_", " "), _text(before, field), _text(after, field))
    if after.annotations:
        console.print(f"  [dim]hints (its own word, not believed): {shown(_hints(after))}[/dim]")


def _words(console: Console, what: str, before: str, after: str) -> None:
    if before:
        console.print(f"  [red]- {shown(what)}  {shown(_short(before, after))}[/red]")
    console.print(f"  {'[green]+' if before else '[default]'} {shown(what)}  {shown(_short(after, before))}[/]")


def _short(text: str, other: str) -> str:
    """A long text from where it differs from the other on: what was slipped in at its end must be seen."""
    if len(text) <= _LONGEST:
        return text
    same = next((at for at, (one, two) in enumerate(zip(text, other, strict=False)) if one != two), 0) if other else 0
    begin = max(0, same - 40)
    cut = text[begin : begin + _LONGEST]
    more = len(text) - begin - len(cut)
    return ("..." if begin else "") + cut + (f"... ({more} more characters)" if more > 0 else "")


def _text(tool: Definition, field: str) -> str:
    value = getattr(tool, field)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _arguments(tool: Definition) -> str:
    try:
        bound = foreign(tool.input_schema).schema
    except ContractError as error:
        return f"what no contract can: {error.detail}"
    properties, required = bound["properties"], bound.get("required")
    needed = required if isinstance(required, list) else []
    names = [f"{name}{'' if name in needed else '?'}" for name in properties] if isinstance(properties, dict) else []
    return ", ".join(names) or "nothing"


def _hints(tool: Definition) -> str:
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in sorted(tool.annotations.items()))
