"""What the commands about keys of people and those of agents have in common: a secret shown once, its id, how one stands."""

from rich.console import Console

from interlock.cli.output import moment
from interlock.domain.agent_key import AGENT_KEY
from interlock.domain.api_key import API_KEY


def told_once(console: Console, text: str, what: str, until: int) -> None:
    """The secret on a line of its own, as it is to be copied, and what it does."""
    console.print(text, soft_wrap=True)
    console.print(f"[dim]{what}, until {moment(until)} UTC; it is not shown again[/dim]")


def words_in(text: str) -> tuple[str, ...]:
    """The words of an option that takes several, by commas."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


def id_in(text: str) -> str:
    """The id of a key, of whichever kind: what stands before its dot. A whole key will do; only its id is looked
    for."""
    return text.partition(".")[0].removeprefix(AGENT_KEY.prefix).removeprefix(API_KEY.prefix)


def used(at: int | None) -> str:
    """When it was last used, as a cell of a list."""
    return moment(at)[:10] if at else "never"


def standing(revoked_at: int | None, *, counts: bool) -> str:
    """How it stands, as a cell of a list; empty: it counts."""
    if revoked_at:
        return "[red]revoked[/red]"
    return "" if counts else "[dim]over[/dim]"
