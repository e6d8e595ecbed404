"""`interlock key`: API keys, by which programs act as a person."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.cli.context import context_of
from interlock.cli.moments import span_of
from interlock.cli.output import moment, run, shown, table
from interlock.cli.secret_key import id_in, standing, told_once, used, words_in
from interlock.domain.access import PERMISSIONS
from interlock.domain.api_key import ApiKey


def register(app: typer.Typer) -> None:
    """Add the commands."""
    key = typer.Typer(name="key", help="API keys: programs that act as a person.", no_args_is_help=True)
    key.command()(new)
    key.command("list")(listing)
    key.command()(revoke)
    app.add_typer(key)


def new(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="What it is for, in a few words.")],
    scopes: Annotated[str, typer.Option(help=f"What it may open, of: {', '.join(PERMISSIONS)}.")] = "see",
    lasts: Annotated[str, typer.Option(help="How long it counts; at most 365d.")] = "90d",
) -> None:
    """Make a key of your own. It opens what its scopes and your roles both open. It is shown now and never again."""
    here = context_of(context)

    async def work() -> None:
        lasts_ms = span_of(lasts, "--lasts")
        async with here.plane() as plane:
            who = here.who()
            text, made = await plane.api_keys.make(who, label, words_in(scopes), by=who, lasts_ms=lasts_ms)

        def told(console: Console) -> None:
            told_once(console, text, f"opens {', '.join(made.scopes)} as {shown(who)}", made.expires_at)

        here.output.value({"key": text, **_value(made)}, told)

    run(here.output, work)


def listing(context: typer.Context) -> None:
    """The keys there are and were: whose, for what, until when, and when last used."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            found, now = await plane.api_keys.all(), plane.means.clock.now()
        here.output.value([_value(each) for each in found], lambda console: _listed(console, found, now))

    run(here.output, work)


def revoke(
    context: typer.Context, key: Annotated[str, typer.Argument(help="Its id: what stands before the dot.")]
) -> None:
    """End a key of your own, or as an admin anybody's: from its next request on."""
    here = context_of(context)

    async def work() -> None:
        name = id_in(key)
        async with here.plane() as plane:
            who = here.who()
            own = any(each.id == name for each in await plane.api_keys.of(who))
            if not own:
                await plane.accounts.must_administer(who)
            after = await plane.api_keys.revoke(name, by=who, owner=who if own else None)
        here.output.value(_value(after), lambda console: console.print(f"revoked: {shown(after.label)}"))

    run(here.output, work)


def _value(key: ApiKey) -> dict[str, object]:
    """All of it but the digest."""
    return {
        "id": key.id,
        "person": key.person,
        "label": key.label,
        "scopes": key.scopes,
        "made_at": key.made_at,
        "expires_at": key.expires_at,
        "used_at": key.used_at,
        "revoked_at": key.revoked_at,
    }


def _listed(console: Console, found: list[ApiKey], now: int) -> None:
    if not found:
        console.print("[dim]there is no key[/dim]")
        return
    rows = table("id", "person", "for", "opens", "until (UTC)", "last used (UTC)", "")
    for each in found:
        rows.add_row(
            each.id,
            shown(each.person),
            shown(each.label),
            ", ".join(each.scopes),
            moment(each.expires_at),
            used(each.used_at),
            standing(each.revoked_at, counts=each.alive(now)),
        )
    console.print(rows)
