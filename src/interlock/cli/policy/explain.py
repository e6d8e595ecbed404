"""Why an action was decided as it was, and how another would be."""

from collections.abc import Iterable
from typing import Annotated, get_args

import typer

from interlock.cli.context import context_of
from interlock.cli.given import arguments_from
from interlock.cli.output import UsageError, run, worded
from interlock.cli.policy.reasons import show_explanation
from interlock.domain.agent import STAGES, Stage
from interlock.domain.baseline import UNUSUAL, Unusual
from interlock.domain.moment import FORM, moment_of
from interlock.domain.names import instead
from interlock.services.trying import Hypothesis
from interlock.workbench.reasons import DECIDED, explained, tried
from interlock.workbench.sides import FILES, IN_FORCE


def register(policy: typer.Typer) -> None:
    """Add the commands."""
    policy.command()(explain)
    policy.command("try")(try_)


def explain(
    context: typer.Context,
    action: Annotated[str, typer.Argument(help="The action's id, or the end of it.")],
    bundle: Annotated[
        str, typer.Option(help="By which policies: those that `decided` it, `in-force`, `files`, or a digest.")
    ] = DECIDED,
    values: Annotated[bool, typer.Option("--values", help="Show personal and secret values.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Name every policy about something else, too.")] = False,
) -> None:
    """Why an action was decided as it was: every policy, satisfied or not and why. Changes nothing."""
    here = context_of(context)

    async def work() -> None:
        told = await explained(here.folder, action, by=bundle, values=values)
        here.output.value(told, lambda console: show_explanation(console, told, everything=everything))

    run(here.output, work)


def try_(
    context: typer.Context,
    contract: Annotated[str, typer.Argument(help="The contract's name.")],
    agent: Annotated[str, typer.Option(help="As which agent.")],
    args: Annotated[str, typer.Option(help="The arguments, as a JSON object.")] = "{}",
    facts: Annotated[str, typer.Option(help="The facts, as a JSON object.")] = "",
    read_facts: Annotated[
        bool, typer.Option("--read-facts", help="Read the facts by the contract's own function.")
    ] = False,
    user: Annotated[str, typer.Option(help="On behalf of this person, with the roles it holds.", callback=worded)] = "",
    roles: Annotated[str | None, typer.Option(help="With these roles instead: `lead,reviewer`.")] = None,
    stage: Annotated[str, typer.Option(help=f"One of {', '.join(STAGES)}; else the agent's own.")] = "",
    at: Annotated[str, typer.Option(help="At this time: 2026-12-24T18:00, UTC unless it says otherwise.")] = "",
    budget: Annotated[
        list[str] | None, typer.Option(help="With so much left: `EUR=500`, in minor units; may be given again.")
    ] = None,
    confidence: Annotated[int | None, typer.Option(min=0, max=1000, help="Per mille, as the agent says.")] = None,
    purpose: Annotated[str, typer.Option(help="The task's purpose.")] = "a hypothetical",
    depth: Annotated[int, typer.Option(min=0, max=1000, help="How deep the task is nested.")] = 0,
    tainted: Annotated[
        list[str] | None, typer.Option(help="An argument from untrusted content; may be given again.")
    ] = None,
    unusual: Annotated[
        list[str] | None, typer.Option(help=f"As unusual in this: {', '.join(UNUSUAL)}; may be given again.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="As the undo of something.")] = False,
    bundle: Annotated[str, typer.Option(help="By which policies: `files` or `in-force`.")] = FILES,
    values: Annotated[bool, typer.Option("--values", help="Show personal and secret values.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Name every policy about something else, too.")] = False,
) -> None:
    """How an action would be decided, and why. Nothing is proposed, recorded or touched; only `--read-facts` reads."""
    here = context_of(context)

    async def work() -> None:
        wanted = Hypothesis(
            contract=contract,
            agent=agent,
            arguments=arguments_from(args),
            facts=arguments_from(facts) if facts else None,
            read_facts=read_facts,
            initiator=f"user:{user.removeprefix('user:')}" if user else "",
            roles=None if roles is None else tuple(role.strip() for role in roles.split(",") if role.strip()),
            stage=_stage(stage) if stage else None,
            at=_moment(at) if at else None,
            budget=_budget(budget) if budget else None,
            confidence=confidence,
            purpose=purpose,
            depth=depth,
            tainted=tuple(tainted or ()),
            unusual=_unusual(unusual or ()),
            undo=undo,
        )
        if bundle not in (FILES, IN_FORCE):
            raise UsageError(f"`--bundle` is `{FILES}` or `{IN_FORCE}`, not `{bundle}`")
        told = await tried(here.folder, wanted, by=bundle, values=values)
        here.output.value(told, lambda console: show_explanation(console, told, everything=everything))

    run(here.output, work)


def _stage(word: str) -> Stage:
    for stage in get_args(Stage):
        if word == stage:
            found: Stage = stage
            return found
    raise UsageError(f"there is no stage `{word}`", next_step=instead(word, STAGES, ""))


def _unusual(words: Iterable[str]) -> tuple[Unusual, ...]:
    given = set(words)
    for word in sorted(given.difference(UNUSUAL)):
        raise UsageError(f"nothing is unusual in `{word}`", next_step=instead(word, UNUSUAL, ""))
    return tuple(each for each in UNUSUAL if each in given)


def _moment(word: str) -> int:
    try:
        return moment_of(word)
    except ValueError:
        raise UsageError(f"`{word}` is no time", next_step=f"write it as {FORM}") from None


def _budget(words: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        unit, sign, left = word.partition("=")
        if not sign or not unit or not left.isascii() or not left.isdigit():
            raise UsageError(f"`{word}` is no budget", next_step="write it as EUR=500, in minor units")
        found[unit] = int(left)
    return found
