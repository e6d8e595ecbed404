"""`agents/*.yaml`: one agent a file, the registry record and the design template in one.

name: pricing
purpose: keep prices in line with the market
owners: {decision: head-of-sales, policy: risk, data: data-office, engineering: shop-team}
stage: partial
capabilities: [pricing.set_price]
runtime: {max_actions: 500, max_task: 1h}
approvals: {within: 4h}
behaviour: {prompt_file: pricing.txt, model: some-model, parameters: {temperature: 0.2}}
"""

from pathlib import Path

from interlock.adapters.workspace.fields import NAME, Section
from interlock.adapters.workspace.files import is_within, text_of
from interlock.adapters.workspace.nodes import Node, Scalar
from interlock.adapters.workspace.problem import Place
from interlock.domain.agent import STAGES, Agent, Approvals, Behaviour, Metric, Owners, Runtime, Scope, Stage
from interlock.domain.ids import AgentName, ContractName

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
    agent = Agent(
        name=AgentName(name),
        purpose=purpose,
        scope=_scope(section.section("scope")),
        owners=_owners(section.section("owners")),
        stage=section.choice("stage", STAGES, "shadow"),
        stages=_stages(section),
        capabilities=tuple(ContractName(word.text) for word in section.words("capabilities")),
        restrictions=section.texts("restrictions"),
        runtime=Runtime() if runtime is None else _runtime(runtime),
        approvals=Approvals() if approvals is None else _approvals(approvals),
        behaviour=_behaviour(section.section("behaviour"), folder),
        budgets=limits(section, "budgets"),
        metrics=tuple(_metric(each) for each in section.sections("metrics")),
        escalation_triggers=section.texts("escalation_triggers"),
        compliance=section.texts("compliance"),
        tags=section.texts("tags"),
    )
    _note_places(section, agent, places)
    section.close()
    return agent if name and purpose else None


def limits(section: Section, name: str) -> dict[str, int]:
    """Budgets: a limit by unit."""
    found: dict[str, int] = {}
    for unit, node in section.pairs(name).items():
        if not NAME.fullmatch(unit):
            section.wrong(f"`{unit[:64]}` is no unit: `calls`, or a currency such as EUR", node)
        found[unit] = section.whole(node, f"{name}.{unit}")
    return found


def _scope(section: Section | None) -> Scope:
    if section is None:
        return Scope()
    scope = Scope(includes=section.texts("includes"), excludes=section.texts("excludes"), data=section.texts("data"))
    section.close()
    return scope


def _owners(section: Section | None) -> Owners:
    if section is None:
        return Owners()
    owners = Owners(
        decision=section.text("decision"),
        policy=section.text("policy"),
        data=section.text("data"),
        engineering=section.text("engineering"),
    )
    section.close()
    return owners


def _stages(section: Section) -> dict[ContractName, Stage]:
    default: Stage = "shadow"
    return {
        ContractName(name): section.one_of(node, f"stages.{name}", STAGES, default)
        for name, node in section.pairs("stages").items()
    }


def _runtime(section: Section) -> Runtime:
    base = Runtime()
    runtime = Runtime(
        max_depth=section.integer("max_depth", base.max_depth),
        max_repeats=section.integer("max_repeats", base.max_repeats, least=1),
        max_actions=section.integer("max_actions", base.max_actions, least=1),
        max_task_ms=section.span("max_task", base.max_task_ms),
        models=section.texts("models"),
    )
    section.close()
    return runtime


def _approvals(section: Section) -> Approvals:
    approvals = Approvals(within_ms=section.span("within", Approvals().within_ms), notify=section.texts("notify"))
    section.close()
    return approvals


def _behaviour(section: Section | None, folder: Path) -> Behaviour:
    if section is None:
        return Behaviour()
    behaviour = Behaviour(
        prompt=_prompt(section, folder),
        model=section.text("model"),
        parameters={name: _words(section, node, name) for name, node in section.pairs("parameters").items()},
        memory=section.text("memory"),
        escalation=section.text("escalation"),
    )
    section.close()
    return behaviour


def _words(section: Section, node: Node, name: str) -> str:
    if isinstance(node, Scalar):
        return node.text
    section.wrong(f"`parameters.{name}` must be words or a number", node)
    return ""


def _prompt(section: Section, folder: Path) -> str:
    """The prompt itself, or the text of the file beside the agent's that holds it."""
    node = section.take("prompt_file")
    if node is None:
        return section.text("prompt")
    if section.has("prompt"):
        section.wrong("the prompt is either `prompt` or `prompt_file`", node)
    path = section.text("prompt_file")
    target = (folder / section.problems.file).parent / path
    if not is_within(target, folder):
        section.wrong(f"`{path}` lies outside the workspace", node)
        return ""
    found = text_of(target)
    if found.text is None:
        section.wrong(f"`{path}` {found.why}", node)
    return found.text or ""


def _metric(section: Section) -> Metric:
    metric = Metric(name=section.text("name", required=True), target=section.text("target", required=True))
    section.close()
    return metric


def _note_places(section: Section, agent: Agent, places: Places) -> None:
    mine = ("agent", agent.name)
    places[mine] = section.place("name")
    for field in ("stage", "owners"):
        places[*mine, field] = section.place(field) if section.has(field) else section.place("name")
    for word in section.words("capabilities"):
        places[*mine, "capabilities", word.text] = Place(section.problems.file, word.line, word.column)
    for name, node in section.pairs("stages").items():
        places[*mine, "stages", name] = Place(section.problems.file, node.line, node.column)
