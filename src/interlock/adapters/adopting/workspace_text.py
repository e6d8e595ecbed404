"""The files of a workspace that begins with what was found: its settings, whoever adopts, and one agent in shadow."""

from collections.abc import Sequence
from typing import Final

from interlock.adapters.adopting.yaml_text import clean, plain

_SETTINGS: Final = """\
# What this workspace is called, and where its log is.
tenant: {tenant}
store: .interlock/interlock.db
keys: .interlock/keys     # back this folder up: without it nothing can be recorded, so nothing runs
budgets:
  calls: 10000            # what all agents together may do
"""

_PEOPLE: Final = """\
# Who there is, and the roles each holds. Approvals are asked of roles, never of everybody.
{person}: [reviewer]
"""

_AGENT: Final = """\
name: {agent}
purpose: {purpose}
# Who answers for it: people of people.yaml, or roles somebody there holds. Without all four it stays in shadow.
owners:
  decision:               # that it exists, and what it does
  policy:                 # its policies
  data:                   # the data it sees
  engineering:            # its code
# shadow: what reads happens, what acts is only recorded. assisted: asks before anything above low risk; partial: acts inside
# the policies; bounded: the same, and only where it can be undone.
stage: shadow
# The contracts it may use; what is not listed does not exist for it.
capabilities:{capabilities}
runtime:
  max_actions: 1000       # how many actions one task may propose
  max_task: 8h            # how long a task may last
approvals:
  within: 4h              # how long people have; silence is a no
behaviour:
  prompt: say what it is told
"""

IGNORED: Final = "/.interlock/\n__pycache__/\n"


def settings_text(tenant: str) -> str:
    """`interlock.yaml`."""
    return _SETTINGS.format(tenant=plain(tenant))


def people_text(person: str) -> str:
    """`people.yaml`."""
    return _PEOPLE.format(person=plain(person))


def agent_text(agent: str, found: str, capabilities: Sequence[str]) -> str:
    """`agents/NAME.yaml`: in shadow, with nobody who answers for it yet."""
    listed = "".join(f"\n  - {plain(each)}" for each in capabilities) or " []"
    purpose = plain(clean(f"what was found in {found}, to be said in one sentence"))
    return _AGENT.format(agent=plain(agent), purpose=purpose, capabilities=listed)
