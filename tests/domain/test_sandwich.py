"""The times between which an entry must lie, as both verifiers hold them."""

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

import interlock_verify as alone
from interlock.domain.anchoring import Anchor, Sandwich
from interlock.domain.note import Checkpoint, parse_note, signature_line

SIZE, SKEW = 12, 2
TIMES = st.integers(0, 30)
NOTE = b"text\n\n" + signature_line("test/log", bytes(4), bytes(64))


class Nothing:
    """An export without a file."""

    def paths(self) -> list[str]:
        """None."""
        return []

    def open(self, path: str) -> None:
        """Nothing."""


@settings(max_examples=200)
@given(
    times=st.lists(TIMES, min_size=SIZE, max_size=SIZE),
    anchors=st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE), TIMES, TIMES), max_size=4),
)
def test_both_verifiers_find_the_same_times_wrong(times: list[int], anchors: list[tuple[int, int, int, int]]) -> None:
    """Whatever the anchors, in whatever order and with whatever clocks: an entry that one reader finds, the other does."""
    each: dict[int, tuple[int, int, int]] = {}
    for index, size, one, other in anchors:
        each[index] = (min(size, index), min(one, other) + 1, max(one, other) + 1)
    ours = Sandwich(
        [
            Anchor(
                index=index,
                note=parse_note(NOTE),
                checkpoint=Checkpoint(origin="test/log", size=size, root=bytes(32)),
                cosigned=(),
                stamped_ms=None,
                first_ms=first,
                last_ms=last,
            )
            for index, (size, first, last) in sorted(each.items())
        ],
        SKEW,
    )
    found = [index for index, moment in enumerate(times) if ours.squeeze(index, moment) is not None]

    report = alone.Report(export="b")
    check = alone.Check(Nothing(), alone.Options(skew_ms=SKEW), report)
    check.times = array("q", times)
    check.anchors = [
        alone.Anchor(index, size, {"a": first, "b": last}) for index, (size, first, last) in sorted(each.items())
    ]
    check._sandwich()
    assert [int(place.removeprefix("entry ")) for place, _ in report.findings] == found
