"""An error as another process told it (`application/problem+json`), back as what it was there.

Whoever answers may be anybody until they are believed: sizes are bounded, every field is of its type, and what is no error of
ours becomes NotUnderstood, never a success and never an error of another kind.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Final, TypeAlias, cast

import msgspec

from interlock.domain import errors, refusals
from interlock.domain.canonical import MAX_INTEGER
from interlock.domain.errors import InterlockError, NotUnderstood

LONGEST: Final = 4_000
"""Characters of each text that is taken over."""
MOST_MEMBERS: Final = 32
AFTER: Final = "retry_after_s"
"""The member that says after how many seconds to ask again, where the answer says so."""
_OURS: Final = frozenset({"type", "title", "status", "detail", "code", "fault", "next", AFTER})

_Text = Annotated[str, msgspec.Meta(max_length=LONGEST)]
_Whole = Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{0,63}$")]
    detail: _Text
    next: _Text


class _Placed(msgspec.Struct, frozen=True, kw_only=True):
    file: _Text = ""
    line: _Whole = 0
    column: _Whole = 0


class _Budget(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    scope: _Text
    unit: _Text
    left: _Whole
    renews_at: _Whole | None = None


class _Rate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    scope: _Text
    calls: _Whole
    per_ms: _Whole
    again_at: _Whole


class _Later(msgspec.Struct, frozen=True, kw_only=True):
    after_s: Annotated[int, msgspec.Meta(ge=0, le=10**6)]


class _Path(msgspec.Struct, frozen=True, kw_only=True):
    path: _Text = ""


class _Clash(msgspec.Struct, frozen=True, kw_only=True):
    kind: _Text
    key: _Text


Members: TypeAlias = Mapping[str, object]
_Worded: TypeAlias = type[errors.NotSignedIn | errors.NotAdmitted | errors.Unreachable]


def error_of(said: object) -> InterlockError:
    """The error that `said`, as decoded from JSON, is; NotUnderstood where it is none of ours."""
    try:
        problem = msgspec.convert(said, _Said)
        members = {
            name: value
            for name, value in cast("dict[str, object]", said).items()
            if name not in _OURS and _plain(value)
        }
        if len(members) > MOST_MEMBERS:
            return _no_error()
        return _made(problem, members)
    except (msgspec.ValidationError, RecursionError):
        return _no_error()


def _made(problem: _Said, members: Members) -> InterlockError:
    kind = KINDS.get(problem.code)
    if kind is None:
        return NotUnderstood(
            f"it was refused with `{problem.code}`, which this version does not know: {problem.detail}",
            next_step=problem.next,
        )
    make = _MAKING.get(kind)
    if make is not None:
        return make(problem, members)
    # Whatever else a kind asks for when it is raised, it is told in words: class, code, advice and members are the same.
    made = kind.__new__(kind)
    InterlockError.__init__(made, problem.detail, next_step=problem.next, **members)
    return made


def _no_error() -> NotUnderstood:
    return NotUnderstood("it was refused in words that are no error of Interlock's")


def _plain(value: object) -> bool:
    """Whether a member is small and flat: what its kind knows is read strictly; the rest is only passed on."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) <= MAX_INTEGER
    if isinstance(value, str):
        return len(value) <= LONGEST
    # Lists of texts, and of flat objects, as `problems` and `fields` are; `fresh` is a whole record, and read elsewhere.
    if isinstance(value, list):
        items = cast("list[object]", value)
        return len(items) <= 100 and all(isinstance(each, str) and len(each) <= LONGEST for each in items)
    return False


def _contract(said: _Said, members: Members) -> InterlockError:
    path = msgspec.convert(members, _Path).path
    return errors.ContractError(said.detail, path=path, next_step=said.next)


def _workspace(said: _Said, members: Members) -> InterlockError:
    at = msgspec.convert(members, _Placed)
    return errors.WorkspaceError(said.detail, file=at.file, line=at.line, column=at.column, next_step=said.next)


def _policy(said: _Said, members: Members) -> InterlockError:
    problems = members.get("problems")
    more = {"problems": tuple(cast("list[str]", problems))} if isinstance(problems, list) else {}
    return errors.PolicyError(said.detail, next_step=said.next, **more)


def _budget(said: _Said, members: Members) -> InterlockError:
    of = msgspec.convert(members, _Budget)
    return errors.BudgetExceeded(said.detail, scope=of.scope, unit=of.unit, left=of.left, renews_at=of.renews_at)


def _rate(said: _Said, members: Members) -> InterlockError:
    of = msgspec.convert(members, _Rate)
    return errors.RateExceeded(said.detail, scope=of.scope, calls=of.calls, per_ms=of.per_ms, again_at=of.again_at)


def _too_fast(said: _Said, members: Members) -> InterlockError:
    return errors.TooFast(said.detail, after_s=msgspec.convert(members, _Later).after_s, next_step=said.next)


def _too_many(said: _Said, members: Members) -> InterlockError:
    del said
    return refusals.TooMany(msgspec.convert(members, _Later).after_s)


def _conflict(said: _Said, members: Members) -> InterlockError:
    of = msgspec.convert(members, _Clash)
    return errors.Conflict(said.detail, kind=of.kind, key=of.key)


def _worded(kind: _Worded) -> Callable[[_Said, Members], InterlockError]:
    def made(said: _Said, members: Members) -> InterlockError:
        del members
        return kind(said.detail, next_step=said.next)

    return made


def _bare(kind: Callable[[str], InterlockError]) -> Callable[[_Said, Members], InterlockError]:
    def made(said: _Said, members: Members) -> InterlockError:
        del members
        return kind(said.detail)

    return made


def _children(said: _Said, members: Members) -> InterlockError:
    del members
    return errors.ChildrenFailed(said.detail, failures=())


_MAKING: Final[Mapping[type[InterlockError], Callable[[_Said, Members], InterlockError]]] = {
    errors.ContractError: _contract,
    errors.WorkspaceError: _workspace,
    errors.PolicyError: _policy,
    errors.BudgetExceeded: _budget,
    errors.RateExceeded: _rate,
    errors.TooFast: _too_fast,
    errors.Conflict: _conflict,
    errors.NotSignedIn: _worded(errors.NotSignedIn),
    errors.NotAdmitted: _worded(errors.NotAdmitted),
    errors.Unreachable: _worded(errors.Unreachable),
    errors.Unanswered: _worded(errors.Unanswered),
    errors.NotDelivered: _bare(errors.NotDelivered),
    errors.ChildrenFailed: _children,
    refusals.TooMany: _too_many,
}
"""Those whose constructor asks for more than words."""


def _below(kind: type[InterlockError]) -> Iterator[type[InterlockError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__ in (errors.__name__, refusals.__name__):
            yield from _below(each)


KINDS: Final[Mapping[str, type[InterlockError]]] = {each.code: each for each in _below(InterlockError)}
"""Every error that another process may tell, by its code."""
