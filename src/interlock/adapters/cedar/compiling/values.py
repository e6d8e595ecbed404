"""One expression by itself, as the engine evaluates it: for whoever explains what it came to."""

import ast
from collections.abc import Callable, Iterable
from types import CodeType, FunctionType
from typing import Any, Final, cast

from interlock.adapters.cedar.compiling import expressions as ex
from interlock.adapters.cedar.compiling.runtime import GLOBALS, Entity, Fields

_ARGUMENTS: Final = (ex.CONTEXT, ex.PRINCIPAL, ex.RESOURCE, ex.ACTION, ex.PARENTS)


class Around(tuple[Fields, Entity, Entity, Entity, dict[Entity, frozenset[Entity]]]):
    """What an expression may look at: context, principal, resource, action, and what is above each of them."""

    __slots__ = ()


def around(
    context: Fields, agent: str, release: Entity, system: Entity, contract: str, groups: Iterable[str]
) -> Around:
    """What one question lets expressions look at."""
    action = ("Action", contract)
    above = {action: frozenset(("Action", group) for group in groups), release: frozenset({("Agent", agent)})}
    return Around((context, release, system, action, above))


def value(node: object, here: Around) -> Any:
    """What `node` comes to. Raises Unsupported, and any of `functions.FAULTS` where it cannot be evaluated."""
    function = ast.FunctionDef(
        "asked",
        ast.arguments(
            posonlyargs=[],
            args=[ast.arg(arg=each) for each in _ARGUMENTS],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        [ast.Return(ex.expression(node))],
        [],
    )
    module = ast.fix_missing_locations(ast.Module([function], []))
    code = next(each for each in compile(module, "<expression>", "exec").co_consts if isinstance(each, CodeType))
    return cast(Callable[..., Any], FunctionType(code, cast(dict[str, Any], GLOBALS)))(*here)
