"""Policies of a workspace and their tests, held against its contracts; what is wrong becomes a problem in its place."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.invariants import invariant_findings
from interlock.adapters.cedar.parsing import places
from interlock.adapters.parsing import LaterSql
from interlock.adapters.system import SystemClock
from interlock.adapters.workspace import (
    PEOPLE,
    Problem,
    Severity,
    Workspace,
    read_policy_tests,
)
from interlock.domain.contract import Contract
from interlock.domain.errors import PolicyError
from interlock.domain.finding import Finding
from interlock.domain.policy_case import PolicyCase
from interlock.sdk.home import once
from interlock.services.policy_tests import Report, run


def policy_problems(workspace: Workspace, contracts: Sequence[Contract]) -> list[Problem]:
    """Everything wrong or doubtful about the policies of a workspace, whatever keeps them from being a bundle at all included."""
    try:
        found = findings(workspace, contracts)
    except PolicyError as error:
        return [Problem(file="policies", message=text) for text in error.problems]
    problems = [_placed(each) for each in found]
    # What is denied because a policy is wrong is told by what is wrong with it.
    return problems if wrong(problems) else [*problems, *_denied(workspace, contracts)]


def _denied(workspace: Workspace, contracts: Sequence[Contract]) -> Iterator[Problem]:
    """Capabilities that no policy permits. An agent may be written before its policies, so it is a warning."""
    asked = [(agent.name, name) for agent in workspace.agents for name in agent.capabilities]
    language = CedarPolicies([agent.name for agent in workspace.agents])
    for agent, name in language.unpermitted(workspace.policies, contracts, asked):
        place = workspace.places["agent", agent, "capabilities", name]
        yield Problem(
            file=place.file,
            line=place.line,
            column=place.column,
            message=f"no policy permits `{agent}` to use `{name}`: it is always denied",
            severity="warning",
        )


def findings(workspace: Workspace, contracts: Sequence[Contract]) -> tuple[Finding, ...]:
    """The same, as the policy language says it. Raises PolicyError."""
    # Where people are named nowhere, or wrongly, nobody knows which roles there will be.
    known = all(each.file != PEOPLE for each in workspace.problems)
    roles = Counter(role for held in workspace.people.values() for role in held) if known else None
    language = CedarPolicies([agent.name for agent in workspace.agents], roles, workspace.settings.tenant)
    found = language.findings(workspace.policies, contracts, at=SystemClock().now())
    return (*map(_overlooked, workspace.overlooked), *found, *_doubted(workspace, contracts))


def _doubted(workspace: Workspace, contracts: Sequence[Contract]) -> Iterator[Finding]:
    """What is wrong with the workspace's invariants. They decide nothing, so it keeps no policy out of force."""
    names = [agent.name for agent in workspace.agents]
    for each in invariant_findings(workspace.invariants, contracts, names):
        message = f"invariant `{each.policy}`: {each.message}" if each.policy else each.message
        yield msgspec.structs.replace(each, severity="warning", message=message, policy="", folder="")


def _overlooked(file: str) -> Finding:
    nested = "/" in file and file.endswith(".cedar")
    how = "policy files stand in `policies/` itself" if nested else "a policy file ends in `.cedar`"
    message = f"the file is not read: {how}"
    return Finding(severity="warning", message=message, file=file, line=1, column=1, end_column=1)


def policy_tests(workspace: Workspace, contracts: Sequence[Contract]) -> tuple[Report, list[Problem]]:
    """The tests of the policies, run; and each that fails, and each policy that none makes true, as a problem in its place.
    Without the setting `policy_tests: advised` they are errors, and keep the workspace out of force."""
    names = [agent.name for agent in workspace.agents]
    tests = read_policy_tests(workspace.folder, contracts, names)
    files = {agent.name: agent for agent in workspace.agents}
    cases = tuple(each.of(files.get(each.agent)) for each in tests.cases)
    report = tried(cases, workspace, workspace.policies, contracts, names)
    severity: Severity = "error" if workspace.settings.publishing.tests == "required" else "warning"
    found = list(tests.problems)
    for each in report.failed:
        case = each.case
        message = f"the policy test `{case.name}` fails: {'; '.join(each.differences)}"
        found.append(Problem(file=case.file, line=case.line, column=case.column, message=message, severity=severity))
    where = places(workspace.policies)
    # Where a file cannot be read nobody knows what it would have covered.
    for name in () if wrong(tests.problems) else report.uncovered:
        message = f"no test makes the policy `{name}` true: add one to policies/tests/"
        place = where[name]
        file = f"policies/{place.file}"
        found.append(Problem(file=file, line=place.line, column=place.column, message=message, severity=severity))
    return report, found


def tried(
    cases: Sequence[PolicyCase],
    workspace: Workspace,
    sources: Mapping[str, str],
    contracts: Sequence[Contract],
    agents: Sequence[str],
) -> Report:
    """`cases` run against the policies in `sources`. Raises PolicyError."""
    return once(
        run,
        cases,
        policies=CedarPolicies(agents),
        parser=LaterSql(),
        sources=sources,
        contracts=contracts,
        tenant=workspace.settings.tenant,
    )


def wrong(problems: Sequence[Problem]) -> bool:
    """Whether one of them is an error."""
    return any(each.severity == "error" for each in problems)


def _placed(finding: Finding) -> Problem:
    """A finding as a problem of the workspace."""
    return Problem(
        file=finding.path,
        line=finding.line,
        column=finding.column,
        message=finding.told,
        severity=finding.severity,
    )
