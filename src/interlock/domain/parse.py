"""Rules by which a contract has facts read out of its arguments, so that no policy need take raw text apart.

A rule says what is read and of what; `domain/parsing.py` reads. What cannot be read without guessing denies the action.
"""

import re
from typing import Final, Literal, TypeAlias

import msgspec

from interlock.domain.described import Described, Schema, described

SqlDialect = Literal["postgres", "mysql", "sqlite"]
SQL_DIALECTS: tuple[SqlDialect, ...] = ("postgres", "mysql", "sqlite")
"""Those whose statements end with a semicolon and nothing else. SQL Server's do not, so it is not among them."""


class _Rule(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """One parsed fact. `of` is the name of an argument."""

    of: str


class Domains(_Rule, frozen=True, kw_only=True, tag="domains"):
    """The mail domains of all recipients in a text or an array of texts: a set of lower-case ASCII names (`acme.com`,
    `xn--...`). Anything but plain addresses, separated by commas, cannot be read."""


class Hosts(_Rule, frozen=True, kw_only=True, tag="hosts"):
    """Scheme, host and port of all URLs in a text (one) or an array of texts (one each): a set such as
    `https://acme.com`, in lower-case ASCII; the port only where it is not the scheme's own."""


class Folded(_Rule, frozen=True, kw_only=True, tag="folded"):
    """The text without regard to case, width and spacing: Unicode NFKC, case-folded, runs of white space as one space,
    none at the ends. Text with invisible characters cannot be read."""


class ChangePerMille(_Rule, frozen=True, kw_only=True, tag="change_per_mille"):
    """How far an integer lies from another, in thousandths of the other's size: 1900 against 2000 is -50.

    `against` is `$facts.` or `$args.` and a path. Rounded away from zero, so that no limit is undercut. There is no such
    fact where the other is 0 or missing.
    """

    against: str


class Statements(_Rule, frozen=True, kw_only=True, tag="statements"):
    """The kinds of the SQL statements in a text: a set of `select`, `insert`, `update`, `delete`, `merge`, `create`,
    `alter`, `drop`, `truncate`, `grant`, `revoke`, `copy`, `call`, `lock`, `set`, `show`, `transaction`, `other`. What
    functions do that a statement calls, and what triggers and views do, no text can tell."""

    dialect: SqlDialect


class Tables(_Rule, frozen=True, kw_only=True, tag="tables"):
    """The tables that the SQL statements in a text name: a set such as `orders` and `sales.orders`, as qualified as they
    are written; lower case unless quoted where quotes keep case (PostgreSQL). Statements that do not name what they
    touch cannot be read."""

    dialect: SqlDialect


Parse: TypeAlias = Domains | Hosts | Folded | ChangePerMille | Statements | Tables
PARSES: Final[tuple[type[Parse], ...]] = (Domains, Hosts, Folded, ChangePerMille, Statements, Tables)

Gives = Literal["texts", "text", "integer"]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TEXT: Final = frozenset({"string"})


def gives(rule: Parse) -> Gives:
    """What kind of fact `rule` makes: a set of texts, a text or an integer."""
    match rule:
        case Folded():
            return "text"
        case ChangePerMille():
            return "integer"
        case Domains() | Hosts() | Statements() | Tables():
            return "texts"


def may_be_absent(rule: Parse, arguments: Schema) -> bool:
    """Whether an action may have no such fact: its argument need not be given, or there is nothing to compare with."""
    if isinstance(rule, ChangePerMille):
        return True
    of = described(arguments, (rule.of,), defaults_given=False)
    return of is None or of.absent


def misfit(name: str, rule: Parse, arguments: Schema, facts: Schema | None) -> str:
    """Why `rule` could not hold under `name` for a contract with these schemas, or nothing."""
    if not _NAME.fullmatch(name):
        return f"the parsed fact `{name[:64]}` must be named by a letter and then letters, digits and `_`, at most 64"
    of = described(arguments, (rule.of,), defaults_given=False)
    if of is None:
        return f"the parsed fact `{name}` is read of `{rule.of}`, which is no argument"
    match rule:
        case Domains() | Hosts():
            fits = of.types == _TEXT or (of.types == frozenset({"array"}) and of.items == _TEXT)
            return (
                "" if fits else f"the parsed fact `{name}` needs text or an array of texts, and `{rule.of}` is neither"
            )
        case Folded() | Statements() | Tables():
            return "" if of.types == _TEXT else f"the parsed fact `{name}` needs text, and `{rule.of}` is none"
        case ChangePerMille():
            if not _whole(of):
                return f"the parsed fact `{name}` needs an integer, and `{rule.of}` is none"
            return _base_misfit(name, rule, arguments, facts)


def _base_misfit(name: str, rule: ChangePerMille, arguments: Schema, facts: Schema | None) -> str:
    where, *path = rule.against.split(".")
    schema = {"$facts": facts, "$args": arguments}.get(where)
    if where not in ("$facts", "$args") or not path:
        return f"the parsed fact `{name}` is against `{rule.against}`, which must be `$facts.` or `$args.` and a name"
    base = None if schema is None else described(schema, tuple(path), defaults_given=where == "$facts")
    if base is None:
        kind = "fact" if where == "$facts" else "argument"
        return f"the parsed fact `{name}` is against `{rule.against}`, which names no {kind}"
    return "" if _whole(base) else f"the parsed fact `{name}` needs an integer, and `{rule.against}` is none"


def _whole(found: Described) -> bool:
    return found.types == frozenset({"integer"})
