"""A server and what differs of it, as people and programs are told."""

import json
from typing import Any, Final

from rich.console import Console

from interlock.bootstrap.upstreams import Look, by_name
from interlock.cli.output import counted, shown
from interlock.domain.errors import ContractError
from interlock.domain.foreign import foreign
from interlock.domain.upstream import Change, Definition

_LONGEST: Final = 400
_MARK: Final = {"new": "[green]+[/green]", "gone": "[red]-[/red]", "changed": "[yellow]~[/yellow]"}


def value_of(found: Look, *, accepted: bool = False) -> dict[str, Any]:
    """It as JSON."""
    return {
        "server": found.server.name,
        "says": found.present.server,
        "protocol": found.present.protocol,
        "took_ms": found.took_ms,
        "tools": [each.name for each in found.present.tools],
        "prompts": found.present.prompts,
        "resources": found.present.resources,
        "changes": [
            {"tool": each.tool, "kind": each.kind, "fields": each.fields, "now": by_name(found.present).get(each.tool)}
            for each in found.changes
        ],
        "accepted": accepted,
    }


def same(found: Look) -> str:
    """That nothing differs."""
    return f"{shown(found.server.name)} says what was accepted: {counted(len(found.present.tools), 'tools')}"


def checked(console: Console, found: Look) -> None:
    """How it does now."""
    present = found.present
    console.print(
        f"[green]reached[/green] {shown(found.server.name)} in {found.took_ms} ms: {shown(present.server or 'unnamed')}, "
        f"MCP {shown(present.protocol)}, {counted(len(present.tools), 'tools')}, "
        f"{counted(len(present.resources), 'resources')}, {counted(len(present.prompts), 'prompts')}"
    )
    if found.pinned is None:
        console.print(f"nothing of it is accepted yet: [bold]interlock server pin {shown(found.server.name)}[/bold]")
    elif found.changes:
        names = ", ".join(each.tool for each in found.changes)
        console.print(f"[yellow]it says something else[/yellow] than was accepted of {shown(names)}")
        console.print(f"Next: [bold]interlock server diff {shown(found.server.name)}[/bold]")
    else:
        console.print(same(found))


def show(console: Console, found: Look) -> None:
    """All that differs."""
    present = found.present
    console.print(
        f"[bold]{shown(found.server.name)}[/bold] is {shown(present.server or 'unnamed')}, MCP {shown(present.protocol)}"
    )
    if found.words_changed or (found.pinned is None and present.instructions):
        before = "" if found.pinned is None else found.pinned.instructions
        _words(console, "instructions", before, present.instructions)
    if not found.changes:
        console.print(same(found))
    for change in found.changes:
        show_change(console, found, change)


def show_change(console: Console, found: Look, change: Change) -> None:
    """One tool: what it says, or what it says now beside what was accepted."""
    console.print(
        f"\n{_MARK[change.kind]} [bold]{shown(change.tool)}[/bold] {'' if change.kind == 'new' else change.kind}"
    )
    after = by_name(found.present).get(change.tool)
    before = None if found.pinned is None else by_name(found.pinned).get(change.tool)
    if after is None:
        return
    if before is None:
        _words(console, "says", "", after.description or after.title)
        console.print(f"  takes  {shown(_arguments(after))}")
    else:
        for field in change.fields:
            _words(console, field.replace("_", " "), _text(before, field), _text(after, field))
    if after.annotations:
        console.print(f"  [dim]hints (its own word, not believed): {shown(_hints(after))}[/dim]")


def _words(console: Console, what: str, before: str, after: str) -> None:
    if before:
        console.print(f"  [red]- {shown(what)}  {shown(_short(before, after))}[/red]")
    console.print(f"  {'[green]+' if before else '[default]'} {shown(what)}  {shown(_short(after, before))}[/]")


def _short(text: str, other: str) -> str:
    """A long text from where it differs from the other on: what was slipped in at its end must be seen."""
    if len(text) <= _LONGEST:
        return text
    same = next((at for at, (one, two) in enumerate(zip(text, other, strict=False)) if one != two), 0) if other else 0
    begin = max(0, same - 40)
    cut = text[begin : begin + _LONGEST]
    more = len(text) - begin - len(cut)
    return ("..." if begin else "") + cut + (f"... ({more} more characters)" if more > 0 else "")


def _text(tool: Definition, field: str) -> str:
    value = getattr(tool, field)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _arguments(tool: Definition) -> str:
    try:
        bound = foreign(tool.input_schema).schema
    except ContractError as error:
        return f"what no contract can: {error.detail}"
    properties, required = bound["properties"], bound.get("required")
    needed = required if isinstance(required, list) else []
    names = [f"{name}{'' if name in needed else '?'}" for name in properties] if isinstance(properties, dict) else []
    return ", ".join(names) or "nothing"


def _hints(tool: Definition) -> str:
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in sorted(tool.annotations.items()))
