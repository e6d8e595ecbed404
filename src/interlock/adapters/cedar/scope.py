"""Which policies can matter to a question, told from their scope alone. Cedar still evaluates the scope of those that
can, so taking one too many is harmless; only one too few would not be."""

from collections.abc import Collection

from cedarpy import pst

from interlock.adapters.cedar.schema import GROUPS, Surface


def about_action(template: pst.Template, surface: Surface) -> bool:
    """Whether its action scope takes in `surface`. Exact: the schema fixes which groups an action is in."""
    match template.action:
        case pst.ScopeAny():
            return True
        case pst.ActionEq(entity):
            return entity.id == surface.name
        case pst.ActionIn(entities):
            return any(entity.id == surface.name or entity.id in surface.groups for entity in entities)


def idle(template: pst.Template, found: Collection[Surface]) -> bool:
    """Whether it is about all actions, or about groups, and none of `found` is among them."""
    known = (*GROUPS, *(surface.name for surface in found))
    match template.action:
        case pst.ActionEq():
            return False
        case pst.ActionIn(entities) if not all(entity.id in known for entity in entities):
            return False
        case _:
            return not any(about_action(template, surface) for surface in found)


def about_agent(template: pst.Template, agent: str) -> bool:
    """Whether its principal scope may take in a release of `agent`: each is in that agent and in nothing else."""
    match template.principal:
        case pst.ScopeIn(pst.EntityUid(kind, name)) | pst.ScopeIsIn(_, pst.EntityUid(kind, name)):
            return str(kind) != "Agent" or name == agent
        case _:
            return True
