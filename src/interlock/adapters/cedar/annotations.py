"""What a policy says of itself: `@id("price.floor") @owner("pricing") @outcome("deny") @reason("below the floor")`.

An annotation nobody reads would be a rule nobody applies, so each is known, well formed, and stands where it counts.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, cast

from cedarpy import pst

from interlock.domain.policy import VERDICTS, Policy, Verdict

KNOWN: Final = ("id", "owner", "outcome", "reason", "approver", "quorum", "obligation", "mode")
_OUTCOMES: Final = VERDICTS[1:]
_ASKING: Final = ("require_approval", "escalate")
_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]{0,127}")
_ROLE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_QUORUM: Final = re.compile(r"[1-9][0-9]?")
_OBLIGATION: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")
_OURS: Final = "interlock."


def policy_of(template: pst.Template, wrong: Callable[[str], None]) -> Policy | None:
    """What the combiner must know of `template`. Each thing that is wrong is told to `wrong`; then there is none."""
    said = dict(template.annotations)
    problems = [*_unknown(said), *_always(said)]
    problems += _of_forbid(said) if template.effect == "forbid" else _of_permit(said)
    obligations = tuple(word.strip() for word in said["obligation"].split(",")) if "obligation" in said else ()
    problems += [f"`{word}` in `@obligation` is no word" for word in obligations if not _OBLIGATION.fullmatch(word)]
    if said.get("mode", "shadow") not in ("shadow", "enforce"):
        problems.append("`@mode` is `shadow` or `enforce`")
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
        obligations=obligations,
        mode="shadow" if said.get("mode") == "shadow" else "enforce",
    )


def _unknown(said: Mapping[str, str]) -> list[str]:
    return [
        f"`@{key}` is not known; there are {', '.join(f'`@{each}`' for each in KNOWN)}"
        for key in said
        if key not in KNOWN
    ]


def _always(said: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    name = said.get("id", "")
    if not _ID.fullmatch(name):
        problems.append("`@id` must be given: a word such as `price.floor`, at most 128 characters")
    elif name.startswith(_OURS):
        problems.append(f"`@id` begins with `{_OURS}`, which is kept for rules that no policy can loosen")
    if not said.get("owner", "").strip():
        problems.append("`@owner` must be given: who answers for this policy")
    return problems


def _of_forbid(said: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    outcome = said.get("outcome")
    if outcome not in _OUTCOMES:
        problems.append(f"a forbid has an `@outcome`: one of {', '.join(f'`{each}`' for each in _OUTCOMES)}")
    if not said.get("reason", "").strip():
        problems.append("a forbid has a `@reason`: what the person who runs into it is told")
    if outcome in _ASKING:
        if not _ROLE.fullmatch(said.get("approver", "")):
            problems.append(f"`{outcome}` needs an `@approver`: the role that is asked")
        if not _QUORUM.fullmatch(said.get("quorum", "1")):
            problems.append("`@quorum` is how many people must agree: a whole number from 1 to 99")
    else:
        problems += [f"`@{key}` means nothing where nobody is asked" for key in ("approver", "quorum") if key in said]
    if outcome == "oblige" and "obligation" not in said:
        problems.append("`oblige` needs an `@obligation`: what must be done")
    if outcome == "deny" and "obligation" in said:
        problems.append("`@obligation` means nothing on what is denied")
    return problems


def _of_permit(said: Mapping[str, str]) -> list[str]:
    asked = [key for key in ("outcome", "approver", "quorum") if key in said]
    return [f"`@{key}` belongs on a forbid: a permit only grants" for key in asked]
