"""`vigilance.yaml`: items known to be bad, put before people among the others to see whether they notice.

after: 200 decisions        # one item after so many decisions of people, by chance
within: 4h                  # at some time in so long
again: 30d                  # the same one not sooner
items:
  refund-above-price:
    contract: refunds.pay
    arguments: {return_id: R-1042, amount_minor: 990000}
    wrong: the refund is thirty times what was paid
    fields: [amount_minor]  # which arguments are wrong
    justification: the customer asks for it
    purpose: the returns of the day
    initiator: user:desk
"""

import re
from typing import Final

from interlock.adapters.workspace.agent_file import Places
from interlock.adapters.workspace.fields import NAME, Section, json_of
from interlock.adapters.workspace.nodes import Node, Scalar, Table
from interlock.adapters.workspace.problem import Place
from interlock.domain.exception_case import RAISE
from interlock.domain.ids import ContractName
from interlock.domain.vigilance import Item, Watch

_AFTER: Final = re.compile(r"([1-9][0-9]{0,5})(?: decisions)?")
MOST: Final = 200
LONGEST: Final = 4_000


def read_watch(section: Section, places: Places) -> Watch:
    """What the file says; where each item is written goes into `places`."""
    plain = Watch()
    after = section.text("after", str(plain.one_in))
    found = _AFTER.fullmatch(after)
    if found is None:
        section.wrong(f"`{after[:64]}` is no number of decisions, such as `200 decisions`", section.take("after"))
    items: list[Item] = []
    for name, node in section.pairs("items").items():
        places["vigilance", name] = Place(section.problems.file, node.line, node.column)
        if (item := _item(section, name, node)) is not None:
            items.append(item)
    if len(items) > MOST:
        section.wrong(f"there are at most {MOST} items", section.take("items"))
    watch = Watch(
        one_in=plain.one_in if found is None else int(found[1]),
        within_ms=section.span("within", plain.within_ms),
        again_ms=section.span("again", plain.again_ms),
        items=tuple(items),
    )
    section.close()
    return watch


def _item(around: Section, name: str, node: Node) -> Item | None:
    section = around.below(node, name)
    if section is None:
        return None
    if not NAME.fullmatch(name):
        section.wrong(f"`{name[:64]}` is no name for an item", node)
    contract = section.take("contract", required=True)
    given = section.take("arguments", required=True)
    arguments = json_of(given, section.problems) if isinstance(given, Table) else None
    if given is not None and not isinstance(arguments, dict):
        section.wrong("`arguments` is a table of fields", given)
    item = Item(
        name=name,
        contract=ContractName(contract.text if isinstance(contract, Scalar) else ""),
        arguments=arguments if isinstance(arguments, dict) else {},
        wrong=section.text("wrong", required=True),
        fields=section.texts("fields"),
        justification=section.text("justification"),
        purpose=section.text("purpose"),
        initiator=section.text("initiator"),
    )
    if item.contract == RAISE:
        section.wrong("an exception is no item: nobody can say that it is wrong to raise one", contract)
    for each in section.words("fields"):
        if each.text not in item.arguments:
            section.wrong(f"`{each.text[:64]}` is none of its arguments", each)
    if max(map(len, (item.wrong, item.justification, item.purpose, item.initiator))) > LONGEST:
        section.wrong(f"its words are longer than {LONGEST:,} characters")
    section.close()
    return item
