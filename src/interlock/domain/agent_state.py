"""Whether an agent may act: which states there are, what leads from one to another, and who may.

A draft is no state of ours: it is a file that is not in force. What is suspended proposes nothing and begins nothing, and
what waits goes on waiting. What is retired is so for good: what waits is voided, what was done can still be undone.
"""

from collections.abc import Collection, Mapping
from typing import ClassVar, Final, Literal

from interlock.domain.agent import OFFICES, Owners
from interlock.domain.duration import DAY
from interlock.domain.ids import AgentName, Person
from interlock.domain.record import Record, Withheld

AgentState = Literal["active", "suspended", "retired"]
STATES: tuple[AgentState, ...] = ("active", "suspended", "retired")
Move = Literal["suspend", "activate", "retire"]

MOVES: Final[Mapping[tuple[AgentState, Move], AgentState]] = {
    ("active", "suspend"): "suspended",
    ("suspended", "activate"): "active",
    ("active", "retire"): "retired",
    ("suspended", "retire"): "retired",
}
"""Every move there is. Nothing leads out of `retired`."""
MEANS: Final[Mapping[AgentState, str]] = {
    "active": "it may act, as far as its stage goes",
    "suspended": "nothing new is proposed or dispatched; what waits goes on waiting",
    "retired": "for good: what waited is voided, what was done can still be undone",
}
OPERATOR: Final = "operator"
"""The role that may suspend any agent."""
RETIRE_WITHIN_MS: Final = 7 * DAY
"""How long one person's word that an agent shall be retired waits for somebody else's."""


class AgentWords(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Who moved an agent, and why: beside the standing orders, which every process reads, so that it can be erased."""

    kind: ClassVar[str] = "agent_words"

    id: str
    agent: AgentName
    move: Move
    state: AgentState
    """The state it is in since. A first word that it shall be retired leaves it where it was."""
    said_at: int
    why: str
    by: str
    withheld: Withheld = ""

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id

    def waits(self, now: int) -> bool:
        """Whether it is a first word to retire, which somebody else may still second at `now`."""
        first = self.move == "retire" and self.state != "retired" and not self.withheld
        return first and now < self.said_at + RETIRE_WITHIN_MS


def refusal(move: Move, person: Person, roles: Collection[str], owners: Owners) -> str:
    """Why `person`, who holds `roles`, may not say `move` of an agent of `owners`; or nothing.

    Whoever answers for it in any way, and every operator, may suspend it. It is the decision owner's to let it act again,
    and to agree to its retirement beside one other person, who may be anybody known.
    """
    offices = {office for office in OFFICES if owners.of(office) in (person, *roles)}
    match move:
        case "suspend" if not offices and OPERATOR not in roles:
            return f"`{person}` is none of its owners, and no {OPERATOR}"
        case "activate" if "decision" not in offices:
            return f"`{person}` is not its decision owner{_named(owners)}"
        case _:
            return ""


def decides(person: Person, roles: Collection[str], owners: Owners) -> bool:
    """Whether `person` is the decision owner."""
    return owners.of("decision") in (person, *roles)


def _named(owners: Owners) -> str:
    return f", `{owners.of('decision')}`" if owners.decision else ": its file names none"
