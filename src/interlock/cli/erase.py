"""`erase`: what would go, propose it, agree to it, and what became of it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypedDict

import msgspec
import typer
from rich.console import Console

from interlock.bootstrap import forgetting, keeping
from interlock.cli.context import Context, context_of
from interlock.cli.holds import DataClass, Subject, holding
from interlock.cli.output import Exit, UsageError, counted, moment, run, short, shown, table, worded
from interlock.domain.disclosure import DisclosureError
from interlock.domain.disclosure import parse as parse_disclosure
from interlock.domain.erasing import Erasure
from interlock.domain.erasure import ranges_of
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.evidence import Entry
from interlock.domain.ids import ErasureId, TaskId
from interlock.domain.statement import shred_said
from interlock.services.erasable import Plan
from interlock.services.erasing import NEXT_KIND, Target
from interlock.services.plane import ControlPlane
from interlock.workbench.searches import followed

_LISTED = 10

Why = Annotated[str, typer.Option(help="Why, naming nobody; kept until it is carried out.", callback=worded)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(erase)
    app.add_typer(holding, name="hold")


def erase(
    context: typer.Context,
    subject: Subject = "",
    data_class: DataClass = "",
    propose: Annotated[bool, typer.Option("--propose", help="Propose it; without this nothing is changed.")] = False,
    accept: Annotated[str, typer.Option(help="Agree to a proposal, and carry it out.", callback=worded)] = "",
    withdraw: Annotated[str, typer.Option(help="Take a proposal back.", callback=worded)] = "",
    listing: Annotated[bool, typer.Option("--list", help="What was proposed, and what became of it.")] = False,
    why: Why = "",
    export: Annotated[
        Path | None, typer.Option(help="Write the list of all erasures there, to keep outside: it names nobody.")
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option(help="Carry out again what such a list tells of, on what was restored from before it."),
    ] = None,
) -> None:
    """Erase what is private about a person, or a class of data whose time is over. Two persons agree; the proof stays.

    With `--subject` or `--class` alone it says what would go.
    """
    here = context_of(context)
    _one_thing(
        bool(subject or data_class), bool(accept), bool(withdraw), listing, bool(export), bool(again), propose=propose
    )
    asked = Target(subject=subject, data_class=data_class)

    async def planning() -> int:
        async with here.reading() as plane:
            plan = await plane.erasing.plan(asked)
        here.output.value(_told(plan), lambda console: _show_plan(console, plan, asked))
        return Exit.OK

    async def proposing() -> int:
        async with here.plane() as plane:
            made = await plane.erasing.propose(asked, here.who(), why=why)
            plan = await plane.erasing.due(made.id)
            people = (await plane.orders.refresh()).control.people

        def show(console: Console) -> None:
            _show_plan(console, plan, asked, asked=False)
            console.print(f"[yellow]proposed[/yellow] erasure {short(made.id)}; nothing is erased yet")
            console.print(f"[dim]somebody else agrees: `interlock erase --accept {short(made.id)} --as NAME`[/dim]")
            if not any(roles for person, roles in people.items() if person != made.proposed_by):
                console.print(
                    "[yellow]nobody else holds a role here[/yellow], so nobody can agree: name somebody in people.yaml, "
                    "then `interlock apply`"
                )

        here.output.value({**_told(plan), "erasure": made.id, "state": made.state}, show)
        return Exit.WAITING

    if export is not None or again is not None:
        raise typer.Exit(run(here.output, lambda: _kept_outside(here, export, again)))
    if accept or withdraw:
        raise typer.Exit(run(here.output, lambda: _accepted(here, accept) if accept else _withdrawn(here, withdraw)))
    work = (lambda: _listed(here)) if listing else proposing if propose else planning
    raise typer.Exit(run(here.output, work))


async def _accepted(here: Context, name: str) -> int:
    """Agree to a proposal, having shown what goes; and tell what was left."""
    left = due = Plan()
    async with here.plane() as plane:
        found = await _erasure(plane, name)
        target = Target(subject=found.subject, data_class=found.data_class)
        if found.state in ("open", "erasing"):
            due = await plane.erasing.due(found.id)
            if not here.output.json and here.who() != found.proposed_by:  # before it is gone
                here.output.value(None, lambda console: _show_plan(console, due, target, agreed=True))
        after = await plane.erasing.accept(found.id, here.who())
        with suppress(ContractError):  # the class is kept for no time any more
            left = await plane.erasing.plan(target)
    await followed(here.folder)
    told = {**_told(due), "erasure": after.id, "state": after.state, "parts": parts_of(after)}
    told |= {"unsettled": list(left.unsettled), "held": dict(left.held)}
    here.output.value(told, lambda console: _show_accepted(console, after, due, left))
    return Exit.WAITING if after.state == "open" else Exit.OK


def _show_accepted(console: Console, after: Erasure, due: Plan, left: Plan) -> None:
    if after.state == "open":
        console.print(f"[yellow]one of two[/yellow] agreed to {short(after.id)}: somebody else says the same")
        return
    verified = "`interlock verify` shows that the log still verifies"
    console.print(f"[green]{after.state}[/green] {short(after.id)} in {counted(parts_of(after), 'parts')}; {verified}")
    _show_left(console, left)
    if due.since:
        since = f"left because they came, or could go, only after it was proposed: {len(due.since)}"
        console.print(f"[yellow]{since}[/yellow]; propose these anew")
    console.print(
        "[dim]what tools wrote into the systems they act on stays there: erase it there, by their own means[/dim]"
    )


async def _withdrawn(here: Context, name: str) -> int:
    """Take a proposal back."""
    async with here.plane() as plane:
        after = await plane.erasing.withdraw((await _erasure(plane, name)).id, here.who())
    told = {"erasure": after.id, "state": after.state, "parts": after.parts}
    here.output.value(told, lambda console: console.print(f"[green]{after.state}[/green] {short(after.id)}"))
    return Exit.OK


def _fields(erasure: Erasure) -> dict[str, object]:
    """For programs: every field that says something."""
    told: dict[str, object] = msgspec.to_builtins(erasure)
    return told | {"state": erasure.state, "parts": parts_of(erasure)}


def parts_of(erasure: Erasure) -> int:
    """In how many parts it was carried out: its own record is the last."""
    return erasure.parts + (erasure.state == "erased")


async def _listed(here: Context) -> int:
    """Every erasure, with what the log tells of those that were carried out."""
    async with here.reading() as plane:
        found = await plane.erasing.erasures()
        words = agreed(await plane.means.log.marked("erased"))
    found += [_told_by_log(each, words[each]["entries"]) for each in sorted(words.keys() - {each.id for each in found})]
    nobody: Agreed = {"agreed": [], "entries": []}
    value = [{**_fields(each), **words.get(each.id, nobody)} for each in found]
    here.output.value(value, lambda console: _show_all(console, found, words))
    return Exit.OK


def _told_by_log(name: ErasureId, entries: Sequence[int]) -> Erasure:
    """An erasure that was carried out again, of which only the log's entries are here: its record is of after the backup."""
    return Erasure(
        id=name, basis="again", proposed_by="", proposed_at=0, state="erased", parts=len(entries) - 1, withheld="erased"
    )


async def _kept_outside(here: Context, export: Path | None, again: Path | None) -> int:
    """Write the list of erasures, or carry out again what one tells of."""
    if export is not None:
        kept = await forgetting.export(here.folder, export)
        said = f"{counted(kept.parts, 'parts')} of erasures, as the log of {counted(kept.size, 'entries')} tells them"
        here.output.value(kept, lambda console: console.print(f"written to {shown(str(export))}: {said}"))
        return Exit.OK
    if again is not None:
        keeping.known(here.folder, here.who())
        done = await forgetting.again(here.folder, again)
        await followed(here.folder)

        here.output.value(done, lambda console: _show_again(console, done))
        return Exit.OK if done.whole else Exit.EVIDENCE
    return Exit.OK


def _show_again(console: Console, done: forgetting.Again) -> None:
    if done.destroyed or done.entries:
        console.print(
            f"[green]erased again[/green]: the keys of {counted(done.destroyed, 'parts')} of {done.parts}, and the clear "
            f"texts of {counted(done.cleared, 'entries')}; `interlock verify` shows it"
        )
    else:
        console.print(f"[green]nothing is left to be done[/green] of {counted(done.parts, 'parts')} of erasures")
    if not done.whole:
        console.print(
            "[bold red]the list may lack erasures[/bold red]: nobody who can be believed sealed it as whole, as a list of an "
            "earlier version; feed back another copy, or say whom to erase: `interlock erase --propose`"
        )
    if done.listed > done.size:
        console.print(
            f"[yellow]the end of the log is missing here[/yellow]: the list is of one of {counted(done.listed, 'entries')}, "
            f"and this had {done.size}"
        )


def _one_thing(named: bool, *others: bool, propose: bool) -> None:
    """Raises UsageError where none, or more than one thing, was asked for."""
    if named + sum(others) > 1:
        raise UsageError(
            "one thing at a time: what to erase (`--subject` or `--class`), `--accept`, `--withdraw`, `--list`, "
            "`--export` or `--again`",
            next_step="leave the others out: a proposal that is accepted or withdrawn knows what it is about",
        )
    if not (named or any(others)) or (propose and not named):
        raise UsageError(
            "say what to erase (`--subject` or `--class`), or one of `--accept`, `--withdraw`, `--list`, `--export` and "
            "`--again`",
            next_step='begin with `interlock erase --subject "customer:c-17"`: it changes nothing',
        )


async def _erasure(plane: ControlPlane, name: str) -> Erasure:
    """The erasure whose id is `name`, or ends so. Raises NotFound."""
    found = [each for each in await plane.erasing.erasures() if each.id.endswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"`{name}` is the end of {len(found)} erasures", next_step="write more of it")
    return await plane.erasing.get(ErasureId(name))


def _told(plan: Plan) -> dict[str, object]:
    """A plan, for programs: counts, and the ids of what is left."""
    return {
        "actions": len(plan.actions),
        "tasks": len(plan.tasks),
        "beside": len(plan.beside),
        "entries": plan.entries,
        "reversible": plan.reversible,
        "unsettled": list(plan.unsettled),
        "tasks_open": dict(plan.tasks_open),
        "held": dict(plan.held),
        "works_here": plan.works_here,
        "named": plan.named,
        "since": list(plan.since),
    }


def _show_plan(console: Console, plan: Plan, target: Target, *, asked: bool = True, agreed: bool = False) -> None:
    """What goes, and what is left. `asked`: nothing was proposed yet; `agreed`: it is what two persons agreed to."""
    what = target.subject or f"class {target.data_class}"
    if target.subject and plan.nothing:
        console.print(f"[yellow]nothing here is about {shown(what)}[/yellow]: there is nothing to erase")
        erased = "what was erased is named nowhere any more: `interlock erase --list` says when it was"
        console.print(f"[dim]{erased if ':' in what else NEXT_KIND}[/dim]")
        return
    console.print(f"{'agreed to, of' if agreed else 'to erase of'} {shown(what)}")
    rows = table("", "")
    rows.add_row("actions", str(len(plan.actions)))
    rows.add_row("tasks", str(len(plan.tasks)))
    if plan.beside:
        rows.add_row("what people wrote beside them: requests to undo, lifted holds, brakes", str(len(plan.beside)))
    rows.add_row("entries of the log whose clear texts go", str(plan.entries))
    if plan.reversible:
        rows.add_row("of these actions, cannot be undone afterwards", str(plan.reversible))
    if plan.named:
        rows.add_row("about somebody else, keep the initiator's name", str(plan.named))
    console.print(rows)
    if agreed:
        return
    _show_left(console, plan)
    if asked:
        then = "propose it with `--propose --why ... --as NAME`" if plan.goes else "nothing of it can go now"
        console.print(f"[dim]nothing was changed; {then}[/dim]")


def _show_left(console: Console, plan: Plan) -> None:
    """What is not erased although it is about what was named."""
    for hold, count in plan.held.items():
        console.print(f"left because of hold {short(hold)}: {count}")
    if plan.works_here:
        console.print("left because they hold a role here: how they sign in, and their keys; people.yaml says who does")
    if plan.unsettled:
        console.print(f"left because they are not settled: {len(plan.unsettled)}; erase them when they are")
    for each in plan.unsettled[:_LISTED]:
        until = plan.tasks_open.get(TaskId(each))
        if until is None:
            console.print(f"  not settled: action {short(each)}; what it waits for: `interlock show {short(each)}`")
            continue
        console.print(
            f"  not settled: task {short(each)}, open until {moment(until)} UTC; "
            f"`interlock task close {short(each)} --as NAME --why ...` ends it before"
        )


class Agreed(TypedDict):
    """What the log tells of an erasure that was carried out."""

    agreed: list[str]
    entries: list[int]


def agreed(entries: Sequence[Entry]) -> dict[ErasureId, Agreed]:
    """By erasure, who agreed and which entries say so. The names stand in its last part, whose key is its own."""
    found: dict[ErasureId, Agreed] = {}
    for entry in entries:
        said = shred_said(entry.leaf)
        if said is None:
            continue
        told = found.setdefault(ErasureId(said.erasure), {"agreed": [], "entries": []})
        told["entries"].append(entry.index)
        for text in entry.disclosures:
            with suppress(DisclosureError):
                parsed = parse_disclosure(text)
                if parsed.name == "by" and isinstance(parsed.value, list):
                    told["agreed"] = [str(each) for each in parsed.value]
    return found


def _show_all(console: Console, found: list[Erasure], words: Mapping[ErasureId, Agreed]) -> None:
    rows = table("erasure", "state", "basis", "what", "covers", "proposed", "by", "ended", "agreed", "entries")
    for each in found:
        what = each.subject or (f"class {each.data_class}" if each.data_class else f"({each.withheld or '-'})")
        rows.add_row(
            short(each.id),
            each.state,
            each.basis,
            shown(what),
            ", ".join(counted(count, f"{kind}s".replace("_", " ")) for kind, count in each.covers.items()) or "-",
            moment(each.proposed_at or None),
            shown(each.proposed_by) or ("the schedule" if each.scheduled else "-"),
            moment(each.ended_at),
            shown(", ".join(words[each.id]["agreed"])) if each.id in words else "-",
            ranges_of(words[each.id]["entries"]) if each.id in words else "-",
        )
    console.print(rows if found else "[dim]nothing was ever proposed[/dim]")
