"""`interlock account`: how people sign in to the console, by somebody at the machine that serves."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.addresses import address_of
from interlock.cli.context import Context, context_of
from interlock.cli.output import counted, moment, run, shown, table
from interlock.domain.ids import Person
from interlock.services.accounts import Account
from interlock.services.plane import ControlPlane
from interlock.services.sessions import Listed

Whose = Annotated[str, typer.Argument(help="A name in people.yaml.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    account = typer.Typer(name="account", help="How people sign in to the console.", no_args_is_help=True)
    account.command("list")(listing)
    account.command()(link)
    account.command()(sessions)
    account.command()(revoke)
    account.command("forget-provider")(forget_provider)
    account.command("break-glass")(break_glass)
    account.command("end-glass")(end_glass)
    app.add_typer(account)


def listing(context: typer.Context) -> None:
    """Everybody in people.yaml, what their roles open, and by what they can come in."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = await plane.accounts.all()
        here.output.value(found, lambda console: _accounts(console, found))

    run(here.output, work)


def link(
    context: typer.Context,
    person: Whose,
    url: Annotated[str, typer.Option(help="Where the console is; else as interlock.yaml says.")] = "",
) -> None:
    """Make a one-time link that signs a person in, within ten minutes. It is shown now and never again."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            token, made = await plane.signing_in.offer(Person(person), by=here.person or "interlock.cli")
        address = f"{(url or address_of(here.folder)).rstrip('/')}/sign-in/link/{token}"
        value = {"person": person, "url": address, "expires_at": made.expires_at}

        def told(console: Console) -> None:
            console.print(address, soft_wrap=True)
            console.print(
                f"[dim]signs {shown(person)} in once, until {moment(made.expires_at)} UTC; it is not shown again[/dim]"
            )

        here.output.value(value, told)

    run(here.output, work)


def sessions(context: typer.Context, person: Annotated[str, typer.Argument(help="Of this person alone.")] = "") -> None:
    """Who is signed in, since when, by what, and when they were last seen."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found = [each for each in await plane.sessions.all() if person in ("", each.person)]
        value = [
            {
                "person": each.person,
                "session": each.session.id,
                "way": each.session.way,
                "begun_at": each.session.begun_at,
                "seen_at": each.session.seen_at,
                "browser": each.session.browser,
            }
            for each in found
        ]
        here.output.value(value, lambda console: _sessions(console, found))

    run(here.output, work)


def revoke(
    context: typer.Context,
    person: Whose,
    session: Annotated[str, typer.Option(help="This session alone, by the id that `sessions` shows.")] = "",
) -> None:
    """Sign a person out, everywhere or in one browser: from their next request on."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            who = await _own_or_admin(here, plane, Person(person))
            ended = await plane.sessions.revoke(Person(person), session, by=who)
        here.output.value({"person": person, "ended": ended}, lambda console: console.print(counted(ended, "sessions")))

    run(here.output, work)


def forget_provider(context: typer.Context, person: Whose) -> None:
    """Let an identity provider name a person anew: by another account of theirs than before."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            who = here.who()
            await plane.accounts.must_administer(who)
            forgot = await plane.signing_in.forget_provider(Person(person), by=who)
        here.output.value(
            {"person": person, "forgot": forgot},
            lambda console: console.print("forgotten" if forgot else "no provider ever named them"),
        )

    run(here.output, work)


def break_glass(
    context: typer.Context, why: Annotated[str, typer.Option(help="What is happening; others will read it.")]
) -> None:
    """In an emergency: for half an hour decide and operate whatever role is asked. Never about your own request."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            glass = await plane.breaking.begin(here.who(), why=why)
        value = {"person": here.person, "glass": glass.id, "until_at": glass.until_at}
        here.output.value(
            value, lambda console: console.print(f"the glass is broken until {moment(glass.until_at)} UTC, on record")
        )

    run(here.output, work)


def end_glass(
    context: typer.Context, person: Annotated[str, typer.Argument(help="Somebody else, as an admin.")] = ""
) -> None:
    """End it before its time."""
    here = context_of(context)

    async def work() -> None:
        async with here.plane() as plane:
            whose = Person(person) if person else here.who()
            ended = await plane.breaking.end(whose, by=await _own_or_admin(here, plane, whose))
        here.output.value(
            {"person": whose, "ended": ended},
            lambda console: console.print("ended" if ended else "no glass was broken"),
        )

    run(here.output, work)


async def _own_or_admin(here: Context, plane: ControlPlane, person: Person) -> Person:
    who = here.who()
    if who != person:
        await plane.accounts.must_administer(who)
    return who


def _accounts(console: Console, found: list[Account]) -> None:
    if not found:
        console.print("[dim]people.yaml names nobody: name people and their roles, then `interlock apply`[/dim]")
        return
    rows = table("person", "roles", "opens", "comes in by", "sessions", "keys")
    for each in found:
        ways = [name for name, there in (("password", each.password), ("provider", each.provider)) if there]
        rows.add_row(
            shown(each.person),
            shown(", ".join(each.roles)) or "[red]none any more[/red]",
            ", ".join(each.permissions),
            ", ".join(ways) or "[dim]a link[/dim]",
            str(each.sessions),
            str(each.keys),
        )
    console.print(rows)


def _sessions(console: Console, found: list[Listed]) -> None:
    if not found:
        console.print("[dim]nobody is signed in[/dim]")
        return
    rows = table("session", "person", "by", "since (UTC)", "last seen (UTC)", "browser")
    for each in found:
        session = each.session
        rows.add_row(
            session.id,
            shown(each.person),
            session.way,
            moment(session.begun_at),
            moment(session.seen_at),
            shown(session.browser[:40]),
        )
    console.print(rows)
