"""`rights.yaml`: what whoever a task is for may lend to its agent.

role:support_lead:
  refunds.issue: {return_id: anything, amount_minor: {constraint_type: range, max: 5000}}
customer:*:
  orders.read: {order_id: anything}
user:ana: nothing                     # all that this name may lend, whatever her roles may
system:nightly: {stock.order: anything}
"""

import re
from typing import Final

from interlock.adapters.workspace.agent_file import Places
from interlock.adapters.workspace.fields import Section, json_of
from interlock.adapters.workspace.nodes import Node, Scalar, Table
from interlock.domain.constraint import Constraint, ConstraintError, Wildcard, read_constraint
from interlock.domain.grant import NOTHING, ByArgument, Grant, GrantError, Tools
from interlock.domain.initiator import whole
from interlock.domain.rights import EVERY, ROLE, Rights

_ANYTHING: Final = "anything"
_NOTHING: Final = "nothing"
_WHO: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}:[^\s*]{1,128}")
_KIND: Final = re.compile(rf"[A-Za-z][A-Za-z0-9_-]{{0,63}}:{re.escape(EVERY)}")


def read_rights(section: Section, places: Places) -> Rights:
    """Who may lend what. Everybody who is named is named once, with every argument of every tool."""
    initiators: dict[str, Grant] = {}
    roles: dict[str, Grant] = {}
    known: dict[str, str] = {}
    if not section.table.entries:
        section.wrong("nobody is named, so nobody may lend anything", warn=True)
    for who, node in section.own():
        kind, _, name = who.partition(":")
        if not (_WHO.fullmatch(who) or (_KIND.fullmatch(who) and kind != ROLE)):
            section.wrong(
                f"`{who[:64]}` is nobody: `user:NAME`, `role:ROLE`, another kind such as `system:NAME`, or `KIND:*`",
                node,
            )
            continue
        if whole(who) in known:
            section.wrong(f"`{who}` and `{known[whole(who)]}` are one: capitals make no user somebody else", node)
            continue
        known[whole(who)] = who
        places["rights", who] = section.place(who)
        grant = _grant(section, who, node, places)
        if kind == ROLE:
            roles[name] = grant
        else:
            initiators[who] = grant
    return Rights(initiators=initiators, roles=roles)


def _grant(section: Section, who: str, node: Node, places: Places) -> Grant:
    if isinstance(node, Scalar) and node.text == _NOTHING:
        return NOTHING
    if not isinstance(node, Table) or not node.entries:
        section.wrong(f"`{who[:64]}` must be a table of tools, or `{_NOTHING}`", node)
        return NOTHING
    tools: Tools = {}
    below = Section(node, f"`{who}`", section.problems)
    for tool, arguments in below.own():
        places["rights", who, tool] = below.place(tool)
        tools[tool] = _arguments(below, tool, arguments)
    try:
        return Grant(tools=tools)
    except GrantError as error:
        section.wrong(f"`{who[:64]}`: {error}", node)
        return NOTHING


def _arguments(section: Section, tool: str, node: Node) -> ByArgument:
    if isinstance(node, Scalar) and node.text == _ANYTHING:
        return {}
    if not isinstance(node, Table) or not node.entries:
        section.wrong(f"`{tool[:64]}` must be a table of its arguments, or `{_ANYTHING}`", node)
        return {}
    below = Section(node, f"`{tool}`", section.problems)
    return {name: _constraint(below, name, each) for name, each in below.own()}


def _constraint(section: Section, name: str, node: Node) -> Constraint:
    if isinstance(node, Scalar) and node.text == _ANYTHING:
        return Wildcard()
    if not isinstance(node, Table):
        section.wrong(
            f"`{name[:64]}` must be a constraint such as {{constraint_type: range, max: 5000}}, or `{_ANYTHING}`", node
        )
        return Wildcard()
    try:
        return read_constraint(json_of(node, section.problems))
    except ConstraintError as error:
        section.wrong(f"`{name[:64]}`: {error}", node)
        return Wildcard()
