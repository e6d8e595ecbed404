"""`agents/*.yaml`: one agent a file, the registry record and the design template in one.

name: pricing
purpose: keep prices in line with the market
owners: {decision: head-of-sales, policy: risk, data: data-office, engineering: shop-team}
stage: partial
tags: [web]
capabilities: [pricing.set_price]
data: [{records: "product:*", access: write}]
runtime: {max_actions: 500, max_task: 1h, models: [some-model]}
approvals: {within: 4h, required: {pricing.set_price: category_manager}}
metrics: [{name: margin, target: 180, unit: per_mille, direction: at_least}]
behaviour: {prompt_file: pricing.txt, model: some-model, parameters: {temperature: 0.2}}
"""

from pathlib import Path
from typing import Final

from interlock.adapters.workspace.agent_sections import (
    approvals_of,
    behaviour_of,
    data_use_of,
    metric_of,
    owners_of,
    runtime_of,
    scope_of,
    stages_of,
    tags_of,
)
from interlock.adapters.workspace.fields import NAME, Section
from interlock.adapters.workspace.limits_of import limits
from interlock.adapters.workspace.nodes import Table
from interlock.adapters.workspace.problem import Place
from interlock.domain.agent import OFFICES, STAGES, Agent, Approvals, Runtime
from interlock.domain.ids import AgentName, ContractName

_BELOW: Final = (("owners", OFFICES), ("runtime", ("models",)), ("approvals", ("required",)), ("behaviour", ("model",)))
"""Fields of sections that something may be wrong with once all files are held together."""

Places = dict[tuple[str, ...], Place]
"""Where the parts of agents and contracts are written: `("agent", name, "capabilities", contract)`."""


def read_agent(section: Section, folder: Path, places: Places) -> Agent | None:
    """The agent of a file, or None if not even its name and purpose can be read. `folder` bounds what it may refer to."""
    name = section.text("name", required=True)
    if name and not NAME.fullmatch(name):
        section.wrong(
            f"`{name[:64]}` is no name for an agent: a word of letters, digits, `_` and `-`", section.take("name")
        )
        name = ""
    purpose = section.text("purpose", required=True)
    runtime = section.section("runtime")
    approvals = section.section("approvals")
    budgets, soft = limits(section, "budgets")
    agent = Agent(
        name=AgentName(name),
        purpose=purpose,
        scope=scope_of(section.section("scope")),
        owners=owners_of(section.section("owners")),
        stage=section.choice("stage", STAGES, "shadow"),
        stages=stages_of(section),
        capabilities=tuple(ContractName(word.text) for word in section.words("capabilities")),
        restrictions=section.texts("restrictions"),
        runtime=Runtime() if runtime is None else runtime_of(runtime),
        approvals=Approvals() if approvals is None else approvals_of(approvals),
        behaviour=behaviour_of(section.section("behaviour"), folder),
        budgets=budgets,
        soft=soft,
        metrics=tuple(metric_of(each) for each in section.sections("metrics")),
        escalation_triggers=section.texts("escalation_triggers"),
        compliance=section.texts("compliance"),
        data=tuple(each for part in section.sections("data") if (each := data_use_of(part)) is not None),
        tags=tags_of(section),
    )
    _note_places(section, agent, places)
    section.close()
    return agent if name and purpose else None


def _note_places(section: Section, agent: Agent, places: Places) -> None:
    mine = ("agent", agent.name)
    places[mine] = section.place("name")
    for field in ("stage", "owners", "data"):
        places[*mine, field] = section.place(field) if section.has(field) else section.place("name")
    for word in section.words("capabilities"):
        places[*mine, "capabilities", word.text] = Place(section.problems.file, word.line, word.column)
    for name, node in section.pairs("stages").items():
        places[*mine, "stages", name] = Place(section.problems.file, node.line, node.column)
    for field, names in _BELOW:
        below = section.take(field)
        written = below.names if isinstance(below, Table) else {}
        for name in names:
            if name in written:
                places[*mine, field, name] = Place(section.problems.file, *written[name])
