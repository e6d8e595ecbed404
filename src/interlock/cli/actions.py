"""`run`, `work`, `actions`, `show`: proposing, working, looking."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from interlock.bootstrap.connecting import identity_of
from interlock.cli.brakes import lifting
from interlock.cli.bringing import alarm_line
from interlock.cli.context import Context, context_of
from interlock.cli.given import arguments_from
from interlock.cli.moments import span_of
from interlock.cli.output import Exit, moment, run, short, shown, state, table, worded
from interlock.cli.story import show_action, show_contract
from interlock.cli.tasks import show_task
from interlock.cli.writing import write_file
from interlock.domain.action import ENDS, MEANING, SETTLED, Action, State
from interlock.domain.asking import wait_call
from interlock.domain.contract import Contract
from interlock.domain.control import Control
from interlock.domain.duration import DAY
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.filtering import published
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.names import instead
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening
from interlock.embedded import Embedded
from interlock.ports.store import ActionQuery
from interlock.sdk.outcomes import why
from interlock.services.plane import ControlPlane
from interlock.services.task_list import seen
from interlock.workbench.finding import find_either, find_task, must_be_there
from interlock.worker import SLOTS, Worker


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(propose)
    app.command()(work)
    app.command()(actions)
    app.command()(show)


LONGEST_WAIT_MS = 100 * DAY
_OF_AN_ID = frozenset("0123456789abcdef-")


def propose(
    context: typer.Context,
    contract: Annotated[str, typer.Argument(help="The contract's name.")],
    agent: Annotated[str, typer.Option(help="As which agent.")],
    args: Annotated[str, typer.Option(help="The arguments, as a JSON object.")] = "{}",
    purpose: Annotated[str, typer.Option(help="What it is for.")] = "from the command line",
    on_behalf_of: Annotated[str, typer.Option(help="On whose behalf: `user:ana`, or `ana`.", callback=worded)] = "",
    key: Annotated[str, typer.Option(help="Idempotency key: the same key gives the same action.")] = "",
    wait: Annotated[str, typer.Option(help="How long to wait for people or a worker: `90s`, `1h`.")] = "",
    confidence: Annotated[
        int | None, typer.Option(min=0, max=1000, help="How sure the agent says it is, per mille.")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(help="Write there what proves, offline, the last thing recorded of it.")
    ] = None,
) -> None:
    """Propose one action, as an agent would, and run it if it may run."""
    here = context_of(context)

    async def work() -> int:
        arguments = arguments_from(args)
        patience = min(span_of(wait, "--wait"), LONGEST_WAIT_MS) if wait else 0
        if proof is not None:
            # A file that cannot be written is a mistake before anything happens, not after.
            write_file(proof, b"")
        async with here.plane() as plane:
            embedded = Embedded(plane)
            in_force = (await plane.orders.refresh()).control.contracts
            if contract not in in_force:
                advice = instead(contract, in_force, "bring one into force: `interlock apply`")
                raise NotFound(f"no contract `{contract}` is in force", next_step=advice)
            whom = on_behalf_of or here.person or f"system:{agent}"
            initiator = whom if ":" in whom else f"user:{whom}"  # a rule about `user:ana` is not passed by `ana`
            if key:
                await plane.gate.must_be_repeatable(AgentName(agent), key)
            # Bound to no instance: this one ends with the command, and what it proposed may be waited for in another.
            task = await plane.tasks.open(Opening(agent=AgentName(agent), purpose=purpose, initiator=initiator))
            proposal = Proposal(
                task=task,
                contract=ContractName(contract),
                arguments=arguments,
                idempotency_key=key or None,
                confidence=confidence,
            )
            identity = identity_of(plane)
            action = await embedded.propose(await identity.presented(proposal))
            until = plane.means.clock.now() + patience
            while action.state not in SETTLED and (left := until - plane.means.clock.now()) > 0:
                shown = await identity.still(AgentName(agent), partial(wait_call, action.id, task.id, left))
                action = await embedded.wait(action.id, shown, timeout_ms=left, within=task.id)
            if proof is not None:
                write_file(proof, (await plane.audit.proof(action.id)).text.encode())
            await _tell(here, plane, action, missing=await _missing(plane, action))
            return exit_of(action)

    raise typer.Exit(run(here.output, work))


def work(
    context: typer.Context,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when nothing is due.")] = False,
    slots: Annotated[int, typer.Option(min=1, max=1000, help="Actions driven at the same time.")] = SLOTS,
) -> None:
    """Take up whatever is due: approved actions, retries, look-ups, expiries, undos. Any number may run; kill them freely."""
    here = context_of(context)
    workers: list[Worker] = []

    async def loop() -> None:
        async with here.plane() as plane:
            here.output.say(f"working on {shown(str(here.folder))} as {shown(plane.means.worker)}")
            workers.append(Worker(plane, slots=slots))
            await workers[0].run(until_idle=until_idle)

    try:
        run(here.output, loop)
        ended = "nothing is due"
    except KeyboardInterrupt:
        # Stopping a worker is no error: what it held is taken up when the lease runs out.
        ended = "stopped"
    driven = sum(worker.driven for worker in workers)
    badly = sum((worker.badly for worker in workers), Counter[State]())
    here.output.value(
        {"driven": driven, "ended_badly": dict(badly)}, lambda console: _worked(console, driven, badly, ended)
    )


def actions(
    context: typer.Context,
    states: Annotated[list[str] | None, typer.Option("--state", help="Only these states; may be given again.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what waits for a person.")] = False,
    agent: Annotated[str, typer.Option(help="Only this agent's.")] = "",
    contract: Annotated[str, typer.Option(help="Only of this contract.")] = "",
    task: Annotated[str, typer.Option(help="Only of this task, by its id or the end of it.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 30,
) -> None:
    """List actions, newest first."""
    here = context_of(context)

    async def work() -> None:
        wanted = _states(("held", "unknown", "undo_failed") if waiting else tuple(states or ()))
        query = ActionQuery(
            states=wanted,
            agent=AgentName(agent) if agent else None,
            contract=ContractName(contract) if contract else None,
            limit=limit,
        )
        async with here.reading() as plane:
            if task:
                query = msgspec.structs.replace(query, task=(await find_task(plane, task)).id)
            await must_be_there(plane, agent, contract)
            found = await plane.means.store.actions(query)
            total = await plane.means.store.count(query)
            control = await plane.means.store.get(Control, "control")

        def listing(console: Console) -> None:
            if control is not None and control.alarm is not None:
                console.print(alarm_line(control.alarm))
            if not found:
                console.print("[dim]no such actions[/dim]")
                return
            listed = table("action", "when (UTC)", "agent", "contract", "state", "why")
            for each in found:
                listed.add_row(
                    short(each.id),
                    moment(each.proposed_at),
                    shown(each.agent),
                    shown(each.contract),
                    state(each.state),
                    shown("; ".join(why(each)[1])),
                )
            console.print(listed)
            if total > len(found):
                console.print(f"[dim]{len(found)} of {total}; `--limit` shows more[/dim]")

        here.output.value([published(each) for each in found], listing)

    run(here.output, work)


def show(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="An action's or a task's id (or the end of it), or a contract's name.")],
) -> None:
    """One action with its whole life, one task, or one contract."""
    here = context_of(context)

    async def work() -> None:
        async with here.reading() as plane:
            control = (await plane.orders.refresh()).control
            if what in control.contracts:
                contract = await plane.orders.contract(control.contracts[ContractName(what)])
                here.output.value(contract, lambda console: show_contract(console, contract))
                return
            if set(what) - _OF_AN_ID:
                advice = instead(what, control.contracts, "bring one into force: `interlock apply`")
                raise NotFound(f"there is no contract `{what}` in force", next_step=advice)
            found = await find_either(plane, what)
            if isinstance(found, Action):
                await _tell(here, plane, found)
                return
            task = await seen(plane, found, inside=True)
            here.output.value(task, lambda console: show_task(console, task))

    run(here.output, work)


def exit_of(action: Action) -> Exit:
    """The exit code that says how an action stands."""
    if action.state in ("done", "undoing", "undone", "undo_failed"):
        return Exit.OK
    return Exit.NOT_DONE if action.state in ENDS else Exit.WAITING


async def _tell(here: Context, plane: ControlPlane, action: Action, *, missing: str = "") -> None:
    contract: Contract | None = None
    if action.contract_digest:
        contract = await plane.orders.contract(action.contract_digest)
    lift = await lifting(plane, action)
    held = action.state == "held" and not action.withheld
    dossier = await plane.dossiers.of(action.id, here.person) if held else None
    here.output.value(
        published(action),
        lambda console: show_action(console, action, contract, missing=missing, lift=lift, dossier=dossier),
    )
    if since := await plane.audit.erased_since(action):
        here.output.say(f"[yellow]{since}[/yellow]")


async def _missing(plane: ControlPlane, action: Action) -> str:
    """Why an action that only waits for a worker could not be run right here, or nothing."""
    if action.state != "ready":
        return ""
    return plane.means.effectors.missing(await plane.orders.contract(action.contract_digest))


def _worked(console: Console, driven: int, badly: Counter[State], ended: str) -> None:
    bad = ", ".join(f"{count} {state(name)}" for name, count in sorted(badly.items()))
    console.print(f"{driven} driven, {bad}, {ended}" if bad else f"{driven} driven, {ended}")
    if badly:
        options = " ".join(f"--state {name}" for name in sorted(badly))
        console.print(f"[dim]`interlock actions {options}` says why[/dim]")


def _states(words: tuple[str, ...]) -> tuple[State, ...]:
    try:
        return msgspec.convert(words, tuple[State, ...])
    except msgspec.ValidationError:
        unknown = next(word for word in words if word not in MEANING)
        raise ContractError(f"there is no state `{unknown}`", next_step=f"choose among: {', '.join(MEANING)}") from None
