"""Who may speak on one held action, and whom to ask instead.

Roles are those the standing orders say, and those in which somebody was handed the question by who holds them. The initiator
never decides, nobody speaks twice, and whoever handed the question to somebody else is silent until it is taken back.
"""

from interlock.domain.access import permissions_of
from interlock.domain.action import Action
from interlock.domain.approval import Handing, Hold, is_initiator, roles_for
from interlock.domain.control import Control
from interlock.domain.deadline import meant
from interlock.domain.errors import NotAllowed
from interlock.domain.evidence import at
from interlock.domain.ids import Person
from interlock.domain.names import listed
from interlock.domain.people import roles_of


def entitled(action: Action, asked: Hold, person: Person, control: Control) -> frozenset[str]:
    """The roles by which `person` may speak on `action`. Raises NotAllowed, saying whom to ask instead."""
    roles = must_be_asked(action, asked, person, control)
    given_to = {each.to for each in asked.handings if each.by == person}
    for word in asked.words:
        if word.lent and word.person in given_to:
            raise NotAllowed(
                f"`{word.person}`, to whom `{person}` handed this, has decided on it in their place",
                next_step=ask_instead(action, asked, control),
            )
        if word.person == person:
            raise NotAllowed(
                f"`{person}` has decided on this already, at {at(word.decided_at)}",
                next_step=ask_instead(action, asked, control),
            )
    handed = handed_by(asked, person)
    if handed is not None:
        raise NotAllowed(
            f"`{person}` handed this to `{handed.to}`, at {at(handed.at)}",
            next_step="take it back first: `interlock delegate ACTION --back`",
        )
    return roles


def must_be_asked(action: Action, asked: Hold, person: Person, control: Control) -> frozenset[str]:
    """The roles asked that `person` holds, whether they spoke or not. Raises NotAllowed for the initiator and for others."""
    roles = roles_of(person, control) | lent(asked, person, control)
    wanted = asked.roles
    if is_initiator(person, action.initiator):
        raise NotAllowed(
            f"`{person}` asked for this and cannot decide on it", next_step=ask_instead(action, asked, control)
        )
    if not roles & wanted:
        raise NotAllowed(
            f"`{person}` is not asked here; one of these roles is: {', '.join(sorted(wanted))}",
            next_step=ask_instead(action, asked, control),
        )
    return roles & wanted


def lent(asked: Hold, person: Person, control: Control) -> frozenset[str]:
    """The roles in which `person` may answer because somebody who holds them handed them the question, where its policy lets it
    be handed to such as them. Nobody hands on what they were lent."""
    held = control.roles(person)
    from_whom = [each.by for each in asked.handings if each.to == person and each.back_at is None]
    return (
        frozenset(
            role
            for need in asked.requirements
            if may_be_handed(need.terms.delegate, held)
            for by in from_whom
            for role in roles_for(asked, need) & control.roles(by)
        )
        - held
    )


def may_be_handed(delegates: tuple[str, ...], held: frozenset[str]) -> bool:
    """Whether a question whose policy names `delegates` may be handed to who holds these roles."""
    return "decide" in permissions_of(held) and meant(delegates, held)


def handed_by(asked: Hold, person: Person) -> Handing | None:
    """The handing by which `person` is silent for now."""
    return next((each for each in reversed(asked.handings) if each.by == person and each.back_at is None), None)


def handed_to(asked: Hold, person: Person) -> bool:
    """Whether somebody handed it to `person`."""
    return any(each.to == person and each.back_at is None for each in asked.handings)


def able(action: Action, asked: Hold, role: str, control: Control) -> tuple[Person, ...]:
    """Who holds `role`, and may still speak on `action`."""
    spoken = {word.person for word in asked.words}
    return tuple(
        each
        for each in control.people
        if role in control.roles(each) | lent(asked, each, control)
        and each not in spoken
        and not is_initiator(each, action.initiator)
        and handed_by(asked, each) is None
    )


def ask_instead(action: Action, asked: Hold, control: Control) -> str:
    """Who can decide on `action`: for each role that is asked, those who hold it and have not spoken."""
    return "; ".join(
        f"ask somebody who holds `{role}`: {listed(holders)}"
        if (holders := able(action, asked, role, control))
        else f"nobody else holds `{role}`: name somebody in people.yaml, then `interlock apply`"
        for role in sorted(asked.roles)
    )
