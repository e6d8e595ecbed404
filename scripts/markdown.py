"""The few shapes of Markdown that generated sections are made of."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar inside a cell does not end it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def mermaid(lines: Iterable[str]) -> str:
    """A fenced picture."""
    return "\n".join(["```mermaid", *lines, "```"])
