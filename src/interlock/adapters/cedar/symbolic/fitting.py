"""Whether a request can be read at all by policies that were made for another version of its contract.

The engines refuse what a policy reads and does not find as its schema says (`cedar.request`): then nothing is decided but
a denial. A request is made for the newer version, so only the older policies can meet one that does not fit them.
"""

from interlock.adapters.cedar.reads import Reads
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.shape import Choice, Group, Shape
from interlock.adapters.cedar.symbolic.logic import Logic
from interlock.adapters.cedar.symbolic.request import Request
from interlock.adapters.cedar.symbolic.values import Fields, Pick, Value, Z

_ALL = Reads()
_ALL.whole = True


def unfit(logic: Logic, request: Request, surface: Surface, read: Reads) -> Z:
    """Whether what is read of a request is not as `surface` has it."""
    if surface == request.surface:
        return logic.false
    return _fields(logic, request, surface.context(), request.surface.context(), request.context, read)


def _fields(logic: Logic, request: Request, wanted: Group, given: Group, fields: Fields, read: Reads) -> Z:
    shapes = {member.name: member.shape for member in given.members}
    wrong: list[Z] = []
    for member in wanted.members:
        if not read.whole and member.name not in read.members:
            continue
        there, value = fields.members.get(member.name, (logic.false, None))
        if not member.optional:
            wrong.append(logic.no(there))
        if value is not None:
            below = _ALL if read.whole else read.members[member.name]
            other = _value(logic, request, member.shape, shapes[member.name], value, below)
            wrong.append(logic.all(there, other))
    return logic.any(*wrong)


def _value(logic: Logic, request: Request, wanted: Shape, given: Shape, value: Value, read: Reads) -> Z:
    match wanted, given, value:
        case Group(), Group(), Fields():
            return _fields(logic, request, wanted, given, value, read)
        case Choice(), Choice(), Pick() if wanted.name == given.name:
            known = [place for place, each in enumerate(given.values) if each in wanted.values]
            return logic.no(logic.any(*(value.term == place for place in known)))
        case _:
            return logic.flag(value=wanted != given)
