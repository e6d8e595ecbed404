"""What a policy says of itself: `@id("price.floor") @owner("pricing") @outcome("deny") @reason("below the floor")`.

An annotation nobody reads would be a rule nobody applies, so each is known, well formed, and stands where it counts.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, cast

import msgspec
from cedarpy import pst

from interlock.adapters.cedar.remark import Remark
from interlock.adapters.cedar.words import near
from interlock.domain.contract import RISKS
from interlock.domain.deadline import (
    ANYONE,
    LONGEST_DEFAULT,
    OVERDUE,
    Overdue,
    Terms,
    read_chain,
    read_deadline,
    read_delegates,
)
from interlock.domain.policy import VERDICTS, Policy, Verdict

KNOWN: Final = (
    "id",
    "owner",
    "outcome",
    "reason",
    "approver",
    "quorum",
    "deadline",
    "escalate",
    "overdue",
    "default",
    "delegate",
    "obligation",
    "mode",
    "risk",
    "expires",
)
_ASKED: Final = ("approver", "quorum", "deadline", "escalate", "overdue", "default", "delegate")
"""What means something only where people are asked."""
_OUTCOMES: Final = VERDICTS[1:]
_ASKING: Final = ("require_approval", "escalate")
_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]{0,127}")
_ROLE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_QUORUM: Final = re.compile(r"[1-9][0-9]?")
_OBLIGATION: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OURS: Final = "interlock."
_SOON: Final = timedelta(days=14)


def policy_of(template: pst.Template, wrong: Callable[[Remark], None]) -> Policy | None:
    """What the combiner must know of `template`. Each thing that is wrong is told to `wrong`; then there is none."""
    said = dict(template.annotations)
    problems = [*_unknown(said), *_always(said)]
    problems += _of_forbid(said) if template.effect == "forbid" else _of_permit(said)
    obligations = tuple(word.strip() for word in said["obligation"].split(",")) if "obligation" in said else ()
    for word in obligations:
        if not _OBLIGATION.fullmatch(word):
            problems.append(_of("obligation", f"`{word}` in `@obligation` is no word"))
    if said.get("mode", "shadow") not in ("shadow", "enforce"):
        problems.append(_of("mode", "`@mode` is `shadow` or `enforce`"))
    if said.get("risk", "low") not in RISKS:
        problems.append(_of("risk", f"`@risk` is one of {_listed(RISKS)}{near(said['risk'], RISKS)}"))
    if "expires" in said and _day(said["expires"]) is None:
        problems.append(
            _of("expires", '`@expires` is the last day on which the policy is meant: `@expires("2027-01-31")`')
        )
    for problem in problems:
        wrong(problem)
    if problems:
        return None
    return Policy(
        id=said["id"],
        effect=template.effect,
        owner=said["owner"],
        verdict=cast(Verdict, said.get("outcome", "deny")),
        reason=said.get("reason", ""),
        approver=said.get("approver", ""),
        quorum=int(said.get("quorum", "1")),
        terms=_terms(said),
        obligations=obligations,
        mode="shadow" if said.get("mode") == "shadow" else "enforce",
    )


def expiry(template: pst.Template, at: int) -> Iterator[Remark]:
    """Whether a policy's last day is over at `at` (UTC ms), or soon will be. In a bundle that is in force it goes on
    holding: a prohibition that ends by itself would let something through on a day when nobody looks."""
    last = _day(template.annotations.get("expires", ""))
    if last is None:
        return
    today = datetime.fromtimestamp(at / 1000, tz=UTC).date()
    if today > last:
        yield _of("expires", f"its last day was {last}: renew it, or take it away")
    elif today >= last - _SOON:
        yield _of("expires", f"its last day is {last}; from the day after, no bundle with it is formed")._replace(
            severity="warning"
        )


def approvers(template: pst.Template, roles: Mapping[str, int]) -> Iterator[Remark]:
    """An approver that nobody is, or more of them than there are: what it holds would be held for ever. `roles` says how
    many people have each."""
    said = template.annotations
    role, wanted = said.get("approver", ""), int(said.get("quorum", "1"))
    there = roles.get(role, 0)
    if role and not there:
        yield _of("approver", f"nobody has the role `{role}`{near(role, roles)}")
    elif role and there < wanted:
        # Those it goes on to count as well, and come too late to be counted on.
        yield _of("quorum", f"it takes {wanted} people in the role `{role}`, and there {_are(there)}")


def escalations(template: pst.Template, roles: Mapping[str, int]) -> Iterator[Remark]:
    """A role in the chain, or one that may be handed it, that nobody has: the question would go on to nobody."""
    for key, read in (("escalate", read_chain), ("delegate", read_delegates)):
        for role in read(template.annotations[key]) if key in template.annotations else ():
            if not roles.get(role) and role != ANYONE:
                yield _of(key, f"nobody has the role `{role}`{near(role, roles)}")


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _of(key: str, message: str) -> Remark:
    """A remark on the value of an annotation."""
    return Remark(message, at=key, part="value")


def _listed(words: Collection[str]) -> str:
    return ", ".join(f"`{each}`" for each in words)


def _unknown(said: Mapping[str, str]) -> list[Remark]:
    there = ", ".join(f"`@{each}`" for each in KNOWN)
    return [
        Remark(f"`@{key}` is not known; {_meant(key) or f'there are {there}'}", at=key, part="key")
        for key in said
        if key not in KNOWN
    ]


def _meant(key: str) -> str:
    found = near(key, KNOWN)
    return found.removeprefix("; ").replace("`", "`@", 1)


def _always(said: Mapping[str, str]) -> list[Remark]:
    problems: list[Remark] = []
    name = said.get("id", "")
    if not _ID.fullmatch(name):
        problems.append(_of("id", "`@id` must be given: a word such as `price.floor`, at most 128 characters"))
    elif name.startswith(_OURS):
        problems.append(_of("id", f"`@id` begins with `{_OURS}`, which is kept for rules that no policy can loosen"))
    if not said.get("owner", "").strip():
        problems.append(_of("owner", "`@owner` must be given: who answers for this policy"))
    return problems


def _of_forbid(said: Mapping[str, str]) -> list[Remark]:
    problems: list[Remark] = []
    outcome = said.get("outcome", "")
    if outcome not in _OUTCOMES:
        meant = near(outcome, _OUTCOMES)
        problems.append(_of("outcome", f"a forbid has an `@outcome`: one of {_listed(_OUTCOMES)}{meant}"))
    if not said.get("reason", "").strip():
        problems.append(_of("reason", "a forbid has a `@reason`: what the person who runs into it is told"))
    if outcome in _ASKING:
        if not _ROLE.fullmatch(said.get("approver", "")):
            problems.append(_of("approver", f"`{outcome}` needs an `@approver`: the role that is asked"))
        if not _QUORUM.fullmatch(said.get("quorum", "1")):
            problems.append(_of("quorum", "`@quorum` is how many people must agree: a whole number from 1 to 99"))
        problems += _of_time(said)
    elif outcome in _OUTCOMES:
        unasked = [key for key in _ASKED if key in said]
        problems += [Remark(f"`@{key}` means nothing where nobody is asked", at=key, part="key") for key in unasked]
    if outcome == "oblige" and "obligation" not in said:
        problems.append(Remark("`oblige` needs an `@obligation`: what must be done", at="outcome", part="value"))
    if outcome == "deny" and "obligation" in said:
        problems.append(Remark("`@obligation` means nothing on what is denied", at="obligation", part="key"))
    return problems


def _of_time(said: Mapping[str, str]) -> Iterator[Remark]:
    """What is wrong with what it says of the time there is."""
    try:
        read_deadline(said.get("deadline", "1h"))
    except ValueError:
        yield _of("deadline", '`@deadline` is how long people have: `@deadline("30m")`, or `@deadline("4h on call")`')
    if "escalate" in said:
        try:
            chain = read_chain(said["escalate"])
        except ValueError as error:
            yield _of("escalate", f'`@escalate` is who is asked next: `@escalate("lead, manager")`; {error}')
        else:
            if said.get("approver", "") in chain:
                yield _of("escalate", f"`{said['approver']}` is asked from the first on")
        if "deadline" not in said:
            yield Remark("`@escalate` needs a `@deadline`: after how long", at="escalate", part="key")
    if "delegate" in said:
        try:
            read_delegates(said["delegate"])
        except ValueError as error:
            yield _of("delegate", f'`@delegate` is whom it may be handed to: `@delegate("anyone")`, or roles; {error}')
    if said.get("overdue", "deny") not in OVERDUE:
        yield _of("overdue", f"`@overdue` is one of {_listed(OVERDUE)}{near(said['overdue'], OVERDUE)}")
    if "default" in said:
        if not said["default"].strip() or len(said["default"]) > LONGEST_DEFAULT:
            yield _of(
                "default",
                f"`@default` is what an exception is answered when nobody does, in at most {LONGEST_DEFAULT} letters: "
                '`@default("keep it")`',
            )
        if said.get("overdue") == "park":
            yield _of(
                "default", '`@default` never comes to pass beside `@overdue("park")`, which keeps the question open'
            )


def _terms(said: Mapping[str, str]) -> Terms:
    terms = read_deadline(said["deadline"]) if "deadline" in said else Terms()
    return msgspec.structs.replace(
        terms,
        escalate=read_chain(said["escalate"]) if "escalate" in said else (),
        overdue=cast(Overdue, said.get("overdue", "")),
        default=said.get("default", "").strip(),
        delegate=read_delegates(said["delegate"]) if "delegate" in said else (),
    )


def _of_permit(said: Mapping[str, str]) -> list[Remark]:
    asked = [key for key in ("outcome", *_ASKED) if key in said]
    return [Remark(f"`@{key}` belongs on a forbid: a permit only grants", at=key, part="key") for key in asked]
