"""The workspace's Python modules: importing them, and the contracts of the tools they name."""

import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol

import msgspec

from interlock.adapters.workspace.folder import Workspace
from interlock.adapters.workspace.problem import Problem
from interlock.adapters.workspace.together import cross_check
from interlock.domain.contract import Contract
from interlock.domain.errors import InterlockError, WorkspaceError


class Contracted(Protocol):
    """A tool, as far as it matters here."""

    @property
    def contract(self) -> Contract:
        """What it promises."""
        ...


def load_modules(
    modules: Sequence[str], pythonpath: Sequence[Path], tools_in: Callable[[ModuleType], Iterable[Contracted]]
) -> list[Contract]:
    """Import `modules`, looking in `pythonpath` first, and give the contracts of their tools, each once.

    The folders stay on `sys.path`: a tool's own imports and the effectors need them later. Raises WorkspaceError for
    a module that cannot be imported, whatever it raises, and for a declaration that does not hold.
    """
    for folder in reversed([str(path.resolve()) for path in pythonpath]):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    importlib.invalidate_caches()
    found: dict[str, Contract] = {}
    for name in modules:
        for tool in tools_in(_imported(name)):
            found.setdefault(tool.contract.digest, tool.contract)
    return list(found.values())


class Complete(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace with what its modules declare."""

    contracts: tuple[Contract, ...]
    problems: tuple[Problem, ...]


def complete(
    workspace: Workspace,
    tools_in: Callable[[ModuleType], Iterable[Contracted]],
    beside: Iterable[Contract] = (),
) -> Complete:
    """Import the workspace's modules and hold everything, and the contracts `beside` it, against everything. A module that
    cannot be imported is one more problem, at the place where `interlock.yaml` names it; then nobody is told that its
    contracts are missing."""
    found = {contract.digest: contract for contract in beside}
    failed: list[Problem] = []
    for module in workspace.settings.modules:
        try:
            contracts = load_modules([module], workspace.settings.pythonpath, tools_in)
        except WorkspaceError as error:
            place = workspace.places["module", module]
            failed.append(Problem(file=place.file, line=place.line, column=place.column, message=error.detail))
            continue
        found |= {contract.digest: contract for contract in contracts}
    together = (*workspace.contracts, *found.values())
    return Complete(
        contracts=together,
        problems=(*workspace.problems, *failed, *cross_check(workspace, together, all_known=not failed)),
    )


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except InterlockError as error:
        raise WorkspaceError(f"module `{name}`: {error.detail}", next_step=error.next_step) from error
    except (Exception, SystemExit) as error:
        # A person's module may raise anything while it is imported.
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise WorkspaceError(f"module `{name}` cannot be imported: {said}") from error
