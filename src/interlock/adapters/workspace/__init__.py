"""A workspace's files as values, and everything that is wrong with them."""

from interlock.adapters.workspace.example import write_workspace
from interlock.adapters.workspace.folder import PEOPLE, SETTINGS, Workspace, WorkspaceSettings, read_workspace, sound
from interlock.adapters.workspace.modules import Complete, complete, load_modules
from interlock.adapters.workspace.policy_tests import PolicyTests, read_cases, read_policy_tests
from interlock.adapters.workspace.problem import Problem, Problems, Severity
from interlock.adapters.workspace.together import cross_check

__all__ = [
    "PEOPLE",
    "SETTINGS",
    "Complete",
    "PolicyTests",
    "Problem",
    "Problems",
    "Severity",
    "Workspace",
    "WorkspaceSettings",
    "complete",
    "cross_check",
    "load_modules",
    "read_cases",
    "read_policy_tests",
    "read_workspace",
    "sound",
    "write_workspace",
]
