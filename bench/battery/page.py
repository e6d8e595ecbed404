"""The table of docs/battery.md."""

from pathlib import Path
from platform import machine, python_version, system

import msgspec


class Found(msgspec.Struct, frozen=True):
    """What the battery found of one peer."""

    name: str
    versions: dict[str, str]
    setup: str
    rows: dict[str, str]


BEGIN, END = "<!-- measured: peers -->", "<!-- /measured -->"


def table(results: list[Found]) -> str:
    """A row for each thing that was done, a column for each peer."""
    rows: list[str] = []
    for found in results:
        rows += [row for row in found.rows if row not in rows]
    lines = [
        "| what was done | " + " | ".join(found.name for found in results) + " |",
        "| --- |" + " --- |" * len(results),
    ]
    lines += [f"| {row} | " + " | ".join(found.rows.get(row, "-") for found in results) + " |" for row in rows]
    return "\n".join(lines)


def setups(results: list[Found]) -> str:
    """What was installed, and how it was set up."""
    lines = ["| peer | versions | how it was set up |", "| --- | --- | --- |"]
    for found in results:
        versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
        lines.append(f"| {found.name} | {versions or '-'} | {found.setup} |")
    return "\n".join(lines)


def write(results: list[Found], page: Path) -> None:
    """Put the tables between the marks of the page, which says the rest."""
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    where = f"Run with Python {python_version()} on {system()} {machine()}."
    drawn = "\n".join([BEGIN, table(results), "", setups(results), "", where, END])
    page.write_text(head + drawn + tail, encoding="utf-8")
