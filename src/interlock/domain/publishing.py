"""How many people it takes to change what is in force, and which. The rule is itself part of what is in force, so that
weakening it takes what it asks for."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from interlock.domain.errors import NotAllowed
from interlock.domain.ids import ContractName, Person

MOST_PERSONS = 20

Testing = Literal["required", "advised"]
TESTING: tuple[Testing, ...] = ("required", "advised")


class Publishing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who must agree before anything else comes into force. With one person whoever applies it has agreed."""

    persons: int = 1
    """Different people, the one who proposes it among them."""
    roles: tuple[str, ...] = ()
    """Only people in one of these roles count; empty: everybody who holds any role."""
    owners: bool = False
    """Whether loosening a contract that is grave (irreversible, or of high or critical risk) needs its owner."""
    tests: Testing = "required"
    """Whether what the tests of policies say keeps a workspace out of force, or is only mentioned."""

    @property
    def anybody(self) -> bool:
        """Whether whoever can write to the store may publish, named or not."""
        return self.persons == 1 and not self.roles

    def counts(self, roles: Iterable[str]) -> bool:
        """Whether somebody who holds `roles` is one of the persons."""
        held = frozenset(roles)
        return bool(held & frozenset(self.roles)) if self.roles else bool(held)

    def must_count(self, person: str, roles: Iterable[str]) -> None:
        """Raises NotAllowed where `person`, who holds `roles`, is none of the persons."""
        if not self.counts(roles):
            raise NotAllowed(
                f"`{person}` holds none of the roles that publish here", next_step=f"ask a {' or a '.join(self.roles)}"
            )

    def problem(self, people: Mapping[Person, tuple[str, ...]]) -> str:
        """Why nothing could ever be published under this rule by `people`, or nothing."""
        if self.anybody:
            return ""
        able = sum(self.counts(roles) for roles in people.values())
        if able >= self.persons:
            return ""
        who = f"people in role {' or '.join(self.roles)}" if self.roles else "people who hold a role"
        return f"publishing takes {self.persons}, and there are {able} {who}: nothing could be changed any more"


class Consent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person's yes to a publication."""

    person: Person
    roles: tuple[str, ...]
    """Those the person held then."""
    consented_at: int
    note: str = ""


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Whose word a publication still waits for."""

    persons: int
    """How many more people."""
    roles: tuple[str, ...]
    """In one of these roles; empty: any."""
    owners: dict[ContractName, str]
    """By contract, the owner (a person or a role) who must be among them."""

    def __bool__(self) -> bool:
        return bool(self.persons or self.owners)

    @property
    def words(self) -> str:
        """For a person: `1 more person in role policy_author, and the owner of refunds.issue (support_lead)`."""
        said: list[str] = []
        if self.persons:
            who = "1 more person" if self.persons == 1 else f"{self.persons} more people"
            said.append(f"{who} in role {' or '.join(self.roles)}" if self.roles else who)
        said += [f"the owner of {contract} ({owner})" for contract, owner in sorted(self.owners.items())]
        return ", and ".join(said)


def missing(rule: Publishing, owners: Mapping[ContractName, str], consents: Iterable[Consent]) -> Missing:
    """Whose word is still missing under `rule`, where `owners` are those of the contracts that are loosened."""
    given = tuple(consents)
    counted = {word.person for word in given if rule.counts(word.roles)}
    asked = {contract: owner for contract, owner in owners.items() if not any(speaks(owner, each) for each in given)}
    persons = 0 if rule.anybody else max(rule.persons - len(counted), 0)
    return Missing(persons=persons, roles=rule.roles, owners=asked)


def speaks(owner: str, word: Consent) -> bool:
    """Whether `word` is that of `owner`, which names a person or a role."""
    return owner == word.person or owner in word.roles
