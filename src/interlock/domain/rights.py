"""Rights: what an initiator may lend. An agent that works for somebody may do what its own file says, and no more than that
somebody may.

Nearest counts: what a name of its own says is all that this name may lend; a user without one may lend what the roles give that
people.yaml says the user holds, all of them together; whoever has neither, what is said of the kind (`customer:*`). Whoever is
not named lends nothing. Where there are no rights at all everybody lends whatever the agent may. Names are compared in their one
spelling, so that no other one of the same user falls to what is said of the kind.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from interlock.domain.grant import NOTHING, Grant, GrantError, join, narrower
from interlock.domain.ids import Digest, Person
from interlock.domain.initiator import USER, whole
from interlock.domain.record import Record, digest_of

ROLE: Final = "role"
"""Kinds of names: of people, and of what people hold. No initiator is a role."""
EVERY: Final = "*"


class Rights(Record, frozen=True, kw_only=True):
    """Who may lend what."""

    kind: ClassVar[str] = "rights"

    initiators: dict[str, Grant] = {}
    """By initiator (`user:ana`, `system:nightly`), or by kind (`customer:*`)."""
    roles: dict[str, Grant] = {}
    """By role of people.yaml."""

    @property
    def key(self) -> str:
        """Filed by digest: a stored version never changes."""
        return self.digest

    @property
    def digest(self) -> Digest:
        """SHA-256 over the canonical form of everything but the revision. Names may not be printable ASCII, so that they go in
        as lists of pairs."""
        pairs = tuple(tuple(sorted(each.items())) for each in (self.initiators, self.roles))
        return digest_of(_Pairs(pairs=pairs))

    def all(self) -> Iterator[tuple[str, Grant]]:
        """Everybody who is named, as the file names them."""
        yield from self.initiators.items()
        yield from ((f"{ROLE}:{role}", grant) for role, grant in self.roles.items())


class _Pairs(Record, frozen=True, kw_only=True):
    kind: ClassVar[str] = "rights"
    pairs: tuple[tuple[tuple[str, Grant], ...], ...]


class Lending:
    """Rights as they are in force, with the people there are."""

    def __init__(self, rights: Rights, people: Mapping[Person, tuple[str, ...]]) -> None:
        self._rights = rights
        self._named = {whole(each): each for each in rights.initiators}
        self._roles: dict[str, set[str]] = {}
        for person, held in people.items():
            self._roles.setdefault(whole(f"{USER}:{person}"), set()).update(held)
        self._joined: dict[tuple[str, ...], tuple[Grant, tuple[str, ...]]] = {}

    @property
    def rights(self) -> Rights:
        """What is said of everybody."""
        return self._rights

    def counting(self, initiator: str) -> tuple[str, ...]:
        """Whose rights those of `initiator` are, as the file names them: its own, its roles', or its kind's; nobody's."""
        named = whole(initiator)
        kind, _, name = named.partition(":")
        if not name or kind == ROLE:
            return ()
        if named in self._named:
            return (self._named[named],)
        if held := self._held(named):
            return held
        every = self._named.get(f"{kind}:{EVERY}")
        return () if every is None else (every,)

    def of(self, initiator: str) -> Grant:
        """What `initiator` may lend. A name without a kind is a user's."""
        return self._of(self.counting(initiator))[0]

    def unsaid(self, person: Person) -> tuple[str, ...]:
        """The tools on which the roles of `person` cannot be said as one: such a person may not lend them at all."""
        named = whole(f"{USER}:{person}")
        return () if named in self._named else self._of(self._held(named))[1]

    def _held(self, named: str) -> tuple[str, ...]:
        """The roles that somebody holds and of which something is said."""
        roles = self._roles.get(named, set()) & self._rights.roles.keys()
        return tuple(f"{ROLE}:{role}" for role in sorted(roles))

    def _of(self, named: tuple[str, ...]) -> tuple[Grant, tuple[str, ...]]:
        """What those who are `named` grant together, and the tools of which that cannot be said."""
        known = self._joined.get(named)
        if known is None:
            everybody = dict(self._rights.all())
            known = self._joined[named] = _together([everybody[each] for each in named])
        return known


def _together(grants: list[Grant]) -> tuple[Grant, tuple[str, ...]]:
    """What at least one of `grants` grants, and the tools left out of that since no grant says just this of them."""
    found = NOTHING
    unsaid: list[str] = []
    for tool in sorted({tool for each in grants for tool in each.tools}):
        some = [Grant(tools={tool: each.tools[tool]}) for each in grants if tool in each.tools]
        try:
            found = join(found, join(*some))
        except GrantError:
            unsaid.append(tool)
    return found, tuple(unsaid)


def widened(old: Rights | None, new: Rights | None, tool: str) -> Iterator[str]:
    """Who may come to lend more of `tool`, each with what is said of it otherwise. Told from the texts alone, so that it never
    misses anybody: who is not named any more falls to what is said of a role or a kind."""
    if old is None:
        return
    if new is None:
        yield "whoever it is for may lend all of it"
        return
    was, becomes = dict(old.all()), dict(new.all())
    for who in sorted(was.keys() | becomes.keys()):
        before, after = was.get(who), becomes.get(who)
        if before == after:
            continue
        if after is None:
            yield f"`{who}` is not named any more in what may be lent"
        elif narrower(_only(tool, after), _only(tool, before or NOTHING)) is not None:
            yield f"`{who}` may lend it otherwise"


def _only(tool: str, grant: Grant) -> Grant:
    return Grant(tools={tool: grant.tools[tool]}) if tool in grant.tools else NOTHING
