"""Lists of evidence that auditors ask for, and which entries of the log are on them.

A profile is a table: what a clause asks, and which kinds of entries show it. It says where to look, not that a duty is met:
that is the auditor's to judge. Sources: Regulation (EU) 2024/1689 (AI Act) as amended by Regulation (EU) 2026/1744; AICPA
Trust Services Criteria (TSP section 100), common criteria.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, get_args

from interlock.domain.account import Told

ProfileName = Literal["eu-ai-act", "soc2"]
PROFILES: Final[tuple[ProfileName, ...]] = get_args(ProfileName)


class Pick(NamedTuple):
    """Entries about one subject; empty means any."""

    subject: str
    phases: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    first: bool = False
    """Only an action's first: what was decided stands there, whatever it led to."""

    def takes(self, told: Told) -> bool:
        """Whether `told` is one of them."""
        return (
            (not self.subject or told.subject == self.subject)
            and (not self.phases or told.phase in self.phases)
            and (not self.states or told.state in self.states)
            and (not self.first or told.seq == 1)
        )

    def rule(self) -> str:
        """It as text, for whoever puts the entries where they belong once more: `action phase=approved|rejected`."""
        phases, states = ("|".join(sorted(each)) for each in (self.phases, self.states))
        words = (
            self.subject or "any",
            phases and f"phase={phases}",
            states and f"state={states}",
            self.first and "first",
        )
        return " ".join(each for each in words if each)


class Requirement(NamedTuple):
    """One clause: what it asks in our words, what shows it, and which entries do."""

    clause: str
    asks: str
    shown_by: str
    picks: tuple[Pick, ...]


def _of(subject: str, phases: str = "", states: str = "") -> Pick:
    return Pick(subject, frozenset(phases.split()), frozenset(states.split()))


_DECIDED = Pick("action", first=True)
_STOPS = _of("control", "stopped resumed drill")
_AGREED = _of("action", "approved rejected modified")
_OUTCOMES = _of("action", "outcome settled")
_RISKS = _of("action", "", "refused denied shadowed failed unknown undo_failed expired")
_CHANGES = (_of("control", "applied published"), _of("publication"))
_UNDONE = (_of("unwind"), _of("action", "compensation"))

_AI_ACT: Final = (
    Requirement(
        "Art. 12(1)", "events are recorded automatically over the system's lifetime", "every entry", (_of(""),)
    ),
    Requirement(
        "Art. 12(2)(a)",
        "what may be a risk, or a substantial change, can be found",
        "actions that were refused, denied, failed or unknown; changes of contracts, policies, releases and servers",
        (_RISKS, *_CHANGES, _of("server")),
    ),
    Requirement(
        "Art. 12(2)(b)",
        "monitoring after market placement",
        "outcomes as observed, alarms",
        (_OUTCOMES, _of("control", "alarm engine")),
    ),
    Requirement(
        "Art. 12(2)(c)",
        "deployers monitor operation (Art. 26(5))",
        "every decision of policy",
        (_DECIDED,),
    ),
    Requirement(
        "Art. 14(4)(a)-(c)",
        "people understand and interpret what it does",
        "what was put before people, by the hash of the view, and their word on it",
        (_of("action", "", "held"), _AGREED),
    ),
    Requirement(
        "Art. 14(4)(d)",
        "people can disregard, override or reverse",
        "rejections, modifications, undoing",
        (_of("action", "rejected modified voided"), *_UNDONE),
    ),
    Requirement("Art. 14(4)(e)", "people can stop it", "stops and resumptions", (_STOPS,)),
    Requirement(
        "Art. 19(1), 26(6)",
        "logs are kept for at least six months",
        "the first entry and the last; erasures, each with its class",
        (_of("erasure"), _of("anchor")),
    ),
    Requirement(
        "Art. 26(2)",
        "oversight is given to people with competence and authority",
        "the roles under which people agreed",
        (_AGREED,),
    ),
    Requirement(
        "Art. 73",
        "serious incidents can be reported",
        "unknown or failed undoing, alarms, stops",
        (
            _of("action", "", "unknown undo_failed"),
            _of("control", "alarm"),
            _STOPS,
        ),
    ),
)

_SOC2: Final = (
    Requirement(
        "CC6.1",
        "logical access is restricted",
        "every decision, with the policies that made it",
        (_DECIDED,),
    ),
    Requirement(
        "CC6.3", "access follows roles and separation of duties", "words of people, with their roles", (_AGREED,)
    ),
    Requirement(
        "CC7.1",
        "configurations are watched for change",
        "everything that came into force; what servers said, and who accepted it",
        (*_CHANGES, _of("server")),
    ),
    Requirement(
        "CC7.2",
        "anomalies are watched for",
        "refusals, denials, failures, alarms, servers that say something else than what was accepted",
        (_RISKS, _of("control", "alarm engine"), _of("server", "drifted")),
    ),
    Requirement(
        "CC7.3",
        "security events are evaluated",
        "what was unknown, and how it was settled",
        (_of("action", "settled", ""), _of("action", "", "unknown")),
    ),
    Requirement("CC7.4", "incidents are responded to", "stops, resumptions, undoing", (_STOPS, *_UNDONE)),
    Requirement(
        "CC8.1", "changes are authorised, tested and approved", "publications: proposed, accepted, in force", _CHANGES
    ),
    Requirement(
        "PI1.3", "processing is complete and accurate", "outcomes, and whether they were verified", (_OUTCOMES,)
    ),
    Requirement(
        "PI1.4",
        "output goes only where it was meant to",
        "intents and outcomes, in order",
        (_of("action", "dispatching outcome"),),
    ),
    Requirement("CC6.5, C1.2, P4.3", "data is disposed of", "erasures", (_of("erasure"),)),
    Requirement(
        "CC6.1 (keys)", "cryptographic keys are managed", "introduction, rotation and retirement of keys", (_of("key"),)
    ),
    Requirement("CC4.1", "controls are evaluated by somebody else", "checkpoints seen by witnesses", (_of("anchor"),)),
)

_TABLES: Final[Mapping[str, tuple[Requirement, ...]]] = {"eu-ai-act": _AI_ACT, "soc2": _SOC2}
_TITLES: Final = {"eu-ai-act": "EU AI Act: evidence by article", "soc2": "SOC 2: evidence by criterion"}


class Ranges:
    """Numbers in order, kept as ranges: `3-9, 12`."""

    def __init__(self) -> None:
        self.count = 0
        self._runs: list[list[int]] = []

    def add(self, number: int) -> None:
        """One more, greater than those before."""
        self.count += 1
        if self._runs and self._runs[-1][1] + 1 == number:
            self._runs[-1][1] = number
        else:
            self._runs.append([number, number])

    def __str__(self) -> str:
        return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in self._runs)


class Listing:
    """The list of one profile, filled as the log is read."""

    def __init__(self, profile: ProfileName) -> None:
        self.profile = profile
        self._table = _TABLES[profile]
        self._found = [Ranges() for _ in self._table]
        self._first = self._last = ""

    def take(self, told: Told) -> None:
        """Put one entry where it belongs."""
        self._first = self._first or told.at
        self._last = told.at
        for requirement, found in zip(self._table, self._found, strict=True):
            if any(pick.takes(told) for pick in requirement.picks):
                found.add(told.entry)

    def markdown(self, origin: str, size: int) -> str:
        """The list for people."""
        lines = [
            f"# {_TITLES[self.profile]}",
            "",
            f"Log `{origin}`, {size} entries, from {self._first} to {self._last} (the operator's clock; anchors bound it).",
            "Numbers are indexes of entries of this log. This list says where to look; whether a duty is met is yours to judge.",
            "",
            "| clause | asks | shown by | entries | which |",
            "| --- | --- | --- | --- | --- |",
        ]
        for each, found in zip(self._table, self._found, strict=True):
            lines.append(f"| {each.clause} | {each.asks} | {each.shown_by} | {found.count} | {str(found) or 'none'} |")
        return "\n".join([*lines, ""])

    def table(self) -> str:
        """The list for programs: CSV (RFC 4180)."""
        rows = [("clause", "asks", "shown by", "rule", "count", "entries"), *self._rows()]
        return "".join(",".join(map(_quoted, row)) + "\r\n" for row in rows)

    def _rows(self) -> Iterable[tuple[str, ...]]:
        for each, found in zip(self._table, self._found, strict=True):
            rule = " or ".join(pick.rule() for pick in each.picks)
            yield each.clause, each.asks, each.shown_by, rule, str(found.count), str(found)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
