"""What the words of a policy stand for in one request, and what is above what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cedarpy import pst

from interlock.adapters.cedar.symbolic.logic import Logic
from interlock.adapters.cedar.symbolic.values import Being, Fields, Listed, Pick, Unsayable, Value, Z

_KINDS: Final = ("Action", "Agent", "Release", "System")


@dataclass(frozen=True)
class Known:
    """What the variables of a policy stand for."""

    context: Fields
    principal: Being
    action: Being
    resource: Being
    enums: Mapping[str, tuple[str, ...]]
    """Values by type, in the order in which they are numbered."""
    strangers: dict[tuple[str, str], int]
    """Numbers of those values that a request cannot have: all of them different, none of them a place. It grows."""


@dataclass
class Terms:
    """What expressions about one request share."""

    logic: Logic
    known: Known
    unsaid: set[str] = field(default_factory=set[str])
    """What had to be left unknown, in words."""

    def scope(self, template: pst.Template) -> Z:
        """Of a policy's scope what the slice leaves open: which release it is, and which system. Raises Unsayable."""
        return self.logic.all(
            self._constrained(template.principal, self.known.principal),
            self._constrained(template.resource, self.known.resource),
        )

    def entity(self, uid: pst.EntityUid) -> Value:
        """An entity, written out."""
        kind = str(uid.type)
        if kind in _KINDS:
            return Being(kind, self.logic.text(uid.id))
        values = self.known.enums.get(kind, ())
        place = values.index(uid.id) if uid.id in values else self._stranger(kind, uid.id)
        return Pick(kind, self.logic.z.IntVal(place))

    def within(self, left: Value, right: Value) -> Z:
        """`left in right`."""
        if isinstance(right, Listed):
            return self.logic.any(*(self.within(left, each) for each in right.items))
        if not isinstance(right, Being | Pick) or not isinstance(left, Being | Pick):
            raise Unsayable("`in` with what is no entity")
        same = self.logic.same(left, right)
        if isinstance(left, Pick) or isinstance(right, Pick):
            return same
        above = [self.logic.text(name) == right.id for kind, name in left.above if kind == right.kind]
        return self.logic.any(same, *above)

    def guess(self, node: object, why: Unsayable) -> Z:
        """An unknown truth for `node`, the same wherever the same words say the same."""
        self.unsaid.add(str(why))
        return self.logic.z.Bool(f"unknown {sorted(self.known.action.above)} {node!r}")

    # -- parts -------------------------------------------------------------------------------------------------

    def _constrained(self, scope: object, being: Being) -> Z:
        match scope:
            case pst.ScopeAny():
                return self.logic.true
            case pst.ScopeIs(kind):
                return self.logic.flag(value=str(kind) == being.kind)
            case pst.ScopeEq(pst.EntityUid() as uid):
                return self.logic.same(being, self.entity(uid))
            case pst.ScopeIn(pst.EntityUid() as uid):
                return self.within(being, self.entity(uid))
            case pst.ScopeIsIn(kind, pst.EntityUid() as uid):
                within = self.within(being, self.entity(uid))
                return self.logic.all(self.logic.flag(value=str(kind) == being.kind), within)
            case _:
                raise Unsayable(f"`{type(scope).__name__}` in a scope")

    def _stranger(self, kind: str, value: str) -> int:
        return self.known.strangers.setdefault((kind, value), -1 - len(self.known.strangers))
