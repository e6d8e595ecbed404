"""Auditing for programs: everything that `interlock audit` and `interlock replay` do, with the same code and typed answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from interlock.domain.export import Exported, Selection, Wish
from interlock.domain.fitting import Count, Moment, checked
from interlock.domain.replay import Replay
from interlock.domain.requirement import ProfileName
from interlock.domain.searched import question
from interlock.sdk.home import once
from interlock.services.searching import Found
from interlock.workbench import exports, replays, searches
from interlock.workbench.exports import Verdict


class Auditing:
    """The evidence of a workspace folder. Every method raises InterlockError, and none changes what is recorded.

    Calls block; an asynchronous program makes them in a thread. Times are UTC milliseconds.
    """

    @checked
    def __init__(self, folder: str | Path = ".") -> None:
        self._folder = Path(folder)

    @checked
    def query(
        self,
        *,
        agent: str = "",
        contract: str = "",
        policy: str = "",
        approver: str = "",
        initiator: str = "",
        touching: Sequence[str] = (),
        task: str = "",
        release: str = "",
        states: Sequence[str] = (),
        since_at: Moment | None = None,
        until_at: Moment | None = None,
        limit: Count = 50,
    ) -> Found:
        """Which actions, newest first; everything that is given must fit. `touching` are records as `kind:id`. `since_at` and
        `until_at` say when they began."""
        wanted = question(
            agent=agent,
            contract=contract,
            policy=policy,
            approver=approver,
            initiator=initiator,
            touching=touching,
            task=task,
            release=release,
            states=states,
            since_at=since_at,
            until_at=until_at,
            limit=limit,
        )
        return once(searches.found, self._folder, wanted)

    @checked
    def export(
        self,
        place: str | Path,
        *,
        disclose: Sequence[str] | Literal["all", "none"] = "none",
        since_at: Moment | None = None,
        until_at: Moment | None = None,
        agent: str = "",
        actions: Sequence[str] = (),
        profiles: Sequence[ProfileName] = (),
        receipts: bool = False,
    ) -> Exported:
        """Write the evidence to `place`, a folder or a `.zip` file that is not there yet. `disclose` names the values whose
        clear texts go along; `actions` are ids, or the ends of them. `receipts` asks for COSE receipts and agent
        audit records: it needs the extra of that name."""
        names = None if disclose == "all" else () if disclose == "none" else tuple(disclose)
        wish = Wish(
            selection=Selection(since_at=since_at, until_at=until_at, agent=agent),
            disclosed=names,
            profiles=tuple(profiles),
            receipts=receipts,
        )
        return once(exports.exported, self._folder, Path(place), wish, actions=actions)

    @checked
    def verify(
        self,
        bundle: str | Path,
        *,
        keys: Sequence[str] = (),
        policy: str | Path | None = None,
        retained: Sequence[str | Path] = (),
        max_age_s: Count | None = None,
    ) -> Verdict:
        """What the stand-alone verifier says of an export. `keys` are public keys or files of them: without any it is never
        `verified`."""
        return exports.verified(
            Path(bundle),
            keys=keys,
            policy=None if policy is None else Path(policy),
            retained=[Path(each) for each in retained],
            max_age_ms=None if max_age_s is None else 1000 * max_age_s,
        )

    @checked
    def replay(self, what: str) -> Replay:
        """Decide again what was decided: of an action (its id, or the end of it), a task, or a run."""
        return once(replays.replayed, self._folder, what)


@checked
def audit(folder: str | Path = ".") -> Auditing:
    """The evidence of a workspace folder, to be asked, exported, verified and replayed."""
    return Auditing(folder)
