"""Functions named `package.module:function`, which any process can import, and functions that only this process has."""

import importlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import anyio
import anyio.to_thread

from interlock.adapters.effectors.answers import not_called, words_of
from interlock.adapters.effectors.functions import Found, Function, Functions, found
from interlock.domain.call import Answer, Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess, PythonTarget
from interlock.domain.errors import EffectorError
from interlock.ports.effector import Role

_NAME: Final = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")


class PythonEffectors:
    """Imports what contracts name. Whoever makes it has put the user's folders on `sys.path`."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._known: dict[str, Found] = {}

    def missing(self, target: PythonTarget) -> str:
        """Why it cannot be imported here; empty where it can."""
        try:
            self._find(target)
        except EffectorError as error:
            return error.detail
        return ""

    async def invoke(
        self, contract: Contract, target: PythonTarget, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """Call it. Raises EffectorError where it cannot be imported. The time of a first import counts as its own."""
        began = anyio.current_time()
        tool = self._known.get(target.target)
        if tool is None:
            with anyio.move_on_after(contract.timeout_ms / 1000):
                tool = await anyio.to_thread.run_sync(self._find, target, abandon_on_cancel=True)
        if tool is None:
            return not_called(role, f"`{target.target}` took longer than {contract.timeout_ms} ms to import")
        spent = anyio.current_time() - began
        return await self._functions.call(tool, role, arguments, call, contract.timeout_ms, spent)

    def _find(self, target: PythonTarget) -> Found:
        """The function, imported once. Failures are not kept: what is missing may be installed."""
        known = self._known.get(target.target)
        if known is not None:
            return known
        if not _NAME.fullmatch(target.target):
            raise EffectorError(f"`{target.target}` is no target: it reads `package.module:function`")
        module, _, path = target.target.partition(":")
        try:
            value: object = importlib.import_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a person's module may raise anything while it is imported
            raise EffectorError(f"`{module}` cannot be imported: {words_of(error)}") from None
        for step in path.split("."):
            value = getattr(value, step, None)
        tool = found(value)
        if tool is None:
            raise EffectorError(f"`{module}` has no function `{path}`")
        return self._known.setdefault(target.target, tool)


class InProcessEffectors:
    """Functions by the names under which this process offers them, and those it lends to one call alone. Another process knows
    none of them."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._offered: dict[str, Found] = {}
        self._lent: dict[tuple[str, str], list[Found]] = {}

    def offer(self, name: str, function: object) -> None:
        """Make a function or tool object callable under `name`; a later one takes the place of an earlier one."""
        tool = found(function)
        if tool is None:
            raise EffectorError(f"`{name}` is not a function")
        self._offered[name] = tool

    @contextmanager
    def lend(self, name: str, key: str, function: Function) -> Generator[None, None, None]:
        """Inside, `function(arguments, call)` is what `name` calls for the action of the idempotency key `key`, and no other.
        It is given all its arguments as one mapping. Lent twice at once, the later one is called."""
        lent = Found(function, whole=True)
        here = self._lent.setdefault((name, key), [])
        here.append(lent)
        try:
            yield
        finally:
            # Two of them may be equal: this very one goes.
            here[:] = [each for each in here if each is not lent]
            if not here:
                self._lent.pop((name, key), None)

    def missing(self, target: InProcess, key: str = "") -> str:
        """Why it cannot be called here, for the action of that key; empty where it can."""
        return _elsewhere(target) if self._find(target, key) is None else ""

    async def invoke(
        self, contract: Contract, target: InProcess, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """Call it. Raises EffectorError where this process does not offer it."""
        tool = self._find(target, call.idempotency_key)
        if tool is None:
            raise EffectorError(
                _elsewhere(target),
                next_step="start the program that declares the tool, or make it a function of a module",
            )
        return await self._functions.call(tool, role, arguments, call, contract.timeout_ms)

    def _find(self, target: InProcess, key: str) -> Found | None:
        lent = self._lent.get((target.name, key))
        return lent[-1] if lent else self._offered.get(target.name)


def _elsewhere(target: InProcess) -> str:
    return f"`{target.name}` can only be called by the process that made it"
