"""What sums come to: the figures of an overview, of an agent, and of how people ruled."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from interlock.domain.course import percentile
from interlock.domain.figure import AgentFigures, By, Figure, Row, Sure, amount, per, ratio
from interlock.domain.ids import AgentName
from interlock.ports.rollups import Ruled, Spoken, Tallied

Marks = Counter[str]


def grouped(tallied: Iterable[Tallied]) -> dict[str, Marks]:
    """The marks of each name, or time."""
    found: dict[str, Marks] = {}
    for each in tallied:
        found.setdefault(each.group, Marks())[each.what] += each.n
    return found


def named(marks: Marks, prefix: str) -> dict[str, int]:
    """The marks that begin with `prefix`, by what follows it."""
    return {what.removeprefix(prefix): n for what, n in marks.items() if what.startswith(prefix) and n}


def _p95(marks: Marks) -> int | None:
    return percentile({int(number): n for number, n in named(marks, "took:").items()}, 0.95)


def tiles(total: Marks, places: Sequence[Marks]) -> tuple[Figure, ...]:
    """The figures of a span: of all of it, and of each of its hours or days."""

    def series(of: Callable[[Marks], int | None]) -> tuple[int | None, ...]:
        return tuple(of(marks) for marks in places)

    def share(part: str, whole: str) -> tuple[int | None, ...]:
        return series(lambda marks: per(1000 * marks[part], marks[whole]))

    took = sum(named(total, "took:").values())
    return (
        amount("tasks", "count", total["tasks"], total["tasks"], series(lambda marks: marks["tasks"])),
        ratio("task_error", total["bad"], total["tasks"], share("bad", "tasks")),
        ratio("escalation", total["asked"], total["proposed"], share("asked", "proposed")),
        ratio("policy_blocks", total["in:denied"], total["proposed"], share("in:denied", "proposed")),
        amount("p95_latency", "ms", _p95(total), took, series(_p95)),
        amount(
            "cost_per_task",
            "usd_micro",
            per(total["cost"], total["tasks"]),
            total["tasks"],
            series(lambda marks: per(marks["cost"], marks["tasks"])),
        ),
    )


def agent_figures(name: str, marks: Marks) -> AgentFigures:
    """What there was of one agent."""
    return AgentFigures(
        agent=AgentName(name),
        tasks=marks["tasks"],
        bad=marks["bad"],
        proposed=marks["proposed"],
        done=marks["in:done"],
        failed=marks["in:failed"],
        unknown=marks["in:unknown"],
        denied=marks["in:denied"],
        refused=marks["in:refused"],
        asked=marks["asked"],
        undone=marks["in:undone"],
        p95_ms=_p95(marks),
        cost=marks["cost"],
    )


def sureness(marks: Marks) -> tuple[Sure, ...]:
    """How sure agents said they are, against what people made of it."""
    found: list[Sure] = []
    for tenth in range(10):
        right, wrong = marks[f"sure:{tenth}:right"], marks[f"sure:{tenth}:wrong"]
        if right + wrong:
            share = ratio("right", right, right + wrong)
            found.append(Sure(least=100 * tenth, most=100 * (tenth + 1), right=share))
    return tuple(found)


def ruled_rows(by: By, ruled: Iterable[Ruled], proposed: dict[str, Marks]) -> Iterable[Row]:
    """How people ruled, for each agent, contract or policy, of which so much was `proposed`."""
    groups: dict[str, list[Ruled]] = {} if by != "all" else {"": []}
    for each in ruled:
        if each.ruling == "known_bad":
            continue  # of it no figure tells but that of whoever spoke on it
        names = {"agent": (each.agent,), "contract": (each.contract,), "policy": each.policies}.get(by, ("",))
        for name in names:
            groups.setdefault(name, []).append(each)
    everything = proposed.get("", Marks())
    for name, found in groups.items():
        # A policy's share is of all that was proposed: it is asked about everything.
        marks = everything if by in ("all", "policy") else proposed.get(name, Marks())
        asked = marks[f"for:{name}"] if by == "policy" else marks["asked"]
        yield Row(
            name=name,
            asked=sum(each.n for each in found),
            waiting=sum(each.n for each in found if not each.ruling),
            figures=(ratio("escalation", asked, marks["proposed"]), *_ruled_figures(found)),
            confidence=() if by == "policy" else sureness(marks),
        )


def _ruled_figures(found: Sequence[Ruled]) -> tuple[Figure, ...]:
    def n(fits: Callable[[Ruled], bool]) -> int:
        return sum(each.n for each in found if fits(each))

    approved = n(lambda each: each.ruling == "approved")
    by_people = approved + n(lambda each: each.ruling == "rejected")
    over = n(lambda each: each.ruling in ("approved", "rejected", "expired"))
    waited = Counter[int]()
    for each in found:
        if each.waited is not None and each.ruling in ("approved", "rejected", "expired"):
            waited[each.waited] += each.n
    return (
        ratio("approved_unchanged", n(lambda each: each.ruling == "approved" and not each.modified), by_people),
        amount("time_to_resolution_p50", "ms", percentile(waited, 0.5), over),
        amount("time_to_resolution_p95", "ms", percentile(waited, 0.95), over),
        ratio("error_after_approval", n(lambda each: each.error), approved),
        ratio("asked_in_vain", n(lambda each: each.in_vain), by_people),
        ratio("expired", n(lambda each: each.ruling == "expired"), over),
    )


def spoken_rows(spoken: Iterable[Spoken]) -> Iterable[Row]:
    """How each person ruled."""
    groups: dict[str, list[Spoken]] = {}
    for each in spoken:
        groups.setdefault(each.person, []).append(each)
    for person, every in groups.items():
        found = [each for each in every if not each.known_bad]
        known_bad = sum(each.n for each in every if each.known_bad)
        # A yes is a miss; a no, or other arguments in place of the wrong ones, is not.
        caught = sum(each.n for each in every if each.known_bad and each.verdict != "approve")
        waited = Counter[int]()
        for each in found:
            waited[each.waited] += each.n
        said = sum(each.n for each in found)
        yes = sum(each.n for each in found if each.verdict != "reject")
        unchanged = sum(each.n for each in found if each.verdict == "approve")
        wrong = sum(each.n for each in found if each.error and each.verdict != "reject")
        yield Row(
            name=person,
            asked=said + known_bad,
            waiting=0,
            figures=(
                ratio("approved_unchanged", unchanged, said),
                amount("time_to_resolution_p50", "ms", percentile(waited, 0.5), said),
                amount("time_to_resolution_p95", "ms", percentile(waited, 0.95), said),
                ratio("error_after_approval", wrong, yes),
                ratio("known_bad_caught", caught, known_bad),
            ),
        )
