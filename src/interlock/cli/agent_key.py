"""`interlock agent key`: secrets by which programs that can bear no more than a token are let in as an agent."""

from typing import Annotated, Final

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.given import json_from
from interlock.cli.moments import span_of
from interlock.cli.output import UsageError, counted, moment, run, shown, table, worded
from interlock.cli.secret_key import id_in, standing, told_once, used, words_in
from interlock.domain.agent_key import KeyToldOf, told_of
from interlock.domain.bearer import SURFACES, Bounds
from interlock.domain.grant import Grant, GrantError, read_grant
from interlock.domain.ids import AgentName, ContractName
from interlock.workbench.finding import must_be_there

_TOOLS: Final = """as '{"shop.lookup": {}}': each tool with what its arguments may be, `{}` for anything"""


def register(agent: typer.Typer) -> None:
    """Add the commands to `interlock agent`."""
    key = typer.Typer(name="key", help="Keys that let programs in as an agent.", no_args_is_help=True)
    key.command()(new)
    key.command("list")(listing)
    key.command()(revoke)
    agent.add_typer(key)


def new(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(help="Which agent whoever bears it is.")],
    purpose: Annotated[str, typer.Option(help="What the work is for; kept with every task.", callback=worded)],
    on_behalf_of: Annotated[
        str, typer.Option(help="Whom it works for, `user:ana`; without it the agent's own system.")
    ] = "",
    surfaces: Annotated[str, typer.Option("--for", help=f"What it may speak to, of: {', '.join(SURFACES)}.")] = "mcp",
    lasts: Annotated[str, typer.Option(help="How long it counts; at most 90d.")] = "8h",
    tools: Annotated[str, typer.Option(help=f"The tools its tasks are given, {_TOOLS}.")] = "",
    prohibit: Annotated[list[str] | None, typer.Option(help="A tool its tasks may not use. Again for another.")] = None,
    budget: Annotated[
        list[str] | None, typer.Option(help="Of each of its tasks: `calls=50`, `EUR=10000` (minor units).")
    ] = None,
    task_lasts: Annotated[str, typer.Option(help="How long each of its tasks lasts at most.")] = "",
) -> None:
    """Make a key that lets a program in as an agent. It is shown now and never again."""
    here = context_of(context)

    async def work() -> None:
        lasts_ms = span_of(lasts, "--lasts")
        bounds = Bounds(
            tools=_granted(tools) if tools else None,
            budgets=dict(_amount(each) for each in budget or ()),
            prohibited=tuple(ContractName(each) for each in prohibit or ()),
            lasts_ms=span_of(task_lasts, "--task-lasts") if task_lasts else None,
        )
        async with here.plane() as plane:
            text, made = await plane.agent_keys.make(
                AgentName(agent),
                by=here.who(),
                purpose=purpose,
                on_behalf_of=on_behalf_of,
                surfaces=words_in(surfaces),
                lasts_ms=lasts_ms,
                bounds=bounds,
            )
            told = told_of(made, plane.means.clock.now())

        def show(console: Console) -> None:
            whom = f"lets in as {shown(agent)}, on behalf of {shown(told.on_behalf_of)}"
            told_once(console, text, f"{whom}, for {', '.join(told.surfaces)}", told.expires_at)

        here.output.value({"key": text, **_value(told)}, show)

    run(here.output, work)


def listing(context: typer.Context, agent: Annotated[str, typer.Option(help="Of this agent alone.")] = "") -> None:
    """The keys there are and were: of which agent, for whom and what, until when, and when last used."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            await must_be_there(plane, agent)
            now = plane.means.clock.now()
            found = [told_of(each, now) for each in await plane.agent_keys.all(agent)]
        here.output.value([_value(each) for each in found], lambda console: _listed(console, found))

    run(here.output, work)


def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Its id: what stands before the dot.")],
    why: Annotated[str, typer.Option(help="Why; whose calls it refuses is told.", callback=worded)] = "",
) -> None:
    """End a key, from the next request on, and every task that was opened through it, with what waits there."""
    here = context_of(context)

    async def work() -> None:
        name = id_in(key)
        async with here.plane() as plane:
            taken = await plane.revoking.revoke("key", name, by=here.who(), why=why)

        def show(console: Console) -> None:
            console.print(f"[red]revoked[/red] {shown(name)}{' [dim]once more[/dim]' if taken.already else ''}")
            console.print(
                f"  {counted(taken.closed, 'tasks')} closed; {counted(taken.voided, 'waiting actions')} voided"
            )

        value = {"key": name, "already": taken.already, "closed": taken.closed, "voided": taken.voided}
        here.output.value(value, show)

    run(here.output, work)


def _granted(text: str) -> Grant:
    try:
        return read_grant({"tools": json_from(text)})
    except GrantError as error:
        raise UsageError(f"`--tools`: {error}", next_step=f"write it {_TOOLS}") from None


def _amount(text: str) -> tuple[str, int]:
    unit, _, amount = text.partition("=")
    if not unit or not amount.isdecimal() or len(amount) > 15:
        raise UsageError(f"`{text[:60]}` is no budget", next_step="write it as `--budget calls=50`")
    return unit, int(amount)


def _value(key: KeyToldOf) -> dict[str, object]:
    """All of it but the digest."""
    return {
        "id": key.id,
        "agent": key.agent,
        "on_behalf_of": key.on_behalf_of,
        "purpose": key.purpose,
        "for": key.surfaces,
        "bounds": key.bounds,
        "by": key.by,
        "made_at": key.made_at,
        "expires_at": key.expires_at,
        "used_at": key.used_at,
        "revoked_at": key.revoked_at,
        "counts": key.counts,
    }


def _listed(console: Console, found: list[KeyToldOf]) -> None:
    if not found:
        console.print("[dim]there is no key of an agent[/dim]")
        return
    rows = table("id", "agent", "on behalf of", "purpose", "for", "until (UTC)", "last used (UTC)", "")
    for each in found:
        rows.add_row(
            each.id,
            shown(each.agent),
            shown(each.on_behalf_of),
            shown(each.purpose),
            ", ".join(each.surfaces),
            moment(each.expires_at),
            used(each.used_at),
            standing(each.revoked_at, counts=each.counts),
        )
    console.print(rows)
