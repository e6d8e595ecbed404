"""How the day is told: chapters with a time of day, short lines with a mark, the commands people type, quiet tables."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

WIDTH = 108
MARKS = {
    "yes": "[green]✓[/green]",
    "no": "[red]✗[/red]",
    "wait": "[yellow]●[/yellow]",
    "back": "[cyan]↺[/cyan]",
    "dead": "[bold red]†[/bold red]",
    "note": "[dim]·[/dim]",
}


class StoryBroken(Exception):
    """The day did not come to the point at which its story can go on."""


class Teller:
    """Writes to one console."""

    def __init__(self, console: Console | None = None) -> None:
        wide = Console(emoji=False)
        width = min(wide.width, WIDTH) if wide.is_terminal else WIDTH
        self.console = console or Console(highlight=False, emoji=False, width=width)

    def title(self, name: str, text: str) -> None:
        """The head of the whole story."""
        self.console.print()
        self.console.print(f"[bold]{escape(name)}[/bold]")
        self.prose(text)

    def chapter(self, time: str, title: str, text: str = "") -> None:
        """A new chapter."""
        self.console.print()
        self.console.rule(f"[bold]{time}  {escape(title)}[/bold]", align="left", style="dim")
        if text:
            self.prose(text)

    def prose(self, text: str) -> None:
        """A sentence or two that explain what is about to be seen."""
        self.console.print(Padding(f"[dim]{escape(text)}[/dim]", (0, 2)))

    def line(self, mark: str, text: str, why: str = "") -> None:
        """One thing that happened, and in quieter words why."""
        told = f"{MARKS[mark]} {escape(text)}" + (f"  [dim]{escape(why)}[/dim]" if why else "")
        self.console.print(Padding(told, (0, 2)))

    def command(self, person: str, *words: str) -> None:
        """What somebody types."""
        text = " ".join(f"'{word}'" if " " in word or "{" in word else word for word in words)
        self.console.print(Padding(f"[dim]{escape(person)} $[/dim] [bold]interlock {escape(text)}[/bold]", (0, 2)))

    def shell(self, person: str, line: str) -> None:
        """What somebody types who has no Interlock."""
        self.console.print(Padding(f"[dim]{escape(person)} $[/dim] [bold]{escape(line)}[/bold]", (0, 2)))

    def code(self, person: str, line: str, why: str) -> None:
        """What somebody's program says."""
        told = f"[dim]{escape(person)} >>>[/dim] [bold]{escape(line)}[/bold]  [dim]{escape(why)}[/dim]"
        self.console.print(Padding(told, (0, 2)))

    def edit(self, file: str, before: str, after: str) -> None:
        """One changed line of a file."""
        lines = f"[dim]{escape(file)}[/dim]\n[red]- {escape(before)}[/red]\n[green]+ {escape(after)}[/green]"
        self.console.print(Padding(lines, (0, 4)))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> None:
        """A quiet table; the columns in `right` hold figures."""
        shown = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name in head:
            shown.add_column(name, justify="right" if name in right else "left", overflow="fold")
        for row in rows:
            shown.add_row(*row)
        self.console.print(Padding(shown, (0, 4)))

    def progress(self) -> Progress:
        """Progress bars, to be used with `with`."""
        return Progress(
            TextColumn("  {task.description:<14}"),
            BarColumn(bar_width=36),
            MofNCompleteColumn(),
            TextColumn("[dim]{task.fields[said]}[/dim]"),
            TimeElapsedColumn(),
            console=self.console,
        )


def short(identifier: str) -> str:
    """The end of an id, which is enough to name it."""
    return identifier[-8:]


def many(count: int, thing: str) -> str:
    """`1 mail`, `2 mails`."""
    return f"{spaced(count)} {thing}" if count == 1 else f"{spaced(count)} {thing}s"


def spaced(number: int) -> str:
    """`10 000`."""
    return f"{number:,}".replace(",", " ")
