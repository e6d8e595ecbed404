"""`policy test`: run the tests of policies."""

from typing import Annotated

import typer
from rich.console import Console

from interlock.bootstrap.site import read_site
from interlock.cli.context import context_of
from interlock.cli.output import Exit, counted, shown
from interlock.cli.places import placed
from interlock.domain.errors import InterlockError, NotFound
from interlock.services.policy_tests import Report, Result

_NAMES = "`interlock policy test` runs all, and names them"


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    policy.command("test")(run_tests)


def run_tests(
    context: typer.Context,
    only: Annotated[str, typer.Option("-k", help="Only tests whose name holds this.")] = "",
) -> None:
    """Run the policies' tests on both engines, and say which policies none of them makes true."""
    here = context_of(context)
    try:
        site = read_site(here.folder)
    except InterlockError as error:
        raise typer.Exit(here.output.fail(error)) from None
    report = site.tested or Report(results=(), covered=(), uncovered=())
    results = [each for each in report.results if only in each.case.name]
    if only and report.results and not results:
        raise typer.Exit(here.output.fail(NotFound(f"no test has `{only}` in its name", next_step=_NAMES)))
    failed = [each for each in results if not each.passed]
    # A failing test is shown as such; what else keeps the workspace out of force is shown, or a green run would mislead.
    wrong = [each for each in site.problems if each.severity == "error"] if site.tested is None or not only else []
    places = {(each.case.file, each.case.line, each.case.column) for each in report.failed}
    problems = [each for each in wrong if (each.file, each.line, each.column) not in places]

    def show(console: Console) -> None:
        for each in results:
            _shown(console, each)
        for problem in problems:
            console.print(placed(problem))
        if site.tested is None:
            return
        beside = f", and {counted(len(problems), 'errors')} beside them" if problems else ""
        passed = f"{len(results) - len(failed)} of {len(results)} passed{beside}"
        if only:
            console.print(f"{passed} (all: {len(report.results)})")
            return
        known = len(report.covered) + len(report.uncovered)
        covered = f"{len(report.covered)} of {known} policies are true in a test ({report.per_cent} %)"
        console.print(f"{passed}; {covered if known else 'there are no policies'}")
        for name in report.uncovered:
            console.print(f"  [yellow]never[/yellow] {shown(name)}")

    here.output.value(
        {
            "ok": not failed and not wrong,
            "tests": [_told(each) for each in results],
            "problems": problems,
            "coverage": {"covered": report.covered, "uncovered": report.uncovered, "per_cent": report.per_cent},
        },
        show,
    )
    if failed or wrong:
        raise typer.Exit(Exit.YOURS)


def _shown(console: Console, result: Result) -> None:
    word = "[green]pass[/green]" if result.passed else "[red]FAIL[/red]"
    console.print(f"{word}  {shown(result.case.name)}")
    if not result.passed:
        console.print(f"      [dim]{shown(result.case.file)}:{result.case.line}[/dim]")
    for line in result.differences:
        console.print(f"      {shown(line)}")


def _told(result: Result) -> dict[str, object]:
    case, decision = result.case, result.decision
    return {
        "name": case.name,
        "file": case.file,
        "line": case.line,
        "passed": result.passed,
        "differences": result.differences,
        "contract": case.contract.name,
        "verdict": None if decision is None else decision.verdict,
        "by": () if decision is None else decision.because,
    }
