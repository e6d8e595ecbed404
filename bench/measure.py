"""Measuring on a machine that others use too: CPU time rather than the clock, medians of many, ratios within one run."""

import time
from collections.abc import Awaitable, Callable, Sequence

import apsw
import msgspec
from rich.console import Console
from rich.table import Table

CONSOLE = Console(width=110, highlight=False)


class Spread(msgspec.Struct, frozen=True):
    """Microseconds of CPU (all threads of the process) and of wall time."""

    p50: float
    p99: float
    wall_p50: float


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


async def spread(work: Callable[[int], Awaitable[None]], count: int, *, warm: int = 100) -> Spread:
    """Run `work` `count` times, one after the other."""
    for number in range(warm):
        await work(number)
    cpu, wall = list[float](), list[float]()
    for number in range(warm, warm + count):
        began, began_wall = time.process_time_ns(), time.perf_counter_ns()
        await work(number)
        cpu.append((time.process_time_ns() - began) / 1000)
        wall.append((time.perf_counter_ns() - began_wall) / 1000)
    cpu.sort()
    wall.sort()
    return Spread(percentile(cpu, 0.5), percentile(cpu, 0.99), percentile(wall, 0.5))


class CountingVfs(apsw.VFS):
    """The file system with its syncs counted, as the default for connections opened after it."""

    def __init__(self) -> None:
        super().__init__("counting", base="unix", makedefault=True)
        self.syncs = 0

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> "CountingFile":  # noqa: N802 apsw's name
        """Open a file whose syncs are counted here."""
        return CountingFile(self, name, flags)


class CountingFile(apsw.VFSFile):
    """One file of it."""

    def __init__(self, vfs: CountingVfs, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 apsw's name
        """Count, and sync."""
        self._vfs.syncs += 1
        super().xSync(flags)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold", header_style="dim")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    CONSOLE.print(table)
    if note:
        CONSOLE.print(f"[dim]{note}[/dim]")
    CONSOLE.print()
