"""One decision, by compiled policies and by others: 20, 200 and 2,000 policies over twelve contracts and three agents or more.

Ours is measured whole: the question made, its arguments and facts held against their types, the policies matched, the
outcome combined. The others are measured matching alone, each given its input ready made: cedarpy with parsed handles of
the same slice, one Rego engine with a rule set for each contract, one CEL engine with one program for each slice. All
must name the same satisfied policies on every question.
"""

import gc
import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from bench.measure import percentile, show
from interlock.adapters.cedar.compiled import compiled_judge, watched_judge
from interlock.adapters.cedar.library import library_judge
from interlock.adapters.cedar.policies import CedarPolicies
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Facts, InProcess, NoReversal, checked
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.policy import combine
from interlock.domain.question import Circumstances, Question
from interlock.ports.policies import Judge

SIZES: Final = (20, 200, 2_000)
CONTRACTS: Final = 12
USED: Final = 4
"""Contracts an agent has policies of its own about."""
OF_AGENT: Final = 24
"""Policies about one agent: six for each of them."""
QUESTIONS: Final = 3_000
COMPARED: Final = 100


class Rule(msgspec.Struct, frozen=True):
    """One policy in three languages. `agent` and `contract` are its scope; without an agent it is about all of them."""

    name: str
    agent: int | None
    contract: int
    head: str
    cedar: str
    rego: str
    cel: str


_SHAPES: Final = (
    ("permit", "", "", "", "true"),
    (
        "forbid",
        '@outcome("require_approval") @approver("lead") @reason("large")',
        "context.args.amount_minor > {t}",
        "input.args.amount_minor > {t}",
        "args.amount_minor > {t}",
    ),
    (
        "forbid",
        '@outcome("deny") @reason("floor")',
        "context.facts.flagship && context.args.amount_minor < context.facts.floor_minor",
        "input.facts.flagship; input.args.amount_minor < input.facts.floor_minor",
        "facts.flagship && args.amount_minor < facts.floor_minor",
    ),
    (
        "forbid",
        '@outcome("oblige") @obligation("redact:pii") @reason("abroad")',
        'context.args.currency == Currency::"USD" && context.args.amount_minor > {t}',
        'input.args.currency == "USD"; input.args.amount_minor > {t}',
        'args.currency == "USD" && args.amount_minor > {t}',
    ),
    (
        "forbid",
        '@outcome("escalate") @approver("lead") @reason("tagged")',
        'context.args.tags.contains("t{k}") && context.task.depth > 1',
        'input.args.tags[_] == "t{k}"; input.task.depth > 1',
        '"t{k}" in args.tags && task.depth > 1',
    ),
    (
        "forbid",
        '@outcome("deny") @reason("late")',
        'context.task.purpose == "closing" && context.args has note && !(context.args.amount_minor < {t})',
        'input.task.purpose == "closing"; input.args.note; not input.args.amount_minor < {t}',
        'task.purpose == "closing" && has(args.note) && !(args.amount_minor < {t})',
    ),
)


async def run() -> None:
    """Measure each size, and print."""
    for size in SIZES:
        _size(size)


def _size(size: int) -> None:
    rules = [_rule(number, size) for number in range(size)]
    language, contracts = CedarPolicies(), [_contract(number) for number in range(CONTRACTS)]
    text = "\n".join(_cedar(rule) for rule in rules)
    began = time.process_time()
    bundle = language.bundle({"bench.cedar": text}, contracts)
    formed = time.process_time() - began
    began = time.process_time()
    loaded = language.loaded(bundle)
    read = time.process_time() - began
    judges = {"compiled": compiled_judge(loaded), "watched": watched_judge(loaded), "cedarpy": library_judge(loaded)}
    agents = _agents(size)
    facts = [_facts(number) for number in range(QUESTIONS)]
    questions = [_question(each, contracts, agents) for each in facts]
    inputs = [_input(each) for each in questions]
    began = time.process_time()
    for each in questions:
        judges["compiled"].opinions(each)
    compiling = time.process_time() - began

    rego, cel = _rego(rules), _cel(rules, agents)
    others: dict[str, Callable[[int], set[str]]] = {}
    if rego is not None:
        others["regorus, a rule set a contract"] = lambda number: rego(questions[number], inputs[number])
    if cel is not None:
        others["CEL (cel-expr), a program a slice"] = lambda number: cel(questions[number], inputs[number])
    for name, other in others.items():
        for number in range(COMPARED):
            expected = set(judges["cedarpy"].opinions(questions[number]).satisfied)
            if other(number) != expected or set(judges["compiled"].opinions(questions[number]).satisfied) != expected:
                raise RuntimeError(f"{name} answers otherwise than cedarpy: {other(number)} {expected}")

    def whole(judge: Judge) -> Callable[[int], object]:
        digest = bundle.digest
        return lambda number: combine(
            judge.opinions(_question(facts[number], contracts, agents)), judge.policies, digest
        )

    rows: list[tuple[str, float, float]] = [
        ("interlock: question, check, match, combine", *_times(whole(judges["compiled"]), QUESTIONS)),
        ("  the same, watched by cedarpy", *_times(whole(judges["watched"]), QUESTIONS)),
        ("  check and match alone", *_times(lambda n: judges["compiled"].opinions(questions[n]), QUESTIONS)),
        ("cedarpy, parsed handles of the slice", *_times(lambda n: judges["cedarpy"].opinions(questions[n]), 600)),
        *((name, *_times(other, 300)) for name, other in others.items()),
    ]
    base = rows[3][1]
    show(
        f"A decision among {size:,} policies",
        ("", "CPU p50 µs", "CPU p99 µs", "decisions/s", "of cedarpy's p50"),
        [(name, f"{p50:.1f}", f"{p99:.1f}", f"{1e6 / p50:,.0f}", f"{p50 / base:.3f}") for name, p50, p99 in rows],
        f"forming the bundle, lints included: {formed:.2f} s; loading it: {read:.2f} s; "
        f"compiling {USED * agents} slices and {QUESTIONS:,} decisions: {compiling:.2f} s"
        + ("" if len(others) == 2 else "; an engine is not installed: `uv sync --group bench`"),
    )


def _times(work: Callable[[int], object], count: int) -> tuple[float, float]:
    """Median and 99th percentile of CPU microseconds."""
    for number in range(count):
        work(number)
    gc.collect()
    times: list[float] = []
    for number in range(count):
        began = time.thread_time_ns()
        work(number)
        times.append((time.thread_time_ns() - began) / 1000)
    times.sort()
    return percentile(times, 0.5), percentile(times, 0.99)


def _contract(number: int) -> Contract:
    return checked(
        Contract(
            name=ContractName(f"bench.c{number}"),
            effect="write" if number % 2 else "external",
            risk="high",
            reversal=NoReversal(why="nothing happens"),
            target=InProcess(name=f"c{number}"),
            input_schema={
                "type": "object",
                "additionalProperties": False,
                "required": ["order", "amount_minor", "currency", "tags"],
                "properties": {
                    "order": {"type": "string", "maxLength": 40},
                    "amount_minor": {"type": "integer", "minimum": 0, "maximum": 10**9},
                    "currency": {"enum": ["EUR", "USD"]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "note": {"type": "string"},
                },
            },
            facts=Facts(
                source=InProcess(name="facts"),
                schema={
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["flagship", "floor_minor"],
                    "properties": {"flagship": {"type": "boolean"}, "floor_minor": {"type": "integer", "minimum": 0}},
                },
            ),
        )
    )


def _agents(size: int) -> int:
    """Where there are many policies there are many agents."""
    return max(1, (size - CONTRACTS) // OF_AGENT)


def _rule(number: int, size: int) -> Rule:
    """The first twelve permit everybody one contract each; the others are about one agent's use of one of its four."""
    own = number - CONTRACTS
    effect, said, cedar, rego, cel = _SHAPES[0 if own < 0 else own % len(_SHAPES)]
    agent = own // OF_AGENT % _agents(size)
    values = {"t": 1_000 + 97 * number % 90_000, "k": number % 5}
    return Rule(
        name=f"p{number}",
        agent=None if own < 0 else agent,
        contract=number if own < 0 else (agent + own // len(_SHAPES) % USED) % CONTRACTS,
        head=f"{said} {effect}",
        cedar=cedar.format(**values),
        rego=rego.format(**values),
        cel=cel.format(**values),
    )


def _cedar(rule: Rule) -> str:
    said, effect = rule.head.rsplit(" ", 1)
    when = f" when {{ {rule.cedar} }}" if rule.cedar else ""
    who = "principal" if rule.agent is None else f'principal in Agent::"a{rule.agent}"'
    scope = f'{who}, action == Action::"bench.c{rule.contract}", resource'
    return f'@id("{rule.name}") @owner("o") {said} {effect}({scope}){when};'


def _rego(rules: list[Rule]) -> Callable[[Question, Mapping[str, Any]], set[str]] | None:
    engine = _engine("hobofan_regorus")
    if engine is None:
        return None
    for contract in range(CONTRACTS):
        # A set without rules would not be there to be asked for.
        lines = [f"package bench.c{contract}", "import rego.v1", 'matched contains "none" if input.agent == ""']
        lines += [
            f'matched contains "{rule.name}" if {{ {_whose(rule)}{rule.rego or "true"} }}'
            for rule in rules
            if rule.contract == contract
        ]
        engine.add_policy(f"c{contract}.rego", "\n".join(lines))

    encode = msgspec.json.Encoder().encode

    def ask(question: Question, given: Mapping[str, Any]) -> set[str]:
        # As text: given as values, its Python binding turns false into 0, which is true in Rego.
        engine.set_input_json(encode(given).decode())
        return set(engine.eval_rule(f"data.{question.contract}.matched"))

    return ask


def _whose(rule: Rule) -> str:
    return "" if rule.agent is None else f'input.agent == "a{rule.agent}"; '


def _engine(module: str) -> Any:
    try:
        return importlib.import_module(module).Engine()
    except ImportError:
        return None


def _cel(rules: list[Rule], agents: int) -> Callable[[Question, Mapping[str, Any]], set[str]] | None:
    try:
        cel: Any = importlib.import_module("cel_expr_python.cel")
    except ImportError:
        return None
    table = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    environment = cel.NewEnv(variables={"args": table, "facts": table, "task": table})
    programs: dict[tuple[str, str], Any] = {}
    for contract in range(CONTRACTS):
        for agent in range(agents):
            parts = [
                f'({rule.cel}) ? "{rule.name}" : ""'
                for rule in rules
                if rule.contract == contract and rule.agent in (None, agent)
            ]
            programs[f"bench.c{contract}", f"a{agent}"] = environment.compile(f"[{', '.join(parts)}]")

    def ask(question: Question, given: Mapping[str, Any]) -> set[str]:
        data = {name: given[name] for name in ("args", "facts", "task")}
        found = programs[question.contract, question.agent].eval(data=data)
        return {name for name in found.plain_value() if name}

    return ask


def _facts(number: int) -> tuple[int, dict[str, JsonValue], dict[str, JsonValue]]:
    """What a call brings: arguments and facts, as they come in."""
    arguments: dict[str, JsonValue] = {
        "order": f"o-{number}",
        "amount_minor": number * 7919 % 120_000,
        "currency": "USD" if number % 3 else "EUR",
        "tags": [f"t{number % 5}", "sale"],
    }
    if number % 2:
        arguments["note"] = "please"
    return number, arguments, {"flagship": number % 4 == 0, "floor_minor": 5_000}


def _question(
    call: tuple[int, dict[str, JsonValue], dict[str, JsonValue]], contracts: list[Contract], agents: int
) -> Question:
    number, arguments, facts = call
    agent = number % agents
    contract = contracts[(agent + number // agents % USED) % CONTRACTS]
    return Question(
        agent=AgentName(f"a{agent}"),
        release=Digest("0123456789abcdef" * 4),
        contract=contract.name,
        contract_digest=contract.digest,
        tenant="bench",
        arguments=arguments,
        facts=facts,
        initiator="user:ana",
        around=Circumstances(
            purpose="closing" if number % 7 == 0 else "sales",
            depth=number % 4,
            stage="partial",
            asked_at=1_790_000_000_000 + number,
        ),
    )


def _input(question: Question) -> dict[str, Any]:
    return {
        "agent": question.agent,
        "args": question.arguments,
        "facts": question.facts,
        "task": {"depth": question.around.depth, "purpose": question.around.purpose},
    }
