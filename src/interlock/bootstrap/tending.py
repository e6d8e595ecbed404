"""For who works on policies: what is doubtful about them, their form, trials, explanations and proofs."""

from collections.abc import Sequence
from pathlib import Path

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.explaining import CedarExplainer
from interlock.adapters.cedar.files import Reformatted, reformatted
from interlock.adapters.cedar.formatting import formatted
from interlock.adapters.cedar.symbolic import Z3Solver
from interlock.adapters.workspace import (
    complete,
    read_workspace,
    sound,
)
from interlock.adapters.workspace.candidate_file import CandidateFile, candidate_file
from interlock.bootstrap.checking import findings
from interlock.bootstrap.site import settled
from interlock.domain.finding import Finding
from interlock.ports.explainer import Explainer
from interlock.sdk.tool import tools_in
from interlock.services.proving import Proving


def policy_findings(folder: Path) -> tuple[Finding, ...]:
    """Everything wrong or doubtful about the policies of a workspace, and which files are not in Cedar's form. Raises
    WorkspaceError where anything else is wrong with it: policies are held against the contracts."""
    workspace = read_workspace(folder)
    whole = complete(workspace, tools_in, [])
    sound(whole.problems)
    found = list(findings(workspace, whole.contracts))
    for file, text in sorted(workspace.policies.items()):
        if formatted(file, text) not in (None, text):
            said = "it is not in Cedar's own form: `interlock policy fmt`"
            found.append(Finding(severity="warning", message=said, file=file, line=1, column=1, end_column=1))
    return tuple(sorted(found, key=lambda each: (each.file, each.line, each.column)))


def policy_forms(folder: Path, files: Sequence[Path]) -> tuple[list[Reformatted], list[Path]]:
    """Cedar's own form of policy files, else of all in the workspace; and those that do not parse. Raises PolicyError."""
    return reformatted(files or sorted((folder / "policies").glob("*.cedar")))


def candidate(folder: Path, policy: str) -> CandidateFile:
    """A policy in shadow mode in its file, to be promoted or dropped. Raises WorkspaceError, NotFound and IllegalMove."""
    return candidate_file(settled(folder).folder, policy)


def explainer() -> Explainer:
    """What says in words why policies are satisfied or not."""
    return CedarExplainer()


def proving(tenant: str) -> Proving:
    """Who searches among all possible requests. The solver is an optional part of the installation, looked for when asked."""
    return Proving(Z3Solver(), CedarPolicies(), tenant)
