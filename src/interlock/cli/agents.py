"""`agent`: the registry. Beginning an agent, finding and reading them, and whether they may act."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from interlock.bootstrap.registering import begin_agent, drafts, has_store
from interlock.cli import agent_key
from interlock.cli.baseline import baseline
from interlock.cli.context import Context, context_of
from interlock.cli.output import Exit, UsageError, counted, moment, run, shown, table, worded, write
from interlock.cli.story import Line, print_lines
from interlock.cli.writing import write_file
from interlock.domain.agent import OFFICES, Agent
from interlock.domain.agent_card import OFFICE_MEANS, STAGE_MEANS, as_markdown, as_text
from interlock.domain.agent_search import Wanted
from interlock.domain.agent_state import MEANS, STATES, Move
from interlock.domain.errors import InterlockError, NotFound
from interlock.domain.ids import AgentName
from interlock.services.agents import Moved, Registered

NameArgument = Annotated[str, typer.Argument(help="The agent's name.")]
Why = Annotated[str, typer.Option(help="Why; kept with it.", callback=worded)]

_DONE: Final[dict[Move, str]] = {"suspend": "suspended", "activate": "active", "retire": "retired"}
_LISTED: Final = ("draft", *STATES)
_SHORTEST: Final = 6


def register(app: typer.Typer) -> None:
    """Add the commands."""
    agent = typer.Typer(
        name="agent", help="The registry: who there is, and whether they may act.", no_args_is_help=True
    )
    agent.command(name="list")(listing)
    for command in (new, show, card, baseline, suspend, activate, retire):
        agent.command()(command)
    agent_key.register(agent)
    app.add_typer(agent)


def new(context: typer.Context, name: NameArgument) -> None:
    """Write the file of an agent to begin with, in shadow. Overwrites nothing."""
    here = context_of(context)
    try:
        begun = begin_agent(here.folder, name)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None

    def told(console: Console) -> None:
        console.print(f"  [green]+[/green] {shown(begun.file)}")
        console.print("\nIt begins in shadow: it is watched, and changes nothing. To let it act:")
        for number, each in enumerate(begun.todo, start=1):
            console.print(f"  {number}. {shown(each)}")
        console.print("\nNext: [bold]interlock check && interlock apply[/bold]")

    here.output.value(begun, told)


def listing(
    context: typer.Context,
    owner: Annotated[str, typer.Option(help="Whom a person or role answers for.")] = "",
    tag: Annotated[str, typer.Option(help="The agents of a cohort.")] = "",
    state: Annotated[str, typer.Option(help="`draft`, `active`, `suspended` or `retired`.")] = "",
    capability: Annotated[str, typer.Option(help="Who may use a contract.")] = "",
    search: Annotated[str, typer.Option(help="Words that stand anywhere in their files, but for prompts.")] = "",
) -> None:
    """List the agents in force, and the files that are not (drafts)."""
    here = context_of(context)
    wanted = Wanted(owner=owner, tag=tag, state=state, capability=capability, text=search)

    async def work() -> None:
        if state and state not in _LISTED:
            raise UsageError(f"`{state}` is no state of an agent", next_step=f"one of {', '.join(_LISTED)}")
        there: list[Registered] = []
        if has_store(here.folder):
            async with here.reading() as plane:
                there = await plane.agents.all()
        known = {each.agent.name for each in there}
        rows = [(each.agent, str(each.state), each.absent) for each in there]
        rows += [(each, "draft", {}) for each in drafts(here.folder) if each.name not in known]
        found = [row for row in sorted(rows, key=lambda row: row[0].name) if wanted.fits(row[0], row[1])]
        value = [
            {"agent": agent, "digest": agent.digest, "state": stands, "absent": absent}
            for agent, stands, absent in found
        ]
        here.output.value(value, lambda console: _listed(console, found))

    run(here.output, work)


def show(
    context: typer.Context,
    name: NameArgument,
    at: Annotated[str, typer.Option(help="An older version, by its digest or the beginning of it.")] = "",
    versions: Annotated[bool, typer.Option("--versions", help="Which versions there are.")] = False,
) -> None:
    """One agent: what it is for, how it stands, who answers for it, within what it acts."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = await plane.agents.get(AgentName(name))
        here.output.value(found, lambda console: _shown(console, found))

    async def older() -> None:
        async with here.reading() as plane:
            known = await plane.agents.versions(AgentName(name))
            standing = (await plane.orders.refresh()).control.agents.get(AgentName(name))
        in_force = standing.agent if standing is not None else ""
        values = [{"digest": each.digest, "in_force": each.digest == in_force, "agent": each} for each in known]
        if versions:
            here.output.value(values, lambda console: _versions(console, known, in_force))
            return
        there = (
            [place for place, each in enumerate(known) if each.digest.startswith(at)] if len(at) >= _SHORTEST else []
        )
        if len(there) != 1:
            raise NotFound(
                f"`{at}` is {'more than one version' if there else 'no version'} of `{name}`",
                next_step=f"list them: `interlock agent show {name} --versions`",
            )
        one = known[there[0]]
        here.output.value(values[there[0]], lambda console: _version(console, one, in_force=one.digest == in_force))

    run(here.output, older if versions or at else work)


def card(
    context: typer.Context,
    name: NameArgument,
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="As plain text instead of Markdown.")] = False,
) -> None:
    """The operating contract of an agent on one page: what it is for, may and may not do, who answers, how to stop it."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            made = await plane.agents.card(AgentName(name))
        text = as_text(made) if plain else as_markdown(made)
        if out is not None:
            write_file(out, text.encode())
            value = {"agent": name, "file": str(out)}
            here.output.value(value, lambda console: console.print(f"  [green]+[/green] {shown(str(out))}"))
        elif here.output.json:
            here.output.value({"agent": name, "card": text}, lambda _: None)
        else:
            write(text)

    run(here.output, work)


def suspend(context: typer.Context, name: NameArgument, why: Why) -> None:
    """Nothing new of it is proposed or dispatched, in any process; what waits goes on waiting. Any owner or operator may."""
    _move(context_of(context), name, "suspend", why)


def activate(context: typer.Context, name: NameArgument, why: Why) -> None:
    """Let a suspended agent act again. Its decision owner may."""
    _move(context_of(context), name, "activate", why)


def retire(context: typer.Context, name: NameArgument, why: Why) -> None:
    """End it for good: what waits is voided, what was done can still be undone. Takes its decision owner and one other."""
    _move(context_of(context), name, "retire", why)


def _move(here: Context, name: str, move: Move, why: str) -> None:
    async def work() -> int:
        async with here.plane() as plane:
            made = await plane.agents.move(AgentName(name), move, by=here.who(), why=why)
        here.output.value(made, lambda console: _moved(console, made, move))
        return Exit.WAITING if made.waits_for else Exit.OK

    raise typer.Exit(run(here.output, work))


def _moved(console: Console, made: Moved, move: Move) -> None:
    name = shown(made.agent)
    if made.waits_for:
        console.print(f"{name} is [yellow]to be retired[/yellow]: it waits for {shown(made.waits_for)}")
        console.print(f"[dim]`interlock agent retire {name} --as NAME --why WHY` within a week[/dim]")
        return
    already = "" if made.changed else " already"
    console.print(f"{name} is [bold]{_DONE[move]}[/bold]{already}: {MEANS[made.state]}")
    if made.voided:
        console.print(f"{counted(made.voided, 'actions')} that waited: voided")


def _listed(console: Console, found: list[tuple[Agent, str, dict[str, str]]]) -> None:
    if not found:
        console.print("[dim]there is no such agent[/dim]")
        return
    rows = table("agent", "state", "stage", "decision owner", "tags", "purpose")
    for agent, stands, absent in found:
        owner = shown(agent.owners.of("decision") or "-")
        gone = " [red]gone[/red]" if "decision" in absent else ""
        rows.add_row(
            shown(agent.name),
            stands,
            agent.stage,
            owner + gone,
            shown(", ".join(agent.tags) or "-"),
            shown(agent.purpose),
        )
    console.print(rows)


def _shown(console: Console, found: Registered) -> None:
    console.print(f"[bold]{shown(found.agent.name)}[/bold]  {found.state}  [dim]{MEANS[found.state]}[/dim]")
    print_lines(console, [*_standing(found), *_file(found.agent, found.absent), ("version", found.digest)])


def _version(console: Console, agent: Agent, *, in_force: bool) -> None:
    said = "in force" if in_force else "not in force"
    console.print(f"[bold]{shown(agent.name)}[/bold]  {said}")
    print_lines(console, [*_file(agent, {}), ("version", agent.digest)])


def _versions(console: Console, known: list[Agent], in_force: str) -> None:
    rows = table("version", "", "stage", "purpose")
    for each in known:
        rows.add_row(each.digest, "in force" if each.digest == in_force else "", each.stage, shown(each.purpose))
    console.print(rows)


def _standing(found: Registered) -> Iterator[Line]:
    words = found.words
    if words is not None:
        what = "to be retired" if words.move == "retire" and words.state != "retired" else words.state
        said = words.withheld or f"by {words.by}: {words.why}"
        yield "since", f"{moment(words.said_at)} UTC {what} {said}"
    yield "release", found.release


def _file(agent: Agent, absent: dict[str, str]) -> Iterator[Line]:
    yield "purpose", agent.purpose
    yield "stage", f"{agent.stage}: {STAGE_MEANS[agent.stage]}"
    for name, stage in agent.stages.items():
        yield "", f"{name}: {stage}"
    for office in OFFICES:
        gone = ", who is nobody any more" if office in absent else ""
        yield office, f"{agent.owners.of(office) or 'nobody'}{gone}  (for {OFFICE_MEANS[office]})"
    yield "may use", ", ".join(agent.capabilities) or "nothing"
    for each in agent.data:
        yield "accesses", f"{each.records} ({each.access})"
    for name, role in agent.approvals.required.items():
        yield "asks", f"{role} for {name}"
    yield "tags", ", ".join(agent.tags) or "-"
    yield "all of it", f"interlock agent card {agent.name}"
