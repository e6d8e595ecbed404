"""Policies for programs: everything that `interlock policy` does, with the same code and typed answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

from interlock.bootstrap.beginning import Begun, begin_matrix, begin_policies
from interlock.bootstrap.site import read_site
from interlock.bootstrap.tending import policy_findings, policy_forms
from interlock.domain.duration import DAY
from interlock.domain.errors import NotAllowed, PolicyError
from interlock.domain.explanation import Explanation
from interlock.domain.finding import Finding
from interlock.domain.fitting import Count, Millis, PerMille, checked
from interlock.domain.ids import Person
from interlock.domain.policy import Engine
from interlock.domain.proof import INVARIANTS
from interlock.domain.publication import Publication
from interlock.sdk.home import once
from interlock.services.candidates import Candidate
from interlock.services.policy_tests import Report
from interlock.services.reviewing import Review
from interlock.services.trying import Hypothesis
from interlock.workbench import comparing, publications, reasons, trials
from interlock.workbench.comparing import Compared, Proved
from interlock.workbench.publications import Brought, EngineState, Proposed
from interlock.workbench.trials import Ended

P = ParamSpec("P")
T = TypeVar("T")


class Policies:
    """The policies of a workspace folder, as `person` works with them. Every method raises InterlockError.

    Calls block; an asynchronous program makes them in a thread.
    """

    @checked
    def __init__(self, folder: str | Path = ".", *, person: str = "") -> None:
        self._folder = Path(folder)
        self._person = Person(person) if person else None

    # -- files -----------------------------------------------------------------------------------------------------

    @checked
    def new(self, name: str, *, agent: str = "", contracts: Mapping[str, str] | None = None) -> Begun:
        """Write policies to begin with and their tests: `pricing`, `refunds`, `replenishment`, `mail`, `database`.
        `contracts` names by role which contract is meant. Overwrites nothing."""
        return begin_policies(self._folder, name, agent=agent, contracts=contracts)

    @checked
    def new_from_matrix(self, *, confidence: PerMille = 850, agent: str = "") -> Begun:
        """Write the oversight matrix and its tests. `confidence`: from how many per mille on an agent is sure."""
        return begin_matrix(self._folder, confidence=confidence, agent=agent)

    def lint(self) -> tuple[Finding, ...]:
        """Everything wrong or doubtful, each at its word."""
        return policy_findings(self._folder)

    @checked
    def format(self, *, write: bool = True) -> tuple[Path, ...]:
        """Put the files into Cedar's own form; without `write` only say which would change. Raises PolicyError, and
        changes nothing, where one does not parse."""
        forms, unreadable = policy_forms(self._folder, [])
        if unreadable:
            said = tuple([f"{path} does not parse" for path in unreadable])
            raise PolicyError(said[0], problems=said)
        changed = [each for each in forms if each.changes]
        for each in changed if write else ():
            each.write()
        return tuple([each.path for each in changed])

    def test(self) -> Report:
        """The tests of the policies, run on both engines, and which policies none of them makes true. Raises
        WorkspaceError where the workspace is wrong before any test."""
        site = read_site(self._folder)
        if site.tested is not None:
            return site.tested
        wrong = tuple([str(each) for each in site.problems if each.severity == "error"])
        raise PolicyError(wrong[0], problems=wrong)

    # -- reasons ---------------------------------------------------------------------------------------------------

    @checked
    def explain(self, action: str, *, by: str = "decided", values: bool = False) -> Explanation:
        """Why an action (its id, or the end of it) was decided as it was. `by` the policies that `decided` it, those
        `in-force`, those in `files`, or those of a digest. With `values` personal and secret ones are shown."""
        return once(reasons.explained, self._folder, action, by=by, values=values)

    @checked
    def try_(
        self, wanted: Hypothesis, *, by: Literal["files", "in-force"] = "files", values: bool = False
    ) -> Explanation:
        """How what nobody proposed would be decided, by the policies in `files` or those `in-force`. Nothing is proposed,
        recorded or touched."""
        return once(reasons.tried, self._folder, wanted, by=by, values=values)

    # -- what would change -----------------------------------------------------------------------------------------

    @checked
    def diff(
        self,
        old: str = "in-force",
        new: str = "files",
        *,
        since_ms: Millis = 30 * DAY,
        limit: Count | None = None,
        proofs: bool = False,
    ) -> Compared:
        """What `new` would have decided otherwise of what was decided in the last `since_ms`; with `proofs` of any request
        there could be. A side is `in-force`, `files`, a folder, or the beginning of a bundle's digest."""
        return once(comparing.compared, self._folder, old, new, since_ms=since_ms, limit=limit, proofs=proofs)

    @checked
    def prove(self, invariants: str | None = None, *, about: str = "files") -> Proved:
        """Whether invariants hold of every request there could be: the text of them, else the workspace's own file."""
        written = comparing.written_in(self._folder / INVARIANTS) if invariants is None else {INVARIANTS: invariants}
        return once(comparing.proved, self._folder, written, about)

    # -- trials ----------------------------------------------------------------------------------------------------

    @checked
    def candidates(self, *, since_ms: Millis | None = None) -> tuple[Candidate, ...]:
        """Policies in shadow that are in force, and what was decided beside each."""
        return once(trials.figures, self._folder, since_ms=since_ms)

    @checked
    def promote(self, policy: str) -> Ended:
        """Take a policy out of shadow, in its file. Publishing it is the next step."""
        return once(trials.ended, self._folder, policy, "promoted")

    @checked
    def drop(self, policy: str) -> Ended:
        """Take a policy in shadow out of its file. Publishing that is the next step."""
        return once(trials.ended, self._folder, policy, "dropped")

    # -- publishing ------------------------------------------------------------------------------------------------

    @checked
    def publish(self, *, why: str = "") -> Brought:
        """Put the workspace in force, or propose it where that takes more people."""
        return once(publications.published, self._folder, by=self._person, why=why)

    @checked
    def pending(self, *, everything: bool = False) -> tuple[Proposed, ...]:
        """What waits for somebody's word; with `everything` what ended, too."""
        return once(publications.pending, self._folder, everything=everything)

    @checked
    def review(self, publication: str, *, newest: Count = 20_000) -> Review:
        """What a publication would change, and what of the `newest` recorded decisions would be otherwise."""
        return once(publications.reviewed, self._folder, publication, newest=newest)

    @checked
    def accept(self, publication: str, *, note: str = "") -> Proposed:
        """Agree. With the last person it takes, it is in force in every process when this returns."""
        return once(publications.accepted, self._folder, publication, self._who(), note=note)

    @checked
    def withdraw(self, publication: str) -> Publication:
        """Take a publication back."""
        return once(publications.withdrawn, self._folder, publication, self._who())

    def engine(self) -> EngineState:
        """What answers for the policies, and whether an alarm stands."""
        return once(publications.engine_in_force, self._folder)

    @checked
    def use_engine(self, engine: Engine, *, why: str) -> EngineState:
        """Have the other engine answer, in every process."""
        return once(publications.engine_used, self._folder, engine, self._who(), why=why)

    def _who(self) -> Person:
        if self._person is None:
            raise NotAllowed(
                "a person decides this, and nobody said who",
                next_step="name one: `interlock.policies(..., person=...)`",
            )
        return self._person


@checked
def policies(folder: str | Path = ".", *, person: str = "") -> Policies:
    """The policies of a workspace folder, as `person` works with them; your program answers for who it is."""
    return Policies(folder, person=person)
