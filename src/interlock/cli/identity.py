"""`interlock identity`: by what running instances are recognised, which there are, and tokens that let one in."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.identifying import Identifying, identifying
from interlock.bootstrap.registering import has_store
from interlock.cli.context import context_of
from interlock.cli.moments import span_of
from interlock.cli.output import counted, moment, run, shown, table
from interlock.cli.story import Line, print_lines
from interlock.domain.ids import AgentName
from interlock.services.instances import Seen
from interlock.workbench.finding import must_be_there


def register(app: typer.Typer) -> None:
    """Add the commands."""
    identity = typer.Typer(
        name="identity",
        help="Running instances of agents: how they are recognised, and which there are.",
        no_args_is_help=True,
    )
    for command in (show, token, instances):
        identity.command()(command)
    app.add_typer(identity)


def show(context: typer.Context) -> None:
    """The trust domain, the key that signs credentials, by what instances are recognised, and how many were seen."""
    here = context_of(context)

    async def work() -> None:
        found, seen = identifying(here.folder), list[Seen]()
        if has_store(here.folder):
            async with here.reading() as plane:
                seen = await plane.instances.seen()
        value = {"identity": found, "instances": len(seen)}
        here.output.value(value, lambda console: print_lines(console, [*_told(found, len(seen))]))

    run(here.output, work)


def token(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(help="Which agent the instance may be.")],
    lasts: Annotated[str, typer.Option(help="How long it counts while nobody uses it; at most a day.")] = "15m",
) -> None:
    """Make a secret by which one instance may be an agent, once. It is shown now and never again."""
    here = context_of(context)

    async def work() -> None:
        lasts_ms = span_of(lasts, "--lasts")
        async with here.plane() as plane:
            secret, made = await plane.inviting.offer(AgentName(agent), by=here.who(), lasts_ms=lasts_ms)
        value = {"agent": agent, "token": secret, "id": made.id, "expires_at": made.expires_at}

        def told(console: Console) -> None:
            console.print(secret, soft_wrap=True)
            until = f"for one instance of {shown(agent)}, until {moment(made.expires_at)} UTC, and once"
            console.print(f"[dim]{until}; it is not shown again[/dim]")

        here.output.value(value, told)
        if "bootstrap" not in identifying(here.folder).attestation.methods:
            here.output.say(
                "[yellow]nobody can use it yet[/yellow]: interlock.yaml lacks `bootstrap` in `identity: {attest: ...}`"
            )

    run(here.output, work)


def instances(
    context: typer.Context,
    agent: Annotated[str, typer.Option(help="Of this agent alone.")] = "",
) -> None:
    """The instances that were seen: those recognised from outside, and those that acted of late."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            await must_be_there(plane, agent)
            found = [each for each in await plane.instances.seen() if not agent or each.agent == agent]
        here.output.value(found, lambda console: _listed(console, found))

    run(here.output, work)


def _told(found: Identifying, seen: int) -> Iterator[Line]:
    yield "trust domain", found.trust_domain
    yield "issuer", found.plane
    yield "key", found.key or "none yet: the next command that writes makes it"
    yield "recognised by", ", ".join(found.attestation.methods)
    for each in found.attestation.oidc:
        yield "", f"oidc: {each.issuer} for {each.audience}, {counted(len(each.subjects), 'subjects')}"
    spire = found.attestation.spire
    if spire is not None:
        yield "", f"spire: {spire.trust_domain}, {counted(len(spire.subjects), 'subjects')}"
    yield "credentials last", f"{found.attestation.lasts_ms // 60_000} min"
    yield "instances seen", f"{seen}; list them: interlock identity instances"


def _listed(console: Console, found: list[Seen]) -> None:
    if not found:
        console.print("[dim]no instance was seen[/dim]")
        return
    rows = table("instance", "agent", "recognised by", "credential until (UTC)", "last acted (UTC)", "")
    for each in found:
        until = "-" if each.expires_at is None else moment(each.expires_at)
        acted = "-" if each.acted_at is None else moment(each.acted_at)
        brake = "[red]stopped[/red]" if each.stopped else ""
        rows.add_row(each.instance, shown(each.agent), each.attested, until, acted, brake)
    console.print(rows)
