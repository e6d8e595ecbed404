"""Many decisions that would be otherwise, counted: they differ in few ways."""

import msgspec

from interlock.domain.contract import Contract
from interlock.domain.ids import ActionId, Digest
from interlock.domain.policy import Decision
from interlock.domain.whatif import Comparison, Decided, Direction, Group, Loosening, Unasked, in_words


class Tally:
    """Counts differences. It grows with the number of ways to differ, not with the number of decisions."""

    def __init__(self) -> None:
        self.asked = 0
        self._same = 0
        self._groups: dict[tuple[object, ...], tuple[Group, int]] = {}
        self._unasked: dict[str, tuple[ActionId, int]] = {}
        self._loosenings: dict[tuple[object, ...], tuple[Loosening, int]] = {}

    def agree(self) -> None:
        """One more that would be decided as before."""
        self.asked += 1
        self._same += 1

    def differ(
        self,
        found: Direction,
        old: Decision,
        new: Decision,
        action: Decided,
        contract: Contract,
        *,
        owner: str,
        grave: bool,
    ) -> None:
        """One more that would be decided otherwise. `grave`: its contract, which `owner` answers for, is of consequence."""
        self.asked += 1
        key = (found, action.contract, old.verdict, new.verdict, old.because, new.because)
        known = self._groups.get(key)
        if known is not None:
            self._groups[key] = (known[0], known[1] + 1)
        else:
            group = Group(
                direction=found,
                contract=action.contract,
                old=old.verdict,
                new=new.verdict,
                old_policies=old.because,
                new_policies=new.because,
                count=1,
                example=action.id,
                agent=action.agent,
                arguments=in_words(action.arguments, contract.data_classes),
            )
            self._groups[key] = (group, 1)
        if found == "loosened" and grave:
            self._loosen(old, new, action, owner)

    def skip(self, why: str, action: Decided) -> None:
        """One more that could not be asked again."""
        example, count = self._unasked.get(why, (action.id, 0))
        self._unasked[why] = (example, count + 1)

    def result(self, *, old: Digest, new: Digest, since_at: int, stopped: bool) -> Comparison:
        """What was counted."""
        groups = [msgspec.structs.replace(group, count=count) for group, count in self._groups.values()]
        grave = [msgspec.structs.replace(each, count=count) for each, count in self._loosenings.values()]
        return Comparison(
            old=old,
            new=new,
            since_at=since_at,
            asked=self.asked,
            same=self._same,
            groups=tuple(sorted(groups, key=_rank)),
            unasked=tuple(
                Unasked(why=why, count=count, example=example)
                for why, (example, count) in sorted(self._unasked.items())
            ),
            loosenings=tuple(sorted(grave, key=lambda each: (each.contract, -each.count, each.old, each.new))),
            stopped=stopped,
        )

    def _loosen(self, old: Decision, new: Decision, action: Decided, owner: str) -> None:
        key = (action.contract, owner, old.verdict, new.verdict)
        known = self._loosenings.get(key)
        if known is not None:
            self._loosenings[key] = (known[0], known[1] + 1)
            return
        found = Loosening(
            contract=action.contract, owner=owner, old=old.verdict, new=new.verdict, count=1, example=action.id
        )
        self._loosenings[key] = (found, 1)


_DIRECTIONS: tuple[Direction, ...] = ("loosened", "tightened", "other")


def _rank(group: Group) -> tuple[object, ...]:
    return _DIRECTIONS.index(group.direction), -group.count, group.contract, group.old_policies, group.new_policies
