"""Where everything meets: files become values, adapters become means, means become a control plane. Names every adapter."""

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.explaining import CedarExplainer
from interlock.adapters.cedar.files import Reformatted, reformatted
from interlock.adapters.cedar.formatting import formatted
from interlock.adapters.cedar.parsing import places
from interlock.adapters.cedar.symbolic import Z3Solver
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
    Problems,
    Severity,
    Workspace,
    complete,
    load_modules,
    read_cases,
    read_policy_tests,
    read_workspace,
    sound,
    write_workspace,
)
from interlock.adapters.workspace.candidate_file import CandidateFile, candidate_file
from interlock.adapters.workspace.starters import (
    Names,
    Starter,
    agent_of,
    policies_of,
    samples_of,
    starter_called,
    write_new,
)
from interlock.adapters.workspace.starters.matrix import matrix_files
from interlock.attended import Attended
from interlock.domain.contract import Contract, InProcess
from interlock.domain.errors import KeyFileError, PolicyError, StoreError, WorkspaceError
from interlock.domain.finding import Finding
from interlock.domain.ids import StreamId, WorkerId
from interlock.domain.names import listed
from interlock.domain.oversight import REVIEWER
from interlock.domain.policy_case import PolicyCase
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
from interlock.services.proving import Proving

MEMORY = "memory:"


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


def policy_findings(folder: Path) -> tuple[Finding, ...]:
    """Everything wrong or doubtful about the policies of a workspace, and which files are not in Cedar's form. Raises
    WorkspaceError where anything else is wrong with it: policies are held against the contracts."""
    workspace = read_workspace(folder)
    whole = complete(workspace, tools_in, [])
    sound(whole.problems)
    found = list(_findings(workspace, whole.contracts))
    for file, text in sorted(workspace.policies.items()):
        if formatted(file, text) not in (None, text):
            said = "it is not in Cedar's own form: `interlock policy fmt`"
            found.append(Finding(severity="warning", message=said, file=file, line=1, column=1, end_column=1))
    return tuple(sorted(found, key=lambda each: (each.file, each.line, each.column)))


def policy_forms(folder: Path, files: Sequence[Path]) -> tuple[list[Reformatted], list[Path]]:
    """Cedar's own form of policy files, else of all in the workspace; and those that do not parse. Raises PolicyError."""
    return reformatted(files or sorted((folder / "policies").glob("*.cedar")))


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


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What was written to begin with."""

    files: list[str]
    agent: str
    contract: str = ""
    """Which one the policies are about; empty for all."""
    todo: list[str] = []
    """What is left to a person."""


def begin_policies(folder: Path, name: str, *, agent: str = "", contracts: Mapping[str, str] | None = None) -> Begun:
    """Write the policies `name` to begin with, and their tests, about a contract of the workspace that they fit; where
    there is none, about a sample that is written as well. `contracts` says by role which one is meant. Overwrites nothing.

    Raises WorkspaceError, also where the one that is meant does not fit, with what it lacks.
    """
    starter = starter_called(name)
    meant = dict(contracts or {})
    wanted = meant.pop(starter.role, "")
    if meant:
        raise WorkspaceError(
            f"`{next(iter(meant))}` is no contract of this starter", next_step=f"write `--contract {starter.role}=NAME`"
        )
    workspace = _settled(folder)
    whole = complete(workspace, tools_in)
    sound(whole.problems)
    known = {str(each.name): each for each in whole.contracts}
    if wanted and wanted not in known:
        raise WorkspaceError(f"there is no contract `{wanted}`", next_step=f"there are {', '.join(sorted(known))}")
    acting = sorted(name for name, each in known.items() if each.acts and name != starter.contract)
    first = [starter.contract] if starter.contract in known else []
    why = ""
    for candidate in [wanted] if wanted else [*first, *acting]:
        names = _names(workspace, starter, candidate, agent, known[candidate].owner)
        misfit = _misfit(workspace, whole.contracts, starter, names)
        if not misfit:
            return _written(workspace, policies_of(starter, names), names)
        why = misfit if candidate in (wanted, starter.contract) else why
    if wanted or any(each in known for each in (starter.contract, *starter.also)):
        raise WorkspaceError(
            f"`{wanted or starter.contract}` does not fit these policies: {why or 'a sample of theirs has its name'}",
            next_step=f"give it what it lacks, or name another: `--contract {starter.role}=NAME`",
        )
    names = _names(workspace, starter, starter.contract, agent, starter.owner)
    return _written(workspace, {**samples_of(starter), **policies_of(starter, names)}, names)


def begin_matrix(folder: Path, *, confidence: int, agent: str = "") -> Begun:
    """Write the oversight matrix as policies, with a test for each of its cells. Overwrites nothing. Raises WorkspaceError."""
    workspace = _settled(folder)
    agents = [str(each.name) for each in workspace.agents]
    files = matrix_files(
        confidence=confidence,
        agent=agent,
        agents=agents[0] if agents else "anybody",
        approver=_approver(workspace),
        owner="oversight",
    )
    return Begun(files=write_new(folder, files), agent=agent)


def connect(folder: Path, *, begin: bool = False, steps: Steps | None = None) -> ControlPlane:
    """The control plane on the workspace in `folder`. With `begin` a store is made where there is none.

    Raises WorkspaceError, KeyFileError and StoreErrors.
    """
    return _connect(_settled(folder), memory=False, begin=begin, steps=steps)[0]


def rehearsing(folder: Path) -> ControlPlane:
    """A control plane of nothing but memory, with the workspace's tools: what is done in it is forgotten with it."""
    return _connect(_settled(folder), memory=True, begin=False, steps=None)[0]


def candidate(folder: Path, policy: str) -> CandidateFile:
    """A policy in shadow mode in its file, to be promoted or dropped. Raises WorkspaceError, NotFound and IllegalMove."""
    return candidate_file(_settled(folder).folder, policy)


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


def proving(tenant: str) -> Proving:
    """Who searches among all possible requests. The solver is an optional part of the installation, looked for when asked."""
    return Proving(Z3Solver(), CedarPolicies(), tenant)


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
        found = _findings(workspace, contracts)
    except PolicyError as error:
        return [Problem(file="policies", message=text) for text in error.problems]
    return [_placed(each) for each in found]


def _findings(workspace: Workspace, contracts: Sequence[Contract]) -> tuple[Finding, ...]:
    # Where nobody is named yet, nobody knows which roles there will be.
    roles = {role for held in workspace.people.values() for role in held} or None
    language = CedarPolicies([agent.name for agent in workspace.agents], roles)
    return language.findings(workspace.policies, contracts, at=SystemClock().now())


def _tests(workspace: Workspace, contracts: Sequence[Contract]) -> tuple[Report, list[Problem]]:
    """The tests of the policies, run; and each that fails, and each policy that none makes true, as a problem in its place.
    Without the setting `policy_tests: advised` they are errors, and keep the workspace out of force."""
    names = [agent.name for agent in workspace.agents]
    tests = read_policy_tests(workspace.folder, contracts, names)
    report = _report(tests.cases, workspace, workspace.policies, contracts, names)
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


def _names(workspace: Workspace, starter: Starter, contract: str, agent: str, owner: str) -> Names:
    """What stands in the places of a starter: an agent that may use the contract, where there is one."""
    able = [str(each.name) for each in workspace.agents if contract in each.capabilities]
    return Names(
        agent=agent or (able[0] if able else starter.agent),
        contract=contract,
        approver=_approver(workspace),
        owner=owner or starter.owner,
    )


def _approver(workspace: Workspace) -> str:
    """A role that somebody holds."""
    roles = sorted({role for held in workspace.people.values() for role in held})
    return REVIEWER if REVIEWER in roles or not roles else roles[0]


def _misfit(workspace: Workspace, contracts: Sequence[Contract], starter: Starter, names: Names) -> str:
    """Why the starter's policies would not hold for the contract that `names` names, or nothing: its tests are tried."""
    policies, tests = policies_of(starter, names).values()
    agents = sorted({*(str(each.name) for each in workspace.agents), names.agent})
    problems = Problems(starter.name)
    cases = read_cases(tests.encode(), problems, {each.name: each for each in contracts}, agents)
    if problems.found:
        return problems.found[0].message
    try:
        sources = {**workspace.policies, f"{starter.name}.cedar": policies}
        failed = _report(cases, workspace, sources, contracts, agents).failed
    except PolicyError as error:
        return error.problems[0]
    return "; ".join(failed[0].differences) if failed else ""


def _written(workspace: Workspace, files: dict[str, str], names: Names) -> Begun:
    """The files of a starter, and those of an agent that may use the contract where there is none."""
    there = [each for each in workspace.agents if each.name == names.agent]
    todo: list[str] = []
    if not there:
        files = {**agent_of(names), **files}
        todo.append(f"say in agents/{names.agent}.yaml what the agent is for, and who answers for it")
    elif names.contract not in there[0].capabilities:
        todo.append(f"add `{names.contract}` to the capabilities in agents/{names.agent}.yaml")
    if f"contracts/{names.contract}.yaml" in files:
        todo.append(f"put your own tool in the place of the sample contracts/{names.contract}.yaml")
    made = write_new(workspace.folder, files)
    return Begun(files=made, agent=names.agent, contract=names.contract, todo=todo)


def _report(
    cases: Sequence[PolicyCase],
    workspace: Workspace,
    sources: Mapping[str, str],
    contracts: Sequence[Contract],
    agents: Sequence[str],
) -> Report:
    """`cases` run against the policies in `sources`. Raises PolicyError."""
    home = Home()
    try:
        return home.block(
            run,
            cases,
            policies=CedarPolicies(agents),
            parser=LaterSql(),
            sources=sources,
            contracts=contracts,
            tenant=workspace.settings.tenant,
        )
    finally:
        home.stop()


def _wrong(problems: Sequence[Problem]) -> bool:
    return any(each.severity == "error" for each in problems)


def _placed(finding: Finding) -> Problem:
    """A finding as a problem of the workspace."""
    message = f"policy `{finding.policy}`: {finding.message}" if finding.policy else finding.message
    return Problem(
        file=f"policies/{finding.file}",
        line=finding.line,
        column=finding.column,
        message=message,
        severity=finding.severity,
    )
