"""Contracts, questions and policies that the Cedar tests share."""

from collections.abc import Mapping

import msgspec

from interlock.adapters.cedar import CedarPolicies
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Facts, InProcess, NoReversal, Reversal, checked
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.policy import Decision, combine
from interlock.domain.question import Circumstances, Question
from interlock.ports.policies import Judge

Json = dict[str, JsonValue]

SET_PRICE = checked(
    Contract(
        name=ContractName("pricing.set_price"),
        effect="write",
        risk="high",
        reversal=Reversal(contract=ContractName("pricing.restore-price"), arguments={}),
        target=InProcess(name="set_price"),
        input_schema={
            "type": "object",
            "additionalProperties": False,
            "required": ["sku", "price_minor", "currency"],
            "properties": {
                "sku": {"type": "string"},
                "price_minor": {"type": "integer", "minimum": 1},
                "currency": {"enum": ["USD", "EUR"]},
                "note": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}, "default": []},
            },
        },
        facts=Facts(
            source=InProcess(name="price_facts"),
            schema={
                "$ref": "#/$defs/PriceFacts",
                "$defs": {
                    "PriceFacts": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["flagship"],
                        "properties": {
                            "flagship": {"type": "boolean"},
                            "floor_minor": {"type": "integer", "default": 0},
                            "season": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                        },
                    }
                },
            },
        ),
    )
)
RESTORE_PRICE = checked(
    Contract(
        name=ContractName("pricing.restore-price"),
        effect="write",
        risk="low",
        reversal=NoReversal(why="it is an undo"),
        target=InProcess(name="restore"),
        input_schema={
            "type": "object",
            "additionalProperties": False,
            "required": ["sku"],
            "properties": {"sku": {"type": "string"}, "reason": {"enum": ["asked", "wrong"]}},
        },
    )
)
SEND_MAIL = checked(
    Contract(
        name=ContractName("mail.send"),
        effect="external",
        risk="medium",
        reversal=NoReversal(why="a mail cannot be unsent"),
        target=InProcess(name="send"),
        input_schema={
            "type": "object",
            "additionalProperties": False,
            "required": ["to", "reason"],
            "properties": {"to": {"type": "string"}, "reason": {"enum": ["refund", "news"]}},
        },
    )
)
LIST_PRICES = checked(
    Contract(
        name=ContractName("pricing.list"),
        effect="read",
        risk="low",
        target=InProcess(name="list"),
        input_schema={"type": "object", "additionalProperties": False},
    )
)
CONTRACTS = (SET_PRICE, RESTORE_PRICE, SEND_MAIL, LIST_PRICES)

ARGUMENTS: Json = {"sku": "A-1", "price_minor": 1900, "currency": "EUR", "tags": ["sale"]}
FACTS: Json = {"flagship": True, "floor_minor": 1500, "season": None}

ALL = '@id("all") @owner("o") permit(principal, action, resource);'
RELEASE = Digest("0123456789abcdef" * 4)
QUESTION = Question(
    agent=AgentName("pricing"),
    release=RELEASE,
    contract=SET_PRICE.name,
    contract_digest=SET_PRICE.digest,
    tenant="default",
    arguments=ARGUMENTS,
    facts=FACTS,
    initiator="user:ana",
    around=Circumstances(purpose="weekly review", depth=0, stage="partial", asked_at=1_790_000_000_000),
)


def question(**changes: object) -> Question:
    """A question about a sound change of price, but for `changes`."""
    around = {name: changes.pop(name) for name in list(changes) if name in Circumstances.__struct_fields__}
    return msgspec.structs.replace(QUESTION, around=msgspec.structs.replace(QUESTION.around, **around), **changes)


def priced(**arguments: JsonValue) -> Question:
    """A question about a change of price with other arguments."""
    return question(arguments={**ARGUMENTS, **arguments})


def forbid(when: str, action: str = 'action == Action::"pricing.set_price"', name: str = "f") -> str:
    """A policy that denies."""
    return f'@id("{name}") @owner("o") @outcome("deny") @reason("no") forbid(principal, {action}, resource) when {{ {when} }};'


def judge_of(*policies: str, contracts: tuple[Contract, ...] = CONTRACTS) -> Judge:
    """Policies as one file, loaded."""
    language = CedarPolicies()
    return language.load(language.bundle({"p.cedar": "\n".join(policies)}, contracts))


def stored(*policies: str, contracts: tuple[Contract, ...] = CONTRACTS) -> Bundle:
    """Policies as a bundle out of the store, where any lint of today may have been unknown: it is loaded without."""
    return Bundle(sources={"p.cedar": "\n".join(policies)}, schema=CedarPolicies().bundle({}, contracts).schema)


def stored_judge(*policies: str) -> Judge:
    """Such a bundle, loaded."""
    return CedarPolicies().load(stored(*policies))


def satisfied(judge: Judge, asked: Question) -> tuple[str, ...]:
    """Which policies are satisfied, after there was no error."""
    opinions = judge.opinions(asked)
    assert opinions.errors == ()
    return opinions.satisfied


def decided(judge: Judge, asked: Question) -> Decision:
    """The decision that follows."""
    return combine(judge.opinions(asked), judge.policies, Digest("b" * 64))


def one_file(text: str) -> Mapping[str, str]:
    """The sources of a bundle with one file."""
    return {"p.cedar": text}
