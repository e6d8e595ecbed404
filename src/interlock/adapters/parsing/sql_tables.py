"""Which tables a statement names. What a `WITH` defines is no table where it is in scope; in doubt a name is one."""

import re
from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from interlock.domain.parse import SqlDialect
from interlock.domain.parsing import Unreadable

_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_QUOTED: Final = re.compile(r"[^.\"'`\[\]\x00-\x1f\x7f]+")
_CARRIES: Final = (exp.Query, exp.Values, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
_MAX_BYTES: Final = 63
"""PostgreSQL cuts longer names off, so that two of them may be one."""


def tables_in(tree: exp.Expr, dialect: SqlDialect) -> Iterator[str]:
    """The tables of a statement, as qualified as they are written. Raises Unreadable."""
    if isinstance(tree, exp.Drop | exp.Create | exp.Alter):
        told = str(tree.args.get("kind")).upper() in ("TABLE", "VIEW")
    else:
        told = isinstance(tree, _CARRIES)
    if not told:
        raise Unreadable("a statement that does not say which tables it touches")
    for node in tree.walk():
        if isinstance(node, exp.In) and node.args.get("field") is not None:
            raise Unreadable("`IN` with a name behind it, which may be a table")
        # A function in the place of a table is called, and what it touches is not said.
        if not isinstance(node, exp.Table) or isinstance(node.this, exp.Func):
            continue
        names = [
            _name(part, dialect) for part in (*(node.args.get(each) for each in ("catalog", "db")), node.this) if part
        ]
        if not names:
            raise Unreadable("a table that is not named")
        if len(names) > 1 or not _is_with(node, names[0], dialect):
            yield ".".join(names)


def _name(part: object, dialect: SqlDialect) -> str:
    if not isinstance(part, exp.Identifier):
        raise Unreadable("a table that is not named")
    text = str(part.this)
    if not (_QUOTED if part.quoted else _BARE).fullmatch(text) or len(text.encode()) > _MAX_BYTES:
        raise Unreadable("a table with an unusual name")
    # Quotes keep case in PostgreSQL alone; MySQL's depends on the machine, so two cases count as one.
    return text if part.quoted and dialect == "postgres" else text.lower()


def _is_with(table: exp.Table, name: str, dialect: SqlDialect) -> bool:
    """Whether `table` means what a `WITH` around it defines. The target of a change never does."""
    if not isinstance(table.parent, exp.From | exp.Join):
        return False
    below: exp.Expr = table
    inside: exp.Expr | None = None
    node: exp.Expr | None = table.parent
    while node is not None:
        if isinstance(node, exp.With):
            place = next(at for at, each in enumerate(node.expressions) if each is inside)
            visible = node.expressions[: place + 1 if node.args.get("recursive") else place]
        else:
            around = node.args.get("with_") or node.args.get("with")
            visible = around.expressions if isinstance(around, exp.With) and around is not below else []
        if any(_name(each.args["alias"].this, dialect) == name for each in visible):
            return True
        inside, below, node = (node if isinstance(node, exp.CTE) else inside), node, node.parent
    return False
