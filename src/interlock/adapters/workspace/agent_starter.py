"""The file that a new agent begins with: every section, in shadow, with what each is for. It is sound as it stands."""

from collections.abc import Collection, Mapping
from typing import Final

from interlock.domain.ids import Person

_TEXT: Final = """\
# The registry record of `{name}`, which is its design as well. What is written here holds: change it, then
# `interlock check` and `interlock apply`. Lines that begin with # say nothing until you take the # away.
name: {name}
purpose: say in one sentence what it is for
scope:
  includes: []            # what it is for, one thing a line
  excludes: []            # what it is not for
# Who answers for it: people of people.yaml, or roles somebody there holds. Without all four it stays in shadow.
# There are: {people}
owners:
  decision:               # that it exists, and what it does
  policy:                 # its policies
  data:                   # the data it sees
  engineering:            # its code
# shadow: is watched, changes nothing; assisted: asks before anything above low risk; partial: acts inside the
# policies; bounded: the same, and only where it can be undone.
stage: shadow
# tags: [web]             # cohorts: `interlock stop tag:web` stops all of one
# The contracts it may use; what is not listed does not exist for it. There are:
#   {contracts}
capabilities: []
restrictions: []          # what it must not do, in words
# data:                   # which records it accesses: its contracts touch no other kind
#   - records: "order:*"
#     access: write       # or read
runtime:
  max_depth: 1            # how deep tasks may nest
  max_fanout: 8           # how many tasks may be open within one at once
  max_actions: 100        # how many actions one task may propose
  max_task: 8h            # how long a task may last
  # models: [the-model]   # the models it may run on
approvals:
  within: 4h              # how long people have; silence is a no
  # required:             # by contract, the role whose word every use takes, whatever policies say
  #   some.contract: reviewer
# budgets:
#   calls: 1000           # limits by unit; money in minor units
behaviour:
  prompt: say what it is told
  # model: the-model
escalation_triggers: []   # when it hands over to a person
# metrics:
#   - name: cases settled within a day
#     target: 950
#     unit: per_mille
#     direction: at_least # or at_most
compliance: []            # the rules and laws it is under
"""


def starter(name: str, people: Mapping[Person, tuple[str, ...]], contracts: Collection[str]) -> str:
    """The text of the file."""
    known = ", ".join(f"{person} ({', '.join(roles)})" for person, roles in people.items() if roles)
    return _TEXT.format(
        name=name, people=_line(known) or "nobody yet", contracts=_line(", ".join(sorted(contracts))) or "none yet"
    )


def _line(text: str) -> str:
    """`text` as a comment may hold it: nothing of it ends the line, and nothing is there that YAML refuses."""
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))
