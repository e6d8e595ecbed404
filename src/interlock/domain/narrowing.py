"""Whether one constraint admits nothing that another does not, and what two of them have in common.

`narrower` is sound and may be incomplete: it never says so of a constraint that is not narrower, and may fail to see that
one is (a range covered only by two others together). What it fails to see is refused, in the words of a refusal.
"""

from typing import Final

from interlock.domain.canonical import JsonValue
from interlock.domain.constraint import (
    All,
    AnyOf,
    Constraint,
    Contains,
    Exact,
    NotOneOf,
    OneOf,
    Range,
    Subset,
    Wildcard,
    holds,
    said,
    same,
)

_SPAN: Final = 128
"""A range of so few numbers is looked at number by number."""


def narrower(child: Constraint, parent: Constraint) -> str | None:
    """Why `child` may admit what `parent` does not, or None: then everything it admits `parent` admits, too."""
    return None if _within(child, parent) else f"{said(child)} is not within {said(parent)}"


def meet(one: Constraint, other: Constraint) -> Constraint | None:
    """What both admit and nothing else; None where that is nothing.

    Raises ConstraintError where it would be longer or deeper than a constraint may be.
    """
    if _within(one, other):
        return None if values_of(one) == [] else one
    if _within(other, one):
        return None if values_of(other) == [] else other
    for finite, by in ((one, other), (other, one)):
        values = values_of(finite)
        if values is not None:
            return _one_of([each for each in values if holds(by, each)])
    parts = _folded((*_parts(one), *_parts(other)))
    return None if parts is None else parts[0] if len(parts) == 1 else All(constraints=parts)


def values_of(constraint: Constraint) -> list[JsonValue] | None:
    """Every value that `constraint` admits, where they are few and named; None where that cannot be told."""
    match constraint:
        case Exact():
            return [constraint.value]
        case OneOf():
            return list(constraint.values)
        case Range(min=int(low), max=int(high)) if high - low < _SPAN:
            return list(range(low, high + 1))
        case AnyOf():
            found: list[JsonValue] = []
            for part in constraint.constraints:
                values = values_of(part)
                if values is None:
                    return None
                found += values
            return found
        case All():
            folded = _folded(constraint.constraints)
            if folded is None:
                return []
            for part in folded:
                values = values_of(part)
                if values is not None:
                    return [each for each in values if holds(constraint, each)]
            return None
        case _:
            return None


def _within(child: Constraint, parent: Constraint) -> bool:
    """Whether everything `child` admits is surely admitted by `parent`."""
    if isinstance(parent, Wildcard):
        return True
    if isinstance(child, Range) and isinstance(parent, Range):
        return (parent.min is None or (child.min is not None and child.min >= parent.min)) and (
            parent.max is None or (child.max is not None and child.max <= parent.max)
        )
    values = values_of(child)
    if values is not None:
        return all(holds(parent, each) for each in values)
    if isinstance(child, AnyOf):
        return all(_within(each, parent) for each in child.constraints)
    if isinstance(parent, All):
        return all(_within(child, each) for each in parent.constraints)
    if isinstance(parent, NotOneOf):
        return not any(holds(child, each) for each in parent.excluded)
    if isinstance(parent, AnyOf) and any(_within(child, each) for each in parent.constraints):
        return True
    if isinstance(child, All):
        folded = _folded(child.constraints)
        return folded is None or any(_within(each, parent) for each in folded)
    match child, parent:
        case Subset(), Subset():
            return _every(child.allowed, parent.allowed)
        case Contains(), Contains():
            return _every(parent.required, child.required)
        case _:
            return False


def _parts(constraint: Constraint) -> tuple[Constraint, ...]:
    """What must hold at once, each for itself."""
    if not isinstance(constraint, All):
        return (constraint,)
    return tuple(part for each in constraint.constraints for part in _parts(each))


def _folded(constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...] | None:
    """The same obligations, those of one kind as one; None where they exclude each other. Only what is exact is folded."""
    kept: list[Constraint] = []
    for constraint in constraints:
        for part in _parts(constraint):
            for place, other in enumerate(kept):
                if type(other) is type(part) and isinstance(part, Range | Subset | Contains | NotOneOf | Wildcard):
                    both = _both(other, part)
                    if both is None:
                        return None
                    kept[place] = both
                    break
            else:
                kept.append(part)
    few = [part for part in kept if not isinstance(part, Wildcard)]
    return tuple(few or kept)


def _both(one: Constraint, other: Constraint) -> Constraint | None:
    """What two of one kind admit together, exactly; None where that is nothing."""
    match one, other:
        case Range(), Range():
            lows = [each for each in (one.min, other.min) if each is not None]
            highs = [each for each in (one.max, other.max) if each is not None]
            low, high = max(lows, default=None), min(highs, default=None)
            if low is not None and high is not None and low > high:
                return None
            return Range(min=low, max=high)
        case Subset(), Subset():
            allowed = [each for each in one.allowed if _among(each, other.allowed)]
            # With nothing in common the empty list is still a list of nothing else.
            return Subset(allowed=tuple(allowed)) if allowed else Exact(value=[])
        case Contains(), Contains():
            return Contains(required=_union(one.required, other.required))
        case NotOneOf(), NotOneOf():
            return NotOneOf(excluded=_union(one.excluded, other.excluded))
        case _:
            return one


def _one_of(values: list[JsonValue]) -> Constraint | None:
    if not values:
        return None
    return Exact(value=values[0]) if len(values) == 1 else OneOf(values=tuple(values))


def _union(one: tuple[JsonValue, ...], other: tuple[JsonValue, ...]) -> tuple[JsonValue, ...]:
    return (*one, *(each for each in other if not _among(each, one)))


def _among(value: JsonValue, values: tuple[JsonValue, ...]) -> bool:
    return any(same(each, value) for each in values)


def _every(some: tuple[JsonValue, ...], values: tuple[JsonValue, ...]) -> bool:
    return all(_among(each, values) for each in some)
