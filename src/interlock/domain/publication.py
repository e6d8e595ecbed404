"""A publication: an edition proposed to be put in force, who agreed to it, and what became of it.

It is made against what was in force then (`base`). When that changes it can no longer be published: what people agreed to
was a change of something else.
"""

from collections.abc import Mapping
from difflib import unified_diff
from itertools import islice
from typing import ClassVar, Literal

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.control import Control
from interlock.domain.edition import Edition
from interlock.domain.evidence import Fact, Phase
from interlock.domain.ids import ContractName, Digest, Person, PublicationId
from interlock.domain.publishing import Consent
from interlock.domain.record import Record, Withheld

PublicationState = Literal["open", "published", "withdrawn", "superseded"]
Kind = Literal[
    "policy", "contract", "agent", "person", "rights", "budget", "rate", "publishing", "routing", "engine", "baseline"
]


class Publication(Record, frozen=True, kw_only=True):
    """One proposal to change what is in force."""

    kind: ClassVar[str] = "publication"

    id: PublicationId
    edition: Edition
    base: Digest
    """Digest of the edition that was in force when it was proposed."""
    replaces: Edition | None = None
    """That edition itself; None in those proposed before it was kept."""
    proposed_by: str
    why: str = ""
    proposed_at: int
    changes: tuple[str, ...]
    """What would change, a few words each."""
    owners: dict[ContractName, str] = {}
    """By contract that it loosens, the owner who must agree; only where the rule in force asks for owners."""
    consents: tuple[Consent, ...] = ()
    state: PublicationState = "open"
    ended_at: int | None = None
    withheld: Withheld = ""
    """Why nothing private of it is here."""

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id

    def agreed(self, person: Person) -> bool:
        """Whether `person` has said yes already."""
        return any(word.person == person for word in self.consents)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that two editions do not have in common."""

    kind: Kind
    name: str
    how: Literal["added", "removed", "changed"]
    diff: str
    """Line by line, `+` and `-` in front, as in a unified diff without headers."""

    @property
    def words(self) -> str:
        """policy `price.floor` changed."""
        return f"{self.kind} `{self.name}` {self.how}"


def differences(old: Mapping[tuple[Kind, str], str], new: Mapping[tuple[Kind, str], str]) -> tuple[Difference, ...]:
    """What differs between two editions that are given as texts, in the order of kinds and names."""
    found: list[Difference] = []
    for kind, name in sorted(old.keys() | new.keys()):
        was, becomes = old.get((kind, name)), new.get((kind, name))
        if was == becomes:
            continue
        how: Literal["added", "removed", "changed"] = (
            "added" if was is None else "removed" if becomes is None else "changed"
        )
        found.append(Difference(kind=kind, name=name, how=how, diff=_diff(was or "", becomes or "")))
    return tuple(found)


def _diff(was: str, becomes: str) -> str:
    lines = unified_diff(was.splitlines(), becomes.splitlines(), lineterm="", n=2)
    return "\n".join(islice(lines, 2, None))  # without the names of files


def publication_fact(after: Publication, phase: Phase, by: str, now: int, control: Control) -> Fact:
    """The fact that a publication, about to be saved as `after`, was moved by `by` while `control` was in force."""
    edition = after.edition
    body: dict[str, JsonValue] = {
        "state": after.state,
        "epoch": control.revision,
        "base": after.base,
        "bundle": edition.bundle,
        "agents": {name: standing.release for name, standing in sorted(edition.agents.items())},
        "contracts": dict[str, JsonValue](sorted(edition.contracts.items())),
        **_baselines(edition),
        "consents": len(after.consents),
        "rule": {
            "persons": control.publishing.persons,
            "roles": list(control.publishing.roles),
            "owners": control.publishing.owners,
        },
    }
    private: dict[str, JsonValue] = {"by": by}
    if phase == "proposed":
        private |= {"why": after.why, "changes": list(after.changes)}
    if after.consents:
        private["consents"] = [[word.person, word.note] for word in after.consents]
    return Fact(
        phase=phase,
        subject="publication",
        subject_id=after.id,
        subject_digest=edition.digest,
        observed_at=now,
        body=body,
        private=private,
    )


def _baselines(edition: Edition) -> dict[str, JsonValue]:
    return {"baselines": dict[str, JsonValue](sorted(edition.baselines.items()))} if edition.baselines else {}
