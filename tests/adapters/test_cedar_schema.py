"""The schema that contracts become: what has a type, what is refused, what is left out, and that it reads back."""

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.schema import GROUPS, Surface, parse, render, surfaces
from interlock.adapters.cedar.shape import Choice, Flag, Group, Integer, Many, Member, Shape, Text, type_name
from interlock.domain.contract import Contract, Facts, InProcess
from interlock.domain.errors import PolicyError
from interlock.domain.ids import ContractName
from tests.adapters.cedar_cases import ALL, CONTRACTS, LIST_PRICES, SET_PRICE, Json, forbid, judge_of, one_file


def reading(schema: Json, facts: Json | None = None) -> Contract:
    """A contract with an argument `x` of that schema, or with these facts."""
    return Contract(
        name=ContractName("t"),
        effect="read",
        risk="low",
        target=InProcess(name="t"),
        input_schema={"type": "object", "additionalProperties": False, "required": ["x"], "properties": {"x": schema}},
        facts=None if facts is None else Facts(source=InProcess(name="f"), schema=facts),
    )


def seen(contract: Contract) -> tuple[Surface, tuple[str, ...]]:
    """What policies see of one contract, and what they do not."""
    found, unseen = surfaces([contract])
    return found[contract.name], unseen


def member_of(schema: Json) -> Member | None:
    """The argument `x` as policies see it."""
    return next(iter(seen(reading(schema))[0].args.members), None)


def test_a_contract_becomes_an_action() -> None:
    """Name and groups are quoted as they are; arguments, facts and what is around them are typed; the order is fixed."""
    text = CedarPolicies().bundle({}, [SET_PRICE]).schema
    action = text[text.index('action "pricing.set_price"') :]

    assert action == (
        'action "pricing.set_price" in ["any", "effect:write", "risk:high"] appliesTo {\n'
        "  principal: [Release],\n"
        "  resource: [System],\n"
        "  context: {\n"
        "    args: {\n"
        "      currency: Currency,\n"
        "      note?: String,\n"
        "      price_minor: Long,\n"
        "      sku: String,\n"
        "      tags: Set<String>\n"
        "    },\n"
        "    budget: {\n"
        "      calls?: Long\n"
        "    },\n"
        "    confidence?: Long,\n"
        "    data: Set<String>,\n"
        "    facts: {\n"
        "      flagship: Bool,\n"
        "      floor_minor: Long,\n"
        "      season?: String\n"
        "    },\n"
        "    minuteOfDay: Long,\n"
        "    nowMs: Long,\n"
        "    parsed: {},\n"
        "    stage: Stage,\n"
        "    taint: {\n"
        "      currency: Bool,\n"
        "      note: Bool,\n"
        "      price_minor: Bool,\n"
        "      sku: Bool,\n"
        "      tags: Bool\n"
        "    },\n"
        "    taintedAny: Bool,\n"
        "    task: {\n"
        "      depth: Long,\n"
        "      initiator: String,\n"
        "      lent: Long,\n"
        "      purpose: String\n"
        "    },\n"
        "    undo: Bool,\n"
        "    unusual: {\n"
        "      amount: Bool,\n"
        "      any: Bool,\n"
        "      contract: Bool,\n"
        "      hour: Bool,\n"
        "      rate: Bool,\n"
        "      record: Bool\n"
        "    },\n"
        "    user: {\n"
        "      roles: Set<String>\n"
        "    },\n"
        "    weekday: Long\n"
        "  }\n"
        "};\n"
    )
    assert 'entity Currency enum ["EUR", "USD"];\n' in text


def test_a_contract_without_arguments_or_facts_has_empty_records() -> None:
    """A policy may look at `context.facts` of any action, though what none of them has is a mistake."""
    surface, _ = seen(LIST_PRICES)

    assert (surface.args, surface.facts) == (Group(), Group())
    assert judge_of(forbid("context has facts", "action")).policies
    with pytest.raises(PolicyError, match="never has `x`"):
        judge_of(forbid("context.facts has x", "action"))


CLOSED: Json = {"type": "object", "additionalProperties": False}
SEEN: list[tuple[Json, Shape, bool]] = [
    ({"type": "string"}, Text(), False),
    ({"type": "integer"}, Integer(), False),
    ({"type": "boolean"}, Flag(), False),
    ({"enum": ["b", "a", "b"]}, Choice("X", ("a", "b")), False),
    ({"type": "string", "enum": ["a", None]}, Choice("X", ("a",)), True),
    ({"const": "a"}, Choice("X", ("a",)), False),
    ({"oneOf": [{"const": "a"}, {"const": "b"}]}, Choice("X", ("a", "b")), False),
    ({"enum": [1, 2]}, Integer(), False),
    ({"enum": [True]}, Flag(), False),
    ({"type": "array", "items": {"type": "integer"}}, Many(Integer()), False),
    ({"type": "array", "items": {"enum": ["a"]}}, Many(Choice("X", ("a",))), False),
    ({"type": "object", "properties": {"y": {"type": "string"}}}, Group((Member("y", Text(), True),), True), False),
    ({**CLOSED, "properties": {"y": {"type": "string"}}}, Group((Member("y", Text(), True),)), False),
    ({**CLOSED, "properties": {"y": {"type": "string"}, "z": {}}}, Group((Member("y", Text(), True),), True), False),
    ({**CLOSED, "properties": {"n": {"$ref": "#/properties/x"}}}, Group((Member("n", Group((), True), True),)), False),
    ({"type": "object", "additionalProperties": False}, Group(), False),
    ({"type": ["string", "null"]}, Text(), True),
    ({"type": ["string"]}, Text(), False),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, Integer(), True),
    ({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "time"}]}, Text(), False),
    ({"allOf": [{"type": "integer"}]}, Integer(), False),
    ({"type": "string", "anyOf": [{"minLength": 1}, {"const": ""}]}, Text(), False),
]


@pytest.mark.parametrize(("schema", "shape", "optional"), SEEN)
def test_what_has_a_type_gets_it(schema: Json, shape: Shape, optional: bool) -> None:
    """The mapping, one row a kind of JSON Schema; what may be null is optional."""
    assert member_of(schema) == Member("x", shape, optional)


REFUSED: list[tuple[Json, str]] = [
    ({"type": "number"}, "floating-point"),
    ({"type": "array", "items": {"type": "number"}}, "floating-point"),
    ({"type": ["string", "integer"]}, "several types"),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "several types"),
    ({"enum": ["a", 1]}, "several types"),
    ({"enum": []}, "several types"),
    ({"enum": [1.5]}, "several types"),  # type: ignore[list-item]  # a schema from outside may hold anything
    ({"type": "array", "items": {"type": ["string", "null"]}}, "null"),
    ({"$ref": "#/$defs/nowhere"}, "not in the schema"),
    ({"$ref": "https://example.com/schema"}, "not in the schema"),
    ({"type": "object", "properties": {"__entity": {"type": "string"}}}, "keeps for itself"),
]


@pytest.mark.parametrize(("schema", "why"), REFUSED)
def test_what_no_policy_could_be_held_against_is_refused(schema: Json, why: str) -> None:
    """The message names the contract, the place in its schema, and what is wrong."""
    with pytest.raises(PolicyError, match=why) as caught:
        seen(reading(schema))

    assert "contract `t` /input_schema" in caught.value.detail


UNSEEN: list[Json] = [
    {},
    {"type": "object"},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"type": "array"},
    {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
    {"type": "array", "items": {"type": "object"}},
    {"type": "null"},
]


@pytest.mark.parametrize("schema", UNSEEN)
def test_what_has_no_cedar_type_is_left_out_and_said_so(schema: Json) -> None:
    """A policy that names it is refused; the schema's text says what is not seen and why."""
    contract = reading(schema)
    text = CedarPolicies().bundle(one_file(ALL), [contract]).schema

    assert text.startswith('// Not seen by policies: "t args /properties/x')
    with pytest.raises(PolicyError, match=r"attribute `args\.x` in context"):
        CedarPolicies().bundle(one_file(forbid("context.args.x == context.args.x", "action")), [contract])


@pytest.mark.parametrize(
    "used", ["context.args.x == {y: 1}", "[context.args].contains(context.args)", "context == context"]
)
def test_a_record_seen_in_part_is_not_compared_as_a_whole(used: str) -> None:
    """Two values that differ in what is not seen would be equal to the policy; its members may be used as they are."""
    members: Json = {"y": {"type": "integer", "minimum": 0}}
    part = reading({**CLOSED, "required": ["y"], "properties": {**members, "z": {}}})
    named = reading(
        {**CLOSED, "required": ["y"], "properties": members, "patternProperties": {"^z": {"type": "string"}}}
    )
    whole = reading({**CLOSED, "required": ["y"], "properties": members})

    for unseen in (part, named):
        with pytest.raises(PolicyError, match="of which policies on `t` see a part"):
            CedarPolicies().bundle(one_file(forbid(used, "action")), [unseen])
    assert judge_of(forbid(used, "action"), contracts=(whole,)).policies
    assert judge_of(forbid("context.args.x.y < 1 && context.args has x", "action"), contracts=(part,)).policies


def test_a_fact_with_a_default_is_always_there_an_inner_argument_is_not() -> None:
    """Whoever makes the facts writes their defaults; of arguments only the outermost are filled in."""
    inner: Json = {**CLOSED, "properties": {"y": {"type": "integer", "default": 1}}}
    outer: Json = {**CLOSED, "properties": {"f": inner}, "required": ["f"]}
    surface, _ = seen(reading(inner, facts=outer))

    assert surface.args == Group((Member("x", Group((Member("y", Integer(), True),))),))
    assert surface.facts == Group((Member("f", Group((Member("y", Integer()),))),))


def test_every_group_is_there_whatever_the_contracts() -> None:
    """A policy on critical actions loads before there is a critical action."""
    policies = (forbid("true", f'action in Action::"{group}"', group.replace(":", "-")) for group in GROUPS)

    assert len(judge_of(*policies, contracts=()).policies) == len(GROUPS)


@pytest.mark.parametrize("name", ["any", "irreversible", "pricing.list"])
def test_a_name_means_one_thing(name: str) -> None:
    """Two contracts of one name, or a contract named like a group, are refused."""
    twin = Contract(
        name=ContractName(name), effect="read", risk="low", target=InProcess(name="t"), input_schema={"type": "object"}
    )

    with pytest.raises(PolicyError, match=f"named `{name}`"):
        surfaces([LIST_PRICES, twin, *([twin] if name == "pricing.list" else [])])


def test_enums_of_one_name_share_a_type_with_the_values_of_all() -> None:
    """So that a policy over several actions can name them, and a new contract breaks no policy."""
    assert 'entity Reason enum ["asked", "news", "refund", "wrong"];' in CedarPolicies().bundle({}, CONTRACTS).schema


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("currency", "Currency"),
        ("return_reason", "ReturnReason"),
        ("returnReason", "ReturnReason"),
        ("return-reason", "ReturnReason"),
        ("agent", "AgentValue"),
        ("set", "SetValue"),
        ("2nd", "Value2nd"),
        ("$", "Value"),
    ],
)
def test_an_enum_is_named_for_its_member(member: str, name: str) -> None:
    """Predictable, and never one of our own or Cedar's types."""
    assert type_name(member) == name


names = st.one_of(
    st.sampled_from(["if", "in", "like", "has", "__cedar", "a b", "", "sku", "x-y", '"', "\\", "\n", "ü"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
).filter(lambda name: name not in ("__entity", "__extn", "__expr"))
scalars = st.one_of(st.just(Text()), st.just(Integer()), st.just(Flag()))
enums = st.lists(names, min_size=1, max_size=3, unique=True)


def record(children: st.SearchStrategy[Shape]) -> st.SearchStrategy[Group]:
    """Records of `children`."""
    return st.dictionaries(names, st.tuples(children, st.booleans()), max_size=3).map(
        lambda drawn: Group(tuple(Member(name, shape, optional) for name, (shape, optional) in sorted(drawn.items())))
    )


def shapes(words: list[str]) -> st.SearchStrategy[Shape]:
    """Any shape, with one enum of `words`."""
    choice = st.just(Choice("Colour", tuple(sorted(words))))
    return st.recursive(
        st.one_of(scalars, choice), lambda inner: st.one_of(inner.map(Many), record(inner)), max_leaves=6
    )


found_surfaces = enums.flatmap(
    lambda words: st.dictionaries(
        names.filter(lambda name: name not in GROUPS),
        st.tuples(record(shapes(words)), record(shapes(words)), st.sets(st.sampled_from(GROUPS), min_size=1)),
        max_size=3,
    )
).map(
    lambda drawn: {
        name: Surface(name=name, groups=tuple(sorted(groups)), args=args, facts=facts)
        for name, (args, facts, groups) in drawn.items()
    }
)


@given(found_surfaces)
def test_the_text_is_cedar_and_reads_back_as_it_was(found: dict[str, Surface]) -> None:
    """For any names and types Cedar accepts the schema, and reading it gives what was written, name for name."""
    text = render(found)

    cedarpy.Schema.from_str(text)
    assert parse(text) == found


@given(st.permutations(CONTRACTS))
def test_the_order_of_contracts_and_members_does_not_matter(contracts: list[Contract]) -> None:
    """The same contracts give the same schema, so the same digest."""
    assert CedarPolicies().bundle({}, contracts).digest == CedarPolicies().bundle({}, CONTRACTS).digest


SCHEMA = CedarPolicies().bundle({}, CONTRACTS).schema


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("price_minor: Long", "price_minor: Lung"),
        ("price_minor: Long", "price_minor : Long"),
        ("price_minor: Long", "price_minor: 7 Long"),
        ("price_minor: Long", "price_minor: Long // really"),
        ("    weekday: Long\n", "    weekday: String\n"),
        ("    weekday: Long\n", "    weekday: Long,\n    more: Bool\n"),
        ('"risk:high"]', '"risk:none"]'),
        ('action "risk:high";', ""),
        ("entity Agent;", "entity Agent; entity Other;"),
        ('["EUR", "USD"]', '["USD", "EUR"]'),
        ("  principal: [Release],", "  principal: [Agent],"),
    ],
)
def test_a_schema_in_any_other_form_is_refused(was: str, becomes: str) -> None:
    """What we did not write we do not guess at."""
    assert was in SCHEMA

    with pytest.raises(PolicyError, match="was not written by this version"):
        parse(SCHEMA.replace(was, becomes))


@pytest.mark.parametrize("keep", [0, 1, 20, 200, len(SCHEMA) - 3])
def test_a_schema_cut_short_is_refused(keep: int) -> None:
    """An incomplete schema describes nothing."""
    with pytest.raises(PolicyError):
        parse(SCHEMA[:keep])
