"""A contract: a typed, versioned promise about one tool.

It says what the tool takes and gives, what kind of effect it has and how risky that is, what may be done
after a crash (`idempotency`), how it is undone (`reversal`) or that it cannot be, and who owns it. Its digest
is part of every decision: a contract that changed is another contract.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar, Final, Literal

import jsonschema_rs
import msgspec

from interlock.domain.canonical import JsonValue, pointer
from interlock.domain.changing import Changing, misfits
from interlock.domain.duration import DAY, SECOND
from interlock.domain.errors import ContractError
from interlock.domain.exact import Forms
from interlock.domain.ids import ContractName, Digest
from interlock.domain.output import Output, misnamed, names_in
from interlock.domain.parse import Parse, misfit
from interlock.domain.rate import Rate
from interlock.domain.record import Record, digest_of
from interlock.domain.sureness import Sureness

Effect = Literal["read", "write", "external"]
"""`write` changes our own systems, `external` leaves them (mail, money at a bank, a supplier)."""

Risk = Literal["low", "medium", "high", "critical"]
RISKS: tuple[Risk, ...] = ("low", "medium", "high", "critical")


class _Part(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """A part of a contract: a value chosen among several by its `kind`."""


class Keyed(_Part, frozen=True, kw_only=True, tag="keyed"):
    """The target honours our key for `retention_ms`: retry with it inside that, never after."""

    retention_ms: int = DAY


class Conditional(_Part, frozen=True, kw_only=True, tag="conditional"):
    """The target takes a precondition or fence and refuses a second landing: retry with it."""


class Lookup(_Part, frozen=True, kw_only=True, tag="lookup"):
    """The target can be asked whether it happened. A *no* counts only `quarantine_ms` after the first attempt
    can no longer land (the tool's timeout, the lease and the clocks' skew are waited out in any case)."""

    quarantine_ms: int = 0


class Blind(_Part, frozen=True, kw_only=True, tag="blind"):
    """None of these: one attempt; after a crash it is `unknown` until a person or a probe settles it."""


Idempotency = Keyed | Conditional | Lookup | Blind


class Reversal(_Part, frozen=True, kw_only=True, tag="reversal"):
    """How the action is undone.

    `arguments` are those of `contract`; text beginning `$args.` or `$result.` is taken from this action
    (`$args.sku`, `$result.was.minor`), anything else is itself. `within_ms` counts from when the action was
    done. `approver` is the role that must agree to the undo, or None.
    """

    contract: str
    """The name of a contract, written by a person."""
    arguments: dict[str, JsonValue]
    within_ms: int = 30 * DAY
    approver: str | None = None


class NoReversal(_Part, frozen=True, kw_only=True, tag="none"):
    """The explicit statement that the action cannot be undone, and why."""

    why: str


class PythonTarget(_Part, frozen=True, kw_only=True, tag="python"):
    """A function that any process can import: `package.module:function`."""

    target: str


class HttpTarget(_Part, frozen=True, kw_only=True, tag="http"):
    """A request. `{name}` in `url` is an argument, percent-encoded; other arguments go into the JSON body (GET: the
    query). Places may be paths (`{order.id}`) and name the call (`{call.idempotency_key}`, `{call.prepared.id}`); a
    postcondition's also `{result.x}`. `${NAME}` in a header is an environment variable of the process that calls, never stored.
    """

    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: dict[str, str] = {}
    key_header: str = "Idempotency-Key"


class InProcess(_Part, frozen=True, kw_only=True, tag="in_process"):
    """A function that only the process which made it can call (a closure, a notebook cell)."""

    name: str
    server: str = ""
    """The server of the Model Context Protocol whose word it gives; empty: it is the process's own."""
    trusted: bool = False
    """Whether that counts as the word of a system of ours."""


class McpTarget(_Part, frozen=True, kw_only=True, tag="mcp"):
    """A tool of a server of the Model Context Protocol that the workspace names. How it is reached is no part of the promise;
    what it said of the tool is: `pin` is the digest of the definition that somebody accepted, and another one is not called.
    """

    server: str
    tool: str
    """The server's own name for it."""
    pin: Digest
    trusted: bool = False
    """Whether what it gives counts as the word of a system of ours."""
    key: str = ""
    """The argument that takes our idempotency key; it is in `_meta` in any case."""
    errors: Literal["unsure", "nothing"] = "unsure"
    """What its own word that it failed (`isError`) proves: by default not that nothing happened."""
    forms: Forms = {}
    """The arguments that are texts here and something else to the server: numbers, and what may be anything."""


Target = PythonTarget | HttpTarget | InProcess | McpTarget


class Facts(_Part, frozen=True, kw_only=True, tag="facts"):
    """Where policies get facts that the arguments do not carry: a target that reads, and the schema of its answer."""

    source: Target
    schema: dict[str, JsonValue]


class TwoPhase(_Part, frozen=True, kw_only=True, tag="two_phase"):
    """`prepare` reserves without effect and may be repeated; `abort` releases what it reserved."""

    prepare: Target
    abort: Target


class Cost(_Part, frozen=True, kw_only=True, tag="cost"):
    """What the action draws from money budgets: `amount` minor units of `unit`, both literal or `$args.` paths."""

    unit: str
    amount: int | str


class Contract(Record, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One tool's promise. `checked` says whether it may be relied upon."""

    kind: ClassVar[str] = "contract"

    name: ContractName
    version: str = "1"
    description: str = ""
    owner: str = ""
    input_schema: dict[str, JsonValue]
    output_schema: dict[str, JsonValue] = {}
    effect: Effect
    risk: Risk
    idempotency: Idempotency = Blind()
    reversal: Reversal | NoReversal | None = None
    target: Target
    lookup: Target | None = None
    facts: Facts | None = None
    parses: dict[str, Parse] = {}
    """What is read out of the arguments for policies, by the name under which they see it: `context.parsed.NAME`."""
    postcondition: Target | None = None
    two_phase: TwoPhase | None = None
    cost: Cost | None = None
    data_classes: dict[str, str] = {}
    output: Output | None = None
    """What the agent gets of the result; None: all of it, with secrets masked."""
    touches: dict[str, str] = {}
    """Which records an action touches, by kind: `{"order": "$args.order_id"}`. The audit index finds actions by them, and a task
    that was given records touches no others."""
    touches_nothing: bool = False
    """The explicit statement that it touches no record at all; without `touches` and without this nobody knows."""
    subject: dict[str, str] = {}
    """Whom its data is about, by kind: `{"customer": "$args.customer_id"}`; nobody named, it is the task's initiator. Erasing
    a person erases what is about that person."""
    changes: dict[str, Changing] = {}
    """What it will change, by name, for whoever decides: what was, and what will be. Without any, arguments are held against
    the facts of the same name."""
    confidence: Sureness | None = None
    """How sure the agent has to say it is; None: nobody asks."""
    timeout_ms: int = 30 * SECOND
    rate: Rate | None = None
    """How often it may be called, by all agents together."""

    @property
    def key(self) -> str:
        """Contracts are filed by digest: a stored version never changes."""
        return self.digest

    @cached_property
    def digest(self) -> Digest:
        """SHA-256 over the canonical form of everything but `revision`. Defaults are left out, so that a new
        optional promise does not change the digest of contracts that do not make it."""
        return digest_of(self)

    @cached_property
    def takes(self) -> jsonschema_rs.Validator:
        """The compiled schema of the arguments. Raises ContractError where it is no JSON Schema."""
        return _compiled(self.name, self.input_schema, "/input_schema")

    @cached_property
    def gives(self) -> jsonschema_rs.Validator:
        """The compiled schema of the result."""
        return _compiled(self.name, self.output_schema, "/output_schema")

    @cached_property
    def states(self) -> jsonschema_rs.Validator | None:
        """The compiled schema of the facts, where it reads any."""
        return None if self.facts is None else _compiled(self.name, self.facts.schema, "/facts/schema")

    @cached_property
    def result_names(self) -> frozenset[str]:
        """The names of members that the result schema says: those which evidence may repeat."""
        return names_in(self.output_schema)

    @property
    def judged_by(self) -> tuple[object, ...]:
        """What policies know of it: two versions that agree in this are judged alike, whatever else they say."""
        facts = self.facts.schema if self.facts is not None else None
        unit = self.cost.unit if self.cost is not None else ""
        plain = (self.effect, self.risk, self.irreversible, self.input_schema)
        return *plain, facts, self.parses, self.data_classes, unit, self.confidence

    @property
    def place(self) -> str:
        """Where it can be called: `""` is any process; the name of an in-process one is a program that has that tool."""
        return self.target.name if isinstance(self.target, InProcess) else ""

    @property
    def asked_at(self) -> str:
        """The same of its lookup."""
        return self.place if isinstance(self.lookup, InProcess) else ""

    @property
    def acts(self) -> bool:
        """Whether it changes anything at all."""
        return self.effect != "read"

    @property
    def irreversible(self) -> bool:
        """It changes something and nothing undoes it."""
        return self.acts and not isinstance(self.reversal, Reversal)


def _compiled(name: str, schema: dict[str, JsonValue], where: str) -> jsonschema_rs.Validator:
    """Offline: a reference out of the schema is an error, never a fetch. Values are masked: a message may be logged."""
    try:
        return jsonschema_rs.validator_for(schema, mask="the value", offline=True)
    except jsonschema_rs.ValidationError as error:
        path = where + "".join(pointer(step) for step in error.instance_path)
        raise ContractError(f"contract `{name}`: not a usable JSON Schema: {error.message}", path=path) from None
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ContractError(f"contract `{name}`: not a usable JSON Schema: {error}", path=where) from None


NO_CONTRACT: Final = ContractName("?")
"""What stands for the name of what is no contract, which an agent made up: no contract has it."""

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*")
_TYPES = frozenset({"string", "integer", "boolean", "array", "object", "null"})


def _thresholds(contract: Contract) -> Iterator[tuple[str, str]]:
    if contract.rate is not None and (why := contract.rate.problem()):
        yield why, "/rate"
    if contract.confidence is not None:
        yield from ((why, "/confidence") for why in contract.confidence.problems())


def checked(contract: Contract) -> Contract:
    """The same contract, or ContractError with what is wrong and where.

    Arguments are a closed object without floating-point numbers; whatever acts says how it is undone or why it
    cannot be; whatever can be asked says whom to ask; whatever refers to an argument names one that exists.
    """

    def refuse(detail: str, path: str = "") -> ContractError:
        return ContractError(f"contract `{contract.name}`: {detail}", path=path, next_step="mend the contract")

    if not _NAME.fullmatch(contract.name) or len(contract.name) > 128:
        raise refuse("its name must be dotted words such as `pricing.set_price`, at most 128 characters")
    if contract.timeout_ms <= 0:
        raise refuse("its timeout must be longer than nothing", "/timeout_ms")
    for why, path in _thresholds(contract):
        raise refuse(why, path)
    schema = contract.input_schema
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
        raise refuse("its arguments must be a closed object (`additionalProperties: false`)", "/input_schema")
    for path, name in _types(schema, "/input_schema"):
        if name not in _TYPES:
            hint = "; use integer minor units or text" if name == "number" else ""
            raise refuse(f"an argument cannot be of type `{name}`{hint}", path)
    if contract.acts and contract.reversal is None:
        raise refuse("it acts, so it must say how it is undone or that it cannot be, and why", "/reversal")
    if isinstance(contract.idempotency, Lookup) and contract.lookup is None:
        raise refuse("its class is `lookup`, so it must say whom to ask", "/lookup")
    if isinstance(contract.idempotency, Keyed) and contract.idempotency.retention_ms <= 0:
        raise refuse("a key must be kept for longer than nothing", "/idempotency/retention_ms")
    for path, text in _references(contract):
        top = text.removeprefix("$args.").split(".")[0]
        if text.startswith("$args.") and top not in _properties(schema):
            raise refuse(f"`{text}` names no argument", path)
    for why, path in _idle(contract):
        raise refuse(why, path)
    _ = contract.takes, contract.gives, contract.states
    return contract


def _idle(contract: Contract) -> Iterator[tuple[str, str]]:
    """What the contract says of an argument that is not there, or is of another kind."""
    for kind, value in contract.touches.items():
        if not _KIND.fullmatch(kind) or not value.startswith("$args."):
            said = f"it touches `{kind}: {value}`, which must be one word and an argument: `order: $args.order_id`"
            yield said, f"/touches/{kind}"
    if contract.touches and contract.touches_nothing:
        yield "it says which records it touches, and that it touches none", "/touches"
    for kind, value in contract.subject.items():
        if not _KIND.fullmatch(kind) or not value.startswith("$args."):
            said = f"its data is about `{kind}: {value}`, which must be one word and an argument: `customer: $args.id`"
            yield said, f"/subject/{kind}"
    facts = contract.facts.schema if contract.facts is not None else None
    for name, rule in contract.parses.items():
        if why := misfit(name, rule, contract.input_schema, facts):
            yield why, f"/parses/{name}"
    for name, change in contract.changes.items():
        for why in misfits(
            name, change, _properties(contract.input_schema), None if facts is None else _properties(facts)
        ):
            yield why, f"/changes/{name}"
    for name in contract.data_classes:
        if name not in _properties(contract.input_schema) and name not in _properties(contract.output_schema):
            yield f"its data class for `{name}` protects nothing: no argument or result has that name", "/data_classes"
    if contract.output is not None:
        yield from misnamed(contract.output, contract.output_schema)


def _properties(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _types(node: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    """Every `type` keyword below `node`, with its pointer. Names under `properties` are not keywords."""
    if isinstance(node, list):
        for place, item in enumerate(node):
            yield from _types(item, f"{path}/{place}")
    if not isinstance(node, dict):
        return
    for word, value in node.items():
        if word == "type":
            names = value if isinstance(value, list) else [value]
            yield from ((f"{path}/type", str(name)) for name in names)
        elif word in ("properties", "$defs", "definitions", "patternProperties") and isinstance(value, dict):
            for name, child in value.items():
                yield from _types(child, f"{path}/{word}/{name}")
        elif word not in ("enum", "const", "default", "examples"):
            yield from _types(value, f"{path}/{word}")


def _references(contract: Contract) -> Iterator[tuple[str, str]]:
    if isinstance(contract.reversal, Reversal):
        for name, value in contract.reversal.arguments.items():
            if isinstance(value, str):
                yield f"/reversal/arguments/{name}", value
    for kind, value in contract.touches.items():
        yield f"/touches/{kind}", value
    for kind, value in contract.subject.items():
        yield f"/subject/{kind}", value
    if contract.cost is not None:
        yield "/cost/unit", contract.cost.unit
        if isinstance(contract.cost.amount, str):
            yield "/cost/amount", contract.cost.amount
