"""Where everything meets: files become values, adapters become means, means become a control plane. Names every adapter."""

import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.explaining import CedarExplainer
from interlock.adapters.cedar.parsing import places
from interlock.adapters.effectors.all import AllEffectors
from interlock.adapters.effectors.functions import Functions
from interlock.adapters.effectors.http_later import LaterHttp
from interlock.adapters.effectors.python import InProcessEffectors, PythonEffectors
from interlock.adapters.keys import KeyFolder, Keys, fresh, verify
from interlock.adapters.memory import MemoryStore
from interlock.adapters.parsing import LaterSql
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.system import SystemClock, SystemIds
from interlock.adapters.workspace import (
    SETTINGS,
    Problem,
    Severity,
    Workspace,
    complete,
    load_modules,
    read_policy_tests,
    read_workspace,
    sound,
    write_workspace,
)
from interlock.attended import Attended
from interlock.domain.contract import Contract, InProcess
from interlock.domain.errors import KeyFileError, PolicyError, StoreError, WorkspaceError
from interlock.domain.ids import StreamId, WorkerId
from interlock.domain.names import listed
from interlock.embedded import Embedded
from interlock.ports.explainer import Explainer
from interlock.ports.steps import Steps
from interlock.sdk.client import Client
from interlock.sdk.home import Home
from interlock.sdk.signature import plain_result, values_of
from interlock.sdk.task import Connection
from interlock.sdk.tool import Hooks, Tool, tools_in
from interlock.services.audit import Verifying
from interlock.services.editions import Definition
from interlock.services.plane import ControlPlane, Means, plane
from interlock.services.policy_tests import Report, run

MEMORY = "memory:"

_PLACED = re.compile(r"(?P<file>[^:]+\.cedar):(?P<line>\d+):(?P<column>\d+): (?P<words>.*)", re.DOTALL)


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace as it was read, with the contracts of its modules, and everything that is wrong with it."""

    workspace: Workspace
    contracts: tuple[Contract, ...]
    problems: tuple[Problem, ...]
    tested: Report | None = None
    """What became of the tests of the policies; None where these, or anything before them, are wrong."""

    def counts(self) -> dict[str, int]:
        """How many there are of each thing."""
        return {
            "agents": len(self.workspace.agents),
            "contracts": len(self.contracts),
            "policy files": len(self.workspace.policies),
            "people": len(self.workspace.people),
        }


def read_site(folder: Path, tools: Sequence[Tool[..., Any]] = ()) -> Site:
    """Read a workspace and import its modules; `tools` are added to those. Raises WorkspaceError if it is none."""
    workspace = read_workspace(folder)
    whole = complete(workspace, tools_in, [each.contract for each in tools])
    problems, tested = whole.problems, None
    if not _wrong(problems):
        problems = (*problems, *_policy_problems(workspace, whole.contracts))
    if not _wrong(problems):
        tested, found = _tests(workspace, whole.contracts)
        problems = (*problems, *found)
    return Site(workspace=workspace, contracts=whole.contracts, problems=problems, tested=tested)


def definition(site: Site) -> Definition:
    """What the site wants in force. Raises WorkspaceError with the first thing that is wrong."""
    sound(site.problems)
    return draft(site)


def draft(site: Site) -> Definition:
    """The same, whatever the tests of its policies say: for whoever tries a policy before it has one."""
    if site.tested is None:
        sound(site.problems)
    workspace = site.workspace
    return Definition(
        agents=workspace.agents,
        contracts=site.contracts,
        policies=workspace.policies,
        people=workspace.people,
        budgets=workspace.settings.budgets,
        publishing=workspace.settings.publishing,
        engine=workspace.settings.engine,
    )


def initialise(folder: Path, name: str) -> list[str]:
    """Write a small workspace and the keys of its log; where there is a workspace already, only the keys it lacks.

    Overwrites nothing. Gives the paths made. Raises WorkspaceError, and KeyFileError where a log is there but its keys
    are not: it cannot go on with others.
    """
    made = [] if (folder / SETTINGS).exists() else [str(path) for path in write_workspace(folder, name)]
    settings = read_workspace(folder).settings
    keys = KeyFolder(settings.keys)
    lacking = keys.lacking()
    if lacking and settings.store.exists():
        raise KeyFileError(f"the log in `{settings.store}` began with keys of which {listed(lacking)} is missing")
    if lacking:
        raise KeyFileError(
            f"of the keys in `{keys.path}`, {listed(lacking)} is missing",
            next_step="restore the backup of the keys; if no log ever began with them, remove the folder and try again",
        )
    if keys.path.exists() and not made:
        raise WorkspaceError(f"`{folder}` is complete: there is nothing to make", next_step="run `interlock check`")
    if settings.store.exists():
        raise KeyFileError(f"`{settings.store}` began with keys that are not in `{settings.keys}`")
    if not keys.path.exists():
        keys.create(f"{settings.tenant}.interlock/log")
        made.append(str(keys.path.relative_to(folder) if keys.path.is_relative_to(folder) else keys.path))
    return made


def connect(folder: Path, *, begin: bool = False, steps: Steps | None = None) -> ControlPlane:
    """The control plane on the workspace in `folder`. With `begin` a store is made where there is none.

    Raises WorkspaceError, KeyFileError and StoreErrors.
    """
    return _connect(_settled(folder), memory=False, begin=begin, steps=steps)[0]


def rehearsing(folder: Path) -> ControlPlane:
    """A control plane of nothing but memory, with the workspace's tools: what is done in it is forgotten with it."""
    return _connect(_settled(folder), memory=True, steps=None)[0]


def explainer() -> Explainer:
    """What says in words why policies are satisfied or not."""
    return CedarExplainer()


def looking(folder: Path) -> ControlPlane:
    """The control plane for somebody who only looks: public keys suffice, and nothing can be written or run."""
    workspace = _settled(folder)
    settings = workspace.settings
    store = SqliteStore.look(settings.store, settings.tenant)
    functions = Functions(values_of, plain_result)
    return _assembled(workspace, store, InProcessEffectors(functions), functions, public_keys(folder), None)


def public_keys(folder: Path) -> Verifying:
    """What the log of the workspace in `folder` is verified with. Raises WorkspaceError and KeyFileError."""
    log, gate = KeyFolder(_settled(folder).settings.keys).public()
    return Verifying(log_key=log, gate_keys=(gate,), verify=verify)


def open(location: str | Path, *, apply: bool = False, tools: Sequence[Tool[..., Any]] = ()) -> Client:  # noqa: A001 the field's word
    """The agent's side of the control plane in a workspace folder.

    `apply=True` brings the workspace as it is on disk into force first. `tools` are tools of this program alone (nested
    functions, those of the main program): the workspace is brought into force together with their contracts.
    `memory:FOLDER` keeps everything in memory, for tests, and always applies. Raises InterlockError.
    """
    text = str(location)
    memory = text.startswith(MEMORY)
    folder = Path(text.removeprefix(MEMORY) or ".")
    control, offered = _connect(_settled(folder), memory=memory, begin=apply or bool(tools), steps=None)

    def register(tool: Tool[..., Any]) -> None:
        _offer(offered, tool)

    for tool in tools:
        register(tool)
    # Home of what is done before there is a client, whose own home is to be the loop of the program.
    before = Home()
    try:
        if apply or memory or tools:
            before.block(control.registry.apply, definition(read_site(folder, tools)), by="open")
    except BaseException:
        before.block(control.means.store.close)
        raise
    finally:
        before.stop()
    return Client(Connection(Embedded(control), Home(), register), Attended(control))


def _settled(folder: Path) -> Workspace:
    """The workspace, whose own settings must be right: a mistake in its `tenant` or `store` would open another log."""
    workspace = read_workspace(folder)
    sound(tuple(each for each in workspace.problems if each.file == SETTINGS))
    return workspace


class _Quiet:
    """Nobody is told of steps."""

    def reached(self, step: str) -> None:
        """Do nothing."""


def _connect(
    workspace: Workspace, *, memory: bool, begin: bool, steps: Steps | None
) -> tuple[ControlPlane, InProcessEffectors]:
    settings = workspace.settings
    load_modules((), settings.pythonpath, tools_in)
    ids = SystemIds()
    stream = StreamId(ids.new())
    functions = Functions(values_of, plain_result)
    offered = InProcessEffectors(functions)
    if memory:
        keys = Keys(log=fresh("memory/log"), gate=fresh("memory/log/gate"))
        store: MemoryStore | SqliteStore = MemoryStore(settings.tenant, LogSealer(keys, stream, ids))
    else:
        if not settings.keys.exists() and not settings.store.exists():
            raise KeyFileError(
                f"there are no keys in `{settings.keys}`, and no log yet",
                next_step=f"make them: `interlock init {workspace.folder}`",
            )
        if not begin and not settings.store.exists():
            # A store that was lost must not be replaced in silence by an empty one, which would verify.
            raise StoreError(
                f"there is no store `{settings.store}`",
                next_step="if there was one, restore its backup; if not, `interlock apply` begins one",
            )
        keys = KeyFolder(settings.keys).load()
        try:
            settings.store.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the store's folder `{settings.store.parent}` cannot be made: {error.strerror}"
            ) from error
        store = SqliteStore.open(settings.store, settings.tenant, LogSealer(keys, stream, ids))
    verifying = Verifying(log_key=keys.log.verifier, gate_keys=(keys.gate.verifier,), verify=verify)
    return _assembled(workspace, store, offered, functions, verifying, steps), offered


def _assembled(
    workspace: Workspace,
    store: MemoryStore | SqliteStore,
    offered: InProcessEffectors,
    functions: Functions,
    verifying: Verifying,
    steps: Steps | None,
) -> ControlPlane:
    ids = SystemIds()
    return plane(
        Means(
            tenant=workspace.settings.tenant,
            worker=WorkerId(f"{socket.gethostname()}:{os.getpid()}:{ids.new()[-6:]}"),
            store=store,
            log=store,
            policies=CedarPolicies(),
            effectors=AllEffectors(python=PythonEffectors(functions), http=LaterHttp(os.environ), in_process=offered),
            parser=LaterSql(),
            clock=SystemClock(),
            ids=ids,
            steps=steps or _Quiet(),
            timing=workspace.settings.timing,
            verifying=verifying,
        )
    )


def _offer(offered: InProcessEffectors, tool: Tool[..., Any]) -> None:
    """Make a tool of this process callable, with the functions beside it."""
    contract = tool.contract
    if isinstance(contract.target, InProcess):
        offered.offer(contract.target.name, tool)
    hooks: Hooks = tool.hooks
    for name, hook in (
        ("lookup", hooks.lookup),
        ("facts", hooks.facts),
        ("postcondition", hooks.postcondition),
        ("prepare", hooks.prepare),
        ("abort", hooks.abort),
    ):
        if hook is not None:
            offered.offer(f"{contract.name}:{name}", hook)


def _policy_problems(workspace: Workspace, contracts: Sequence[Contract]) -> list[Problem]:
    try:
        CedarPolicies([agent.name for agent in workspace.agents]).bundle(workspace.policies, contracts)
    except PolicyError as error:
        return [_placed(text) for text in error.problems]
    return []


def _tests(workspace: Workspace, contracts: Sequence[Contract]) -> tuple[Report, list[Problem]]:
    """The tests of the policies, run; and each that fails, and each policy that none makes true, as a problem in its place.
    Without the setting `policy_tests: advised` they are errors, and keep the workspace out of force."""
    names = [agent.name for agent in workspace.agents]
    tests = read_policy_tests(workspace.folder, contracts, names)
    home = Home()
    try:
        report = home.block(
            run,
            tests.cases,
            policies=CedarPolicies(names),
            parser=LaterSql(),
            sources=workspace.policies,
            contracts=contracts,
            tenant=workspace.settings.tenant,
        )
    finally:
        home.stop()
    severity: Severity = "error" if workspace.settings.policy_tests == "required" else "warning"
    found = list(tests.problems)
    for each in report.failed:
        case = each.case
        message = f"the policy test `{case.name}` fails: {'; '.join(each.differences)}"
        found.append(Problem(file=case.file, line=case.line, column=case.column, message=message, severity=severity))
    where = places(workspace.policies)
    # Where a file cannot be read nobody knows what it would have covered.
    for name in () if _wrong(tests.problems) else report.uncovered:
        message = f"no test makes the policy `{name}` true: add one to policies/tests/"
        place = where[name]
        file = f"policies/{place.file}"
        found.append(Problem(file=file, line=place.line, column=place.column, message=message, severity=severity))
    return report, found


def _wrong(problems: Sequence[Problem]) -> bool:
    return any(each.severity == "error" for each in problems)


def _placed(text: str) -> Problem:
    """`file.cedar:3:1: words` as a problem in that place."""
    found = _PLACED.fullmatch(text)
    if found is None:
        return Problem(file="policies", message=text)
    return Problem(
        file=f"policies/{found['file']}", line=int(found["line"]), column=int(found["column"]), message=found["words"]
    )
