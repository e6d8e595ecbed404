"""The fenced blocks of a page of Markdown, and what the first line of one may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from markdown_it import MarkdownIt

INERT = frozenset({"text", "mermaid", "json", "typescript"})
"""Languages of blocks that show something and do nothing. TypeScript is checked and run by `tests/foreign/test_typescript.py`."""
LIVE = frozenset({"python", "output", "console", "bash", "yaml", "toml", "cedar"})

_FILE = re.compile(r"(?:#|//) file: (\S+)")
_ID = re.compile(r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-)?[0-9a-f]{12,}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?")
_VARYING = re.compile(rf"(\.\.\.|{_TIME.pattern}|{_ID.pattern})")
_EXIT = re.compile(r"  # exit (\d+)$", re.MULTILINE)


class Wrong(AssertionError):
    """The page says something that is not so."""


class Block(NamedTuple):
    """One fenced block. `line` is that of its first line of content, from 1."""

    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The file it says it is: its first line is `# file: agents/pricing.yaml` (in Cedar `// file:`)."""
        found = _FILE.fullmatch(self.text.partition("\n")[0].rstrip())
        return found[1] if found else None


class Command(NamedTuple):
    """One command of a console block, what is shown to follow it, and how it should end (`  # exit 2`, else 0)."""

    text: str
    shown: str
    status: int
    line: int


def blocks(page: str) -> list[Block]:
    """Every fenced block of `page`, wherever it stands; an indented block has no language and counts as one of none."""
    return [
        Block(token.info.strip(), token.content, token.map[0] + (2 if token.type == "fence" else 1))
        for token in MarkdownIt().parse(page)
        if token.type in ("fence", "code_block") and token.map
    ]


def commands(block: Block) -> list[Command]:
    """The commands of a console block. One goes on after a backslash, and on lines that begin with `> `. Raises Wrong."""
    found: list[Command] = []
    typed, shown, line = "", list[str](), 0

    def finish() -> None:
        if typed:
            status = _EXIT.search(typed)
            found.append(Command(typed, "\n".join(shown), int(status[1]) if status else 0, line))

    for number, text in enumerate(block.text.splitlines(), start=block.line):
        if text.startswith("$ "):
            finish()
            typed, shown, line = text[2:], [], number
        elif typed and not shown and (typed.endswith("\\") or text.startswith("> ")):
            typed += "\n" + text.removeprefix("> ")
        elif typed:
            shown.append(text)
        else:
            raise Wrong(f"line {number}: a console block begins with a command (`$ `)")
    finish()
    return found


def learned(shown: str, seen: str, known: Mapping[str, str]) -> dict[str, str] | None:
    """What a page's example ids stand for, if `seen` is what the page shows; None if it is not.

    `...` stands for any part of a line, alone on a line for any lines or none. Times differ. An id (12 or more
    hexadecimal digits, or a UUID) stands for one of the same form, the same one wherever the page shows it again:
    `known` are those learned before, the answer holds them and the new ones.
    """
    names: list[str] = []
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else _line_pattern(line.rstrip(), known, names) + r"\n"
        for line in shown.strip("\n").splitlines()
    )
    text = "".join(line.rstrip() + "\n" for line in seen.strip("\n").splitlines())
    found = re.fullmatch(pattern, text)
    return None if found is None else {**known, **dict(zip(names, found.groups(), strict=True))}


def translated(text: str, known: Mapping[str, str]) -> str:
    """`text` with the page's example ids replaced by what they stand for."""
    return _ID.sub(lambda found: known.get(found[0], found[0]), text)


def _line_pattern(line: str, known: Mapping[str, str], names: list[str]) -> str:
    """One line as a pattern; ids that are new on the page become groups, in the order of `names`."""
    parts: list[str] = []
    for part in _VARYING.split(line):
        if part == "...":
            parts.append(".*")
        elif _TIME.fullmatch(part):
            parts.append(_TIME.pattern)
        elif not _ID.fullmatch(part):
            parts.append(re.escape(part))
        elif part in known:
            parts.append(re.escape(known[part]))
        elif part in names:
            parts.append(rf"\{names.index(part) + 1}\b")
        else:
            names.append(part)
            parts.append("(" + re.sub(r"[0-9a-f]+", lambda run: rf"[0-9a-f]{{{len(run[0])}}}", part) + ")")
    return "".join(parts)
