"""An explanation as a person reads it: the answer, how it followed, then every policy and why."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from interlock.cli.output import moment, pairs, safe, shown
from interlock.cli.story import text
from interlock.cli.verdicts import coloured
from interlock.domain.explanation import Considered, Explanation, words
from interlock.domain.policy import Decision

FEW = 8
"""So many policies about something else are named; of more there is the number."""


def show_explanation(console: Console, found: Explanation, *, everything: bool) -> None:
    """The whole of it; of policies about something else only a few unless `everything`."""
    decision = found.decision
    said = f"{coloured(decision.verdict)}  by {_by(decision)}"
    if found.refused:
        why = shown("; ".join(found.refused))
        console.print(
            f"[bold]{shown(found.asked.contract)}[/bold]  [red]refused before policies are asked[/red]: {why}"
        )
        console.print(f"  otherwise it would be: {said}")
    else:
        console.print(f"[bold]{shown(found.asked.contract)}[/bold]  {said}")
    _print_asked(console, found)
    console.print("\n[bold]how it followed[/bold]")
    for number, sentence in enumerate(found.combined, start=1):
        console.print(f"  {number}. {shown(sentence)}")
    live = [each for each in found.policies if each.mode == "enforce"]
    _section(console, "satisfied", [each for each in live if each.standing == "satisfied"])
    _section(console, "could not be evaluated", [each for each in live if each.standing == "failed"])
    _section(console, "not satisfied", [each for each in live if each.standing == "unsatisfied"])
    tried = [each for each in found.policies if each.mode == "shadow" and each.standing != "elsewhere"]
    _section(console, "only tried, in shadow", tried, standing=True)
    elsewhere = [each for each in found.policies if each.standing == "elsewhere"]
    listed = elsewhere if everything else elsewhere[:FEW]
    _section(console, "about something else", listed)
    if len(elsewhere) > len(listed):
        console.print(f"  [dim]and {len(elsewhere) - len(listed)} more; `--all` names them[/dim]")


def place_of(file: str, line: int) -> str:
    """Where a policy of the workspace stands."""
    return f"policies/{file}:{line}"


def _by(decision: Decision) -> str:
    return shown(", ".join(decision.because)) or "nothing"


def _print_asked(console: Console, found: Explanation) -> None:
    asked, around = found.asked, found.asked.around
    lines: list[tuple[str, str]] = [
        ("asked", f"{asked.agent}@{asked.release[:12]} for {asked.initiator}, at {moment(around.asked_at)} UTC"),
        ("stage", around.stage + (", as an undo" if around.undo else "")),
        ("policies", found.bundle[:12]),
    ]
    if around.roles:
        lines.append(("roles", ", ".join(around.roles)))
    if around.unusual:
        lines.append(("unusual", ", ".join(around.unusual)))
    for name, value in asked.arguments.items():
        tainted = "  (from untrusted content)" if name in around.tainted else ""
        lines.append((f"  {name}", text(value) + tainted))
    lines += [(f"  fact {name}", text(value)) for name, value in asked.facts.items()]
    lines += [(f"  parsed {name}", text(value)) for name, value in asked.parsed.items()]
    lines += [(f"  left {unit}", str(left)) for unit, left in around.budget.items()]
    if asked.confidence is not None:
        lines.append(("confidence", f"{asked.confidence} per mille, says the agent"))
    if found.recorded is not None:
        lines.append(("recorded", _recorded(found.recorded, same=bool(found.same))))
    lines += [("note", note) for note in found.notes]
    if asked.hidden:
        lines.append(
            ("hidden", f"values of {', '.join(sorted(set(asked.hidden.values())))} data; `--values` shows them")
        )
    table = pairs()
    for label, value in lines:
        table.add_row(Text(f"  {safe(label)}"), Text(safe(value)))
    console.print(table)


def _recorded(decision: Decision, *, same: bool) -> str:
    if same:
        return "this very answer"
    return f"another answer: {words(decision.verdict)} by {', '.join(decision.because)}, {'; '.join(decision.reasons)}"


def _section(console: Console, title: str, policies: Sequence[Considered], *, standing: bool = False) -> None:
    if not policies:
        return
    console.print(f"\n[bold]{title}[/bold]")
    for each in policies:
        how = f", {_STANDING[each.standing]}" if standing else ""
        place = place_of(each.file, each.line)
        owner = f"of {each.owner}"
        console.print(
            f"  {shown(each.policy)}  {coloured(each.verdict)}{how}  [dim]{shown(place)} {shown(owner)}[/dim]"
        )
        for sentence in each.why:
            console.print(f"      {shown(sentence)}")


_STANDING = {
    "satisfied": "satisfied",
    "unsatisfied": "not satisfied",
    "failed": "could not be evaluated",
    "elsewhere": "",
}
