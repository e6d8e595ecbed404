"""What in a function's own code suggests that it acts, seen without running it.

Only ever a reason to be more careful: code that shows none of this may act all the same, through whatever it calls.
"""

import ast
from collections.abc import Iterator
from typing import Final

from interlock.adapters.adopting.annotations import last_of
from interlock.domain.tool_words import NOUNS, STRONG, words, words_of

MAX_NODES: Final = 20_000
MAX_SIGNS: Final = 3
_CALLS: Final = words(
    "executemany executescript sendmail write_text write_bytes writelines rmtree mkdir makedirs rename symlink_to "
    "touch Popen system check_call check_output exec eval compile setattr delattr putenv unlink rmdir commit post "
    "put patch delete"
)
_SQL: Final = ("insert", "update", "delete", "drop", "alter", "create", "replace", "truncate", "merge", "grant", "exec")
_HARMLESS: Final = words(
    "format join replace strip split copy index count append extend update add insert pop remove clear sort set "
    "like record log start label return call use make do key text page report new print message open"
)
"""Verbs that every list, table or text has; what they change is looked at by whose it is."""
_OF_VALUES: Final = frozenset(
    [
        "append",
        "extend",
        "update",
        "add",
        "insert",
        "pop",
        "remove",
        "clear",
        "sort",
        "popitem",
        "setdefault",
        "discard",
    ]
)


def signs_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    """The signs, in words that stand behind `because`, at most a few."""
    found = dict[str, None]()
    own = _own_names(function)
    body = ast.Module(body=function.body, type_ignores=[])
    for number, node in enumerate(ast.walk(body)):
        if number > MAX_NODES or len(found) >= MAX_SIGNS:
            break
        for sign in _signs(node, own):
            found[sign] = None
    return tuple(found)[:MAX_SIGNS]


def _signs(node: ast.AST, own: frozenset[str]) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _call(node, own)
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.Delete | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
        if any(isinstance(each, ast.Attribute | ast.Subscript) and _root(each) not in own for each in targets):
            yield "its code changes something outside of itself"
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield "its code changes something outside of itself"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        first = node.value.lstrip()[:20].lower().split(None, 1)
        if len(first) == 2 and first[0] in _SQL and node.value.lstrip()[: len(first[0])].isupper():
            yield f"its code holds the SQL `{first[0].upper()}`"


def _call(node: ast.Call, own: frozenset[str]) -> Iterator[str]:
    name = last_of(node.func)
    if name == "open" and _writes(node):
        yield "its code opens a file to write"
    if isinstance(node.func, ast.Attribute):
        root = _root(node.func)
        if root == "subprocess" or name in _CALLS:
            yield f"its code calls `{name[:40]}`"
            return
        if name in _OF_VALUES and root not in own:
            yield f"its code calls `{name[:40]}` on something outside of itself"
            return
    words = words_of(name)
    if (
        (words and (words[0] in STRONG or words[0] in NOUNS) and words != (name,))
        or name in _CALLS
        or ((name in STRONG or name in NOUNS) and name not in _HARMLESS)
    ):
        yield f"its code calls `{name[:40]}`"


def _writes(node: ast.Call) -> bool:
    """Whether `open` is asked for more than reading, or nobody can tell."""
    method = isinstance(node.func, ast.Attribute)
    place = 0 if method else 1
    mode = node.args[place] if len(node.args) > place else None
    mode = next((each.value for each in node.keywords if each.arg == "mode"), mode)
    if mode is None:
        return False
    return not (isinstance(mode, ast.Constant) and isinstance(mode.value, str) and set(mode.value) <= set("rbtU"))


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _own_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Names that the function itself binds to something it has just made: not its parameters, nor what it was given."""
    own = set[str]()
    for number, node in enumerate(ast.walk(function)):
        if number > MAX_NODES:
            break
        if isinstance(node, ast.Assign) and _made(node.value):
            own |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value and _made(node.value):
            own.add(node.target.id)
    return frozenset(own)


def _made(node: ast.expr) -> bool:
    made = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp | ast.JoinedStr
    if isinstance(node, made):
        return True
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("list", "dict", "set", "str")
    )
