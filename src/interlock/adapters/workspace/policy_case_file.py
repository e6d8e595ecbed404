"""One case of a policy test's file: every field read, arguments bound, facts held against the contract."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import jsonschema_rs

from interlock.adapters.workspace.fields import Section, at, json_of, near
from interlock.adapters.workspace.nodes import Node, Scalar, Table, value_of
from interlock.adapters.workspace.problem import Problems
from interlock.domain.agent import STAGES, Stage
from interlock.domain.baseline import UNUSUAL
from interlock.domain.binding import bind
from interlock.domain.canonical import JsonValue
from interlock.domain.closing import Schema
from interlock.domain.contract import RISKS, Contract, Effect, Risk
from interlock.domain.errors import ContractError
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.moment import FORM, moment_of
from interlock.domain.policy import VERDICTS, Verdict
from interlock.domain.policy_case import (
    MADE_UP_INITIATOR,
    MADE_UP_PURPOSE,
    MADE_UP_RELEASE,
    MADE_UP_TIME,
    Asked,
    Expected,
    PolicyCase,
    Word,
    made_up_contract,
)
from interlock.domain.question import Circumstances

_EFFECTS: Final[tuple[Effect, ...]] = ("read", "write", "external")
_REFUSED: Final = "refused"
_DIGEST: Final = 64
_WITH: Final = (
    "confidence",
    "roles",
    "initiator",
    "purpose",
    "depth",
    "lent",
    "stage",
    "undo",
    "budget",
    "tainted",
    "unusual",
    "data",
    "at",
)


class CaseReader:
    """Reads the cases of one file."""

    def __init__(self, problems: Problems, contracts: Mapping[ContractName, Contract], agents: Sequence[str]) -> None:
        """`contracts` and `agents` are all there are."""
        self.problems = problems
        self.contracts = contracts
        self.agents = agents
        self.names: dict[str, int] = {}

    def case(self, table: Table) -> Iterator[PolicyCase]:
        """One case; none where it cannot be run."""
        section = Section(table, "a policy test", self.problems)
        before = len(self.problems.found)
        name = section.text("name", required=True)
        first = self.names.setdefault(name, table.line)
        if name and first != table.line:
            section.wrong(f"there is another test `{name[:64]}` in line {first}", section.take("name"))
        agent = self.agent(section)
        contract, made_up = self.contract(section)
        expect = self.expected(section)
        arguments = self.json(section, "args")
        facts = self.json(section, "facts")
        parsed = self.json(section, "parsed") if section.has("parsed") else None
        approvals = tuple(
            Word(role=each.text("role", required=True), policy=each.text("policy", required=True))
            for each in _closed(section.sections("approvals"), "role", "policy")
        )
        release = section.text("release").rpartition("@")[2]
        if release and not (12 <= len(release) <= _DIGEST and set(release) <= set("0123456789abcdef")):
            section.wrong("`release` must be the first 12 or more digits of a digest", section.take("release"))
        around = section.section("with") or Section(Table({}, {}, table.line, table.column), "`with`", self.problems)
        if contract is None:
            self.rest(section, around)
            return
        bound, refusal = self.bound(section, contract, arguments, refused=expect.refused)
        facts = self.facts(section, contract, facts)
        case = PolicyCase(
            name=name,
            file=self.problems.file,
            line=table.line,
            column=table.column,
            agent=AgentName(agent),
            release=Digest(release.ljust(_DIGEST, "0")) if release else MADE_UP_RELEASE,
            contract=contract,
            made_up=made_up,
            arguments=bound,
            refusal=refusal,
            facts=facts,
            parsed=parsed,
            data=around.texts("data") if around.has("data") else None,
            initiator=around.text("initiator", MADE_UP_INITIATOR),
            confidence=around.integer("confidence", 0) if around.has("confidence") else None,
            around=_circumstances(around, contract),
            staged=around.has("stage"),
            approvals=approvals,
            expect=expect,
        )
        self.rest(section, around)
        if not any(each.severity == "error" for each in self.problems.found[before:]):
            yield case

    def rest(self, section: Section, around: Section) -> None:
        """Note whatever nobody asked for."""
        for name in _WITH:
            around.take(name)
        around.close()
        section.close()

    def agent(self, section: Section) -> str:
        """Who asks: an agent there is."""
        name = section.text("agent", required=True)
        if name and self.agents and name not in self.agents:
            section.wrong(f"there is no agent `{name[:64]}`{near(name, self.agents)}", section.take("agent"))
        return name

    def contract(self, section: Section) -> tuple[Contract | None, bool]:
        """The contract that is asked for, and whether it is made up for this case."""
        node = section.take("contract", required=True)
        if isinstance(node, Table):
            below = Section(node, "a contract that is made up", self.problems)
            risk: Risk = below.choice("risk", RISKS, "low", required=True)
            effect: Effect = below.choice("effect", _EFFECTS, "write")
            made = made_up_contract(risk, effect, reversible=_flag(below, "reversible", default=True))
            below.close()
            return made, True
        name = section.text("contract")
        found = self.contracts.get(ContractName(name))
        if node is not None and found is None:
            section.wrong(f"there is no contract `{name[:128]}`{near(name, tuple(self.contracts))}", node)
        return found, False

    def json(self, section: Section, name: str) -> dict[str, JsonValue]:
        """The table behind `name` as JSON."""
        below = section.section(name)
        value = {} if below is None else json_of(below.table, self.problems)
        return value if isinstance(value, dict) else {}

    def bound(
        self, section: Section, contract: Contract, arguments: dict[str, JsonValue], *, refused: bool
    ) -> tuple[dict[str, JsonValue], str]:
        """The arguments as the gate binds them, or why it would not."""
        try:
            return bind(contract, arguments, nonce="").arguments, ""
        except ContractError as error:
            if not refused:
                node, name = section.take("args") or section.table, error.path.removeprefix("/")
                known = _properties(contract.input_schema)
                hint = near(name, known) if name not in known else ""
                section.wrong(f"{error.detail}{hint}", _named(node, _steps(error.path)))
            return arguments, error.detail

    def facts(self, section: Section, contract: Contract, facts: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """The facts given, each of the type the contract says. Not all must be given: only those that policies read."""
        node = section.take("facts")
        if node is None or not facts:
            return {}
        if contract.facts is None:
            section.wrong(f"`{contract.name}` has no facts", node)
            return {}
        schema = contract.facts.schema
        known = _properties(schema)
        given: dict[str, JsonValue] = {name: value for name, value in facts.items() if value is not None}
        for name in given:
            if name not in known:
                section.wrong(f"`{name[:64]}` is no fact of `{contract.name}`{near(name, known)}", _named(node, [name]))
                return {}
        for error in jsonschema_rs.validator_for(schema, mask="the value", offline=True).iter_errors(given):
            steps = [str(step) for step in error.instance_path]
            if steps or not isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
                section.wrong(f"the fact `{'.'.join(steps)}`: {error.message}", at(node, steps))
        return given

    def expected(self, section: Section) -> Expected:
        """What must be decided."""
        node = section.take("expect", required=True)
        if node is None:
            return Expected()
        if isinstance(node, Scalar):
            if node.text == _REFUSED:
                return Expected(refused=True)
            word: Verdict = section.one_of(node, "expect", VERDICTS, "deny")
            return Expected(verdict=word)
        below = section.below(node, "expect")
        if below is None:
            return Expected()
        verdict: Verdict = below.choice("verdict", VERDICTS, "deny")
        expect = Expected(
            verdict=verdict if below.has("verdict") else None,
            by=below.texts("by"),
            not_by=below.texts("not_by"),
            reasons=_listed(below, "reasons"),
            obligations=_listed(below, "obligations"),
            candidates=_listed(below, "candidates"),
            requirements=tuple(
                Asked(role=each.text("role", required=True), quorum=each.integer("quorum", 1, least=1))
                for each in _closed(below.sections("requirements"), "role", "quorum")
            )
            if "requirements" in below.table.entries
            else None,
            refused=_flag(below, "refused", default=False),
        )
        below.close()
        if expect == Expected():
            section.wrong("`expect` says nothing: write at least a `verdict`", node)
        return expect


def _circumstances(around: Section, contract: Contract) -> Circumstances:
    stages: tuple[Stage, ...] = STAGES
    arguments = _properties(contract.input_schema)
    tainted = around.words("tainted")
    for word in tainted:
        if word.text not in arguments:
            around.wrong(f"`{word.text[:64]}` is no argument of `{contract.name}`{near(word.text, arguments)}", word)
    unusual = around.words("unusual")
    for word in unusual:
        if word.text not in UNUSUAL:
            around.wrong(f"`{word.text[:64]}` is not what an action can be unusual in{near(word.text, UNUSUAL)}", word)
    budget = around.pairs("budget")
    return Circumstances(
        purpose=around.text("purpose", MADE_UP_PURPOSE),
        depth=around.integer("depth", 0),
        lent=around.integer("lent", 0),
        stage=around.choice("stage", stages, "partial"),
        asked_at=_moment(around),
        undo=_flag(around, "undo", default=False),
        roles=tuple(sorted(around.texts("roles"))),
        budget={unit: around.whole(node, unit) for unit, node in budget.items()},
        tainted=tuple(sorted(word.text for word in tainted)),
        unusual=tuple(name for name in UNUSUAL if name in {word.text for word in unusual}),
    )


def _moment(section: Section) -> int:
    node = section.take("at")
    if node is None:
        return MADE_UP_TIME
    try:
        return moment_of(node.text if isinstance(node, Scalar) else "")
    except ValueError:
        section.wrong(f"`at` must be a time: {FORM}", node)
        return MADE_UP_TIME


def _flag(section: Section, name: str, *, default: bool) -> bool:
    node = section.take(name)
    value = value_of(node) if isinstance(node, Scalar) else None
    if isinstance(value, bool):
        return value
    if node is not None:
        section.wrong(f"`{name}` must be true or false", node)
    return default


def _listed(section: Section, name: str) -> tuple[str, ...] | None:
    """A list of words; None where nothing is written at all, for an empty list says that there is none."""
    return section.texts(name) if name in section.table.entries else None


def _closed(sections: list[Section], *names: str) -> Iterator[Section]:
    """Each of `sections`, with nothing but `names` in it."""
    for section in sections:
        for name in names:
            section.take(name)
        section.close()
        yield section


def _named(node: Node, steps: Sequence[str]) -> Node:
    """Where what `steps` lead to is written: its name, where it has one."""
    if not steps:
        return node
    above = at(node, steps[:-1])
    place = above.names.get(steps[-1]) if isinstance(above, Table) else None
    return Scalar("", plain=True, line=place[0], column=place[1]) if place is not None else at(node, steps)


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _properties(schema: Schema) -> tuple[str, ...]:
    """The names of the members that an object's schema gives it."""
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        node: JsonValue = schema
        for step in reference.removeprefix("#/").split("/"):
            node = node.get(step) if isinstance(node, dict) else None
        return _properties({"properties": node.get("properties")}) if isinstance(node, dict) else ()
    found = schema.get("properties")
    return tuple(found) if isinstance(found, dict) else ()
