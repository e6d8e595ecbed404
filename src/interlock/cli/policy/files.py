"""`policy fmt`, `policy lint`: policy files in one form, and what is doubtful about them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.tending import policy_findings, policy_forms
from interlock.cli.context import context_of
from interlock.cli.output import Exit, shown
from interlock.domain.errors import InterlockError
from interlock.domain.finding import Finding


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    policy.command("fmt")(fmt)
    policy.command("lint")(lint)


def fmt(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Policy files; all of the workspace if none is named.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if anything would change.")] = False,
) -> None:
    """Put policy files into Cedar's own form. Comments stay, and a file that does not parse is left as it is."""
    here = context_of(context)
    try:
        forms, wrong = policy_forms(here.folder, files or [])
        changed = [each for each in forms if each.changes]
        for each in () if check else changed:
            each.write()
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None

    def show(console: Console) -> None:
        for path in wrong:
            console.print(f"[red]does not parse[/red] {shown(str(path))}: `interlock policy lint` says why")
        for each in changed:
            console.print(f"{'would change' if check else '[green]changed[/green]'} {shown(str(each.path))}")
        same = len(forms) - len(changed)
        console.print(f"{same} of {len(forms) + len(wrong)} files {'are' if same != 1 else 'is'} in form already")

    value = {
        "ok": not wrong and not (check and changed),
        "changed": [str(each.path) for each in changed],
        "unreadable": [str(path) for path in wrong],
        "written": not check,
    }
    here.output.value(value, show)
    if wrong or (check and changed):
        raise typer.Exit(Exit.YOURS)


def lint(context: typer.Context) -> None:
    """Say what is wrong or doubtful about the policies, each at its word. Exit 1 if anything is wrong."""
    here = context_of(context)
    try:
        findings = policy_findings(here.folder)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None
    wrong = [each for each in findings if each.severity == "error"]

    def show(console: Console) -> None:
        for each in findings:
            _shown(console, each)
        doubtful = len(findings) - len(wrong)
        console.print(f"{len(wrong)} wrong, {doubtful} doubtful" if findings else "[green]nothing to say[/green]")

    here.output.value({"ok": not wrong, "findings": findings}, show)
    if wrong:
        raise typer.Exit(Exit.YOURS)


def _shown(console: Console, finding: Finding) -> None:
    colour = "red" if finding.severity == "error" else "yellow"
    where = f"{finding.path}:{finding.line}:{finding.column}"
    console.print(f"{shown(where)}: [{colour}]{finding.severity}[/{colour}]: {shown(finding.told)}", soft_wrap=True)
    for line in finding.caret.split("\n") if finding.caret else ():
        console.print(shown(line.replace("\t", " ")), soft_wrap=True)
