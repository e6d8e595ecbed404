"""Rules that are none: policies that can never apply are refused, and those that change nothing are worth a word."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.chance import CONTRACT, OTHER, Chance
from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.library import library_judge
from interlock.adapters.cedar.policies import LANGUAGE
from interlock.adapters.cedar.schema import render, surfaces
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess, checked
from interlock.domain.errors import PolicyError
from interlock.domain.finding import Finding
from interlock.domain.ids import ContractName, Digest
from interlock.domain.policy import Decision, Opinions, combine
from interlock.domain.question import Question
from interlock.ports.policies import Judge
from tests.adapters.cedar_cases import ALL, CONTRACTS, Json, forbid, one_file

CEDAR = CedarPolicies()
NEVER = "it never applies"


def findings(*policies: str, contracts: tuple[Contract, ...] = CONTRACTS) -> tuple[Finding, ...]:
    """What is to be said about policies in one file."""
    return CEDAR.findings(one_file("\n".join(policies)), contracts)


SIZES: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["n", "m", "kind", "flag", "text", "code", "word"],
    "properties": {
        "n": {"type": "integer", "minimum": 0, "maximum": 100},
        "m": {"type": "integer", "minimum": 50, "maximum": 200},
        "kind": {"enum": ["a", "b", "c"]},
        "flag": {"type": "boolean"},
        "text": {"type": "string"},
        "note": {"type": "string"},
        "code": {"type": "string", "pattern": "^n-[0-9]+$"},
        "word": {"type": "string", "minLength": 1, "maxLength": 3},
    },
}
SIZED = checked(
    Contract(name=ContractName("sized"), effect="read", risk="low", target=InProcess(name="s"), input_schema=SIZES)
)
N, M, KIND = "context.args.n", "context.args.m", "context.args.kind"


@pytest.mark.proves("policy.dead_refused")
@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("1 > 2", "`1 > 2` is never true"),
        ("false", "`false` is never true"),
        (f"{N} > 100", "`context.args.n > 100` is never true in `sized`: `args.n` is from 0 to 100"),
        (f"{N} + {M} < 50", "is never true in `sized`: `args.m` is from 50 to 200; `args.n` is from 0 to 100"),
        (f"{N} * 2 >= 201", "is never true"),
        (f"{N} > 60 && {N} < 60", "is never true beside `context.args.n > 60`"),
        (f"{N} > {M} && {M} > 100", "is never true beside `context.args.n > context.args.m`"),
        (f'{KIND} == Kind::"a" && {KIND} == Kind::"b"', "is never true beside"),
        (f'!({KIND} == Kind::"a" || {KIND} == Kind::"b" || {KIND} == Kind::"c")', "always true beside what stands before it"),
        (f'{KIND} == Kind::"a" && [Kind::"b", Kind::"c"].contains({KIND})', "is never true beside"),
        ("context.args.flag && !context.args.flag", "is always true beside `context.args.flag`"),
        ('context.args.text == "x" && context.args.text == "y"', "is never true beside"),
        ("!(context.args has n)", "`context.args has n` is always true"),
        ("context.weekday == 0", "`context.weekday == 0` is never true in `sized`: `weekday` is from 1 to 7"),
        ("context.minuteOfDay > 1439", "is never true"),
        ("context has confidence && context.confidence > 1000", "is never true"),
        (f"if {N} > 100 then true else {N} > 101", "is never true"),
        (f"context.args.flag && ({N} < 0 || {M} < 50)", "is never true"),
        ('context.stage == Stage::"shadow" && context.stage == Stage::"bounded"', "is never true beside"),
        ('context.args.code == "abc"', "is never true in `sized`: `args.code` is text with `pattern: ^n-[0-9]+$`"),
        ('context.args.word == ""', "is never true in `sized`: `args.word` is text with `minLength: 1` and `maxLength: 3`"),
        ('["", "long"].contains(context.args.word)', "is never true"),
        ('context.args.word == context.args.code && context.args.word == "n-7-"', "is never true"),
        ('context.weekday > 7 || context.args.code == "n-"', "is never true"),
    ],
)  # fmt: skip
def test_a_policy_that_can_never_apply_is_refused(condition: str, words: str) -> None:
    """It says which condition cannot hold, and what it is about."""
    [found] = findings(forbid(condition, "action"), contracts=(SIZED,))

    assert found.severity == "error"
    assert found.message.startswith(NEVER)
    assert words in found.message
    with pytest.raises(PolicyError, match=NEVER):
        CEDAR.bundle(one_file(forbid(condition, "action")), [SIZED])


@pytest.mark.proves("policy.dead_refused")
def test_unless_is_not_when() -> None:
    """What is always true after `unless` never lets a policy apply; what is never true does not matter."""
    text = '@id("p") @owner("o") permit(principal, action, resource) unless {{ {} }};'

    [found] = findings(text.format("context.args.n >= 0"), contracts=(SIZED,))

    assert "`context.args.n >= 0` is always true" in found.message
    assert findings(text.format("context.args.n > 100"), contracts=(SIZED,)) == ()


@pytest.mark.proves("policy.dead_refused")
def test_an_empty_list_of_actions_is_refused() -> None:
    """It is about nothing, now and ever."""
    text = '@id("p") @owner("o") permit(principal, action in [], resource);'

    with pytest.raises(PolicyError):
        CEDAR.bundle(one_file(text), CONTRACTS)


@pytest.mark.parametrize(
    "condition",
    [
        f"{N} > 99",
        f"{N} > {M}",
        f"{N} + {M} == 300",
        f'{KIND} != Kind::"a" && {KIND} != Kind::"b"',
        f"{N} > 60 || {N} < 60",
        "context.args has note",
        '!(context.args has note) || (context.args has note && context.args.note == "x")',
        "context.weekday == 7 && context.minuteOfDay == 1439",
        f"{N} == {N}",
        "context.args.flag == (context.undo || true)",
        'context.args.code == "n-12"',
        'context.args.code != "n-12" && context.args.code != "n-13"',
        'context.args.word == "äöü"',
        '!["a", "b"].contains(context.args.word)',
        'context.args.text == ""',
        "context.args.word == context.args.code",
    ],
)  # fmt: skip
def test_a_policy_that_may_apply_is_not_refused(condition: str) -> None:
    """However close to never it is."""
    assert findings(forbid(condition, "action"), contracts=(SIZED,)) == ()


@pytest.mark.proves("policy.dead_refused")
@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (f"context.weekday > 7 || {N} > 5", "`context.weekday > 7` is never true in `sized`: `weekday` is from 1 to 7"),
        (f"context.undo && ({N} > 5 || {N} > 7 || {N} < 0)", "`context.args.n < 0` is never true"),
        (f"!({N} >= 0 && context.undo)", "`context.args.n >= 0` is always true"),
        ('context.args.word == "" || context.args.word == "a"', '`context.args.word == ""` is never true'),
    ],
)
def test_an_alternative_that_never_holds_is_a_warning(condition: str, words: str) -> None:
    """The policy applies all the same, but not where somebody believes it does."""
    [found] = findings(forbid(condition, "action"), contracts=(SIZED,))

    assert found.severity == "warning"
    assert found.message.startswith("a part of the condition counts for nothing: ")
    assert words in found.message


def test_an_alternative_counts_if_it_holds_of_one_contract() -> None:
    """What cannot hold for one may hold for another."""
    larger = msgspec.structs.replace(
        SIZED,
        name=ContractName("larger"),
        input_schema={**SIZES, "properties": {**_members(SIZES), "n": {"type": "integer", "minimum": 0}}},
    )
    rule = forbid(f"{N} > 100 || context.undo", "action")

    assert findings(rule, contracts=(SIZED, larger)) == ()
    assert len(findings(rule, contracts=(SIZED,))) == 1


def test_a_policy_is_alive_if_it_applies_to_one_of_its_contracts() -> None:
    """What cannot hold for one may hold for another."""
    larger = msgspec.structs.replace(
        SIZED,
        name=ContractName("larger"),
        input_schema={**SIZES, "properties": {**_members(SIZES), "n": {"type": "integer", "minimum": 0}}},
    )
    rule = forbid(f"{N} > 100", "action")

    assert findings(rule, contracts=(SIZED, larger)) == ()
    assert len(findings(rule, contracts=(SIZED,))) == 1


def _members(schema: Json) -> dict[str, JsonValue]:
    found = schema["properties"]
    assert isinstance(found, dict)
    return found


def test_a_rule_on_a_group_that_is_still_empty_is_no_fault() -> None:
    """It is best written before there is anything critical."""
    assert findings(ALL, forbid("true", 'action in Action::"risk:critical"')) == ()


# -- held against what policies really do --------------------------------------------------------------------------------

SCHEMA = render(surfaces([CONTRACT, OTHER])[0])
NUMBERS = (-1, 0, 1, 2, 5, 100)


def stored(*policies: str) -> Judge:
    """Policies as a bundle that no lint has seen, answered by the library."""
    bundle = Bundle(language=LANGUAGE, sources=dict(one_file("\n".join(policies))), schema=SCHEMA)
    return library_judge(CEDAR.loaded(bundle))


class Narrow(Chance):
    """Policies by chance of few words, so that they contradict and repeat each other, and questions in the same words."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._dice = Random(seed)  # noqa: S311  nothing is secret here

    def condition(self, depth: int) -> str:
        """A Bool of few words."""
        dice, below = self._dice, depth - 1
        if depth <= 0:
            number = dice.choice(
                ("context.weekday", "context.minuteOfDay", "context.task.depth", "context.args.item.n")
            )
            return dice.choice(
                (
                    f"{number} {dice.choice(('<', '<=', '>', '>=', '==', '!='))} {dice.choice(NUMBERS)}",
                    f"{number} {dice.choice(('<', '<=', '>', '>=', '=='))} context.weekday",
                    f"{number} + {dice.choice(NUMBERS)} < {dice.choice(NUMBERS)} * 2 - {number}",
                    f"-{number} > {dice.choice(NUMBERS)}",
                    f'context.args.currency {dice.choice(("==", "!="))} Currency::"{dice.choice(("CHF", "EUR", "USD"))}"',
                    '[Currency::"CHF", Currency::"EUR"].contains(context.args.currency)',
                    f'context.stage == Stage::"{dice.choice(("shadow", "bounded"))}"',
                    f'context.args.word == "{dice.choice("ab")}"',
                    '["a", "b"].contains(context.args.word)',
                    "context.args.flag",
                    "context.undo",
                    "context.args.flag == context.undo",
                    "context has confidence && context.confidence > 900",
                    "context.args has note",
                    "context.args has flag",
                    'principal in Agent::"one"',
                    dice.choice(("true", "false")),
                )
            )
        return dice.choice(
            (
                lambda: f"({self.condition(below)} && {self.condition(below)})",
                lambda: f"({self.condition(below)} && {self.condition(below)})",
                lambda: f"({self.condition(below)} || {self.condition(below)})",
                lambda: f"!({self.condition(below)})",
                lambda: f"(if {self.condition(below)} then {self.condition(below)} else {self.condition(below)})",
            )
        )()

    def ruled(self, name: str, depth: int) -> str:
        """A policy with any outcome."""
        dice = self._dice
        said = dice.choice(
            (
                "permit",
                '@obligation("log") permit',
                '@outcome("deny") @reason("r") forbid',
                '@outcome("shadow") @obligation("log,tell") @reason("r") forbid',
                f'@outcome("require_approval") @reason("r") @approver("{dice.choice(("lead", "boss"))}") forbid',
                '@outcome("require_approval") @reason("r") @approver("lead") @quorum("2") forbid',
                '@outcome("escalate") @approver("lead") @reason("r") forbid',
                f'@outcome("oblige") @obligation("{dice.choice(("log", "log,tell"))}") @reason("r") forbid',
                '@outcome("deny") @reason("r") @mode("shadow") forbid',
            )
        )
        clauses = " ".join(
            f"{dice.choice(('when', 'when', 'unless'))} {{ {self.condition(depth)} }}"
            for _ in range(dice.randint(0, 2))
        )
        return f'@id("{name}") @owner("o") {said}({self._scope()}) {clauses};'

    def asked(self) -> Question:
        """A question in the words that the policies know, too."""
        dice, asked = self._dice, self.question()
        arguments: Json = {
            **asked.arguments,
            "word": dice.choice("abc"),
            "item": dict[str, JsonValue](n=dice.choice((*NUMBERS, 201)), t="a"),
            "currency": dice.choice(("CHF", "EUR", "USD")),
        }
        day, minute = dice.randint(0, 6), dice.choice((0, 1, 2, 5, 99, 100, 101, 1439))
        around = msgspec.structs.replace(asked.around, asked_at=(day * 1440 + minute) * 60_000)
        contract = dice.choice((CONTRACT, CONTRACT, OTHER))
        return msgspec.structs.replace(asked, arguments=arguments, around=around, contract=contract.name)


def sound(chance: Narrow, count: int, depth: int) -> list[str]:
    """Policies by chance that strict validation lets through."""
    found: list[str] = []
    while len(found) < count:
        text = chance.ruled(f"p{len(found)}", depth)
        try:
            stored(text)
        except PolicyError:
            continue
        found.append(text)
    return found


@pytest.mark.proves("policy.dead_refused")
@settings(max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_a_policy_called_dead_is_satisfied_by_no_question(seed: int) -> None:
    """Policies by chance, most of which contradict themselves, and questions by chance in the same words: whoever is
    satisfied was not said never to apply."""
    chance = Narrow(seed)
    policies = sound(chance, 8, 3)
    told = findings(*policies, contracts=(CONTRACT, OTHER))
    never = {each.policy for each in told if each.message.startswith(NEVER)}
    judge = stored(*policies)

    for _ in range(40):
        assert not never & set(judge.opinions(chance.asked()).satisfied)


def decision(judge: Judge, opinions: Opinions, without: set[str]) -> Decision:
    """What follows when some policies are not there, without who says so and why."""
    left = tuple(name for name in opinions.satisfied if name not in without)
    found = combine(Opinions(satisfied=left, errors=opinions.errors), judge.policies, Digest("b" * 64))
    return msgspec.structs.replace(found, because=(), reasons=(), requirements=())


def asked_people(judge: Judge, opinions: Opinions, without: set[str]) -> dict[str, int]:
    """How many people of which role must agree."""
    left = tuple(name for name in opinions.satisfied if name not in without)
    needed: dict[str, int] = {}
    for each in combine(Opinions(satisfied=left), judge.policies, Digest("b" * 64)).requirements:
        needed[each.role] = max(needed.get(each.role, 0), each.quorum)
    return needed


@pytest.mark.proves("policy.dead_refused")
@settings(max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_a_policy_said_to_change_nothing_changes_nothing(seed: int) -> None:
    """Taken away, one by one or all together, the verdict, the obligations and the people asked are the same for every
    question."""
    chance = Narrow(seed)
    policies = sound(chance, 6, 0)
    # More of the same words in other policies: copies, and copies with one more condition.
    policies += [text.replace('@id("p', '@id("q') for text in policies[:3]]
    policies += [
        text.replace('@id("p', '@id("r').removesuffix(";") + " when { context.undo };" for text in policies[:6]
    ]
    told = findings(*policies, contracts=(CONTRACT, OTHER))
    idle = {each.policy for each in told if each.severity == "warning" and _says_nothing(each)}
    judge = stored(*policies)

    for _ in range(40):
        opinions = judge.opinions(chance.asked())
        for without in ({name} for name in idle):
            assert decision(judge, opinions, without) == decision(judge, opinions, set())
            assert asked_people(judge, opinions, without) == asked_people(judge, opinions, set())
        assert decision(judge, opinions, idle) == decision(judge, opinions, set())
        assert asked_people(judge, opinions, idle) == asked_people(judge, opinions, set())


def _says_nothing(finding: Finding) -> bool:
    return finding.message.startswith(("it says the same as", "it changes nothing", "it grants nothing"))


DENY = forbid("context.undo", "action", "deny")


def ask(name: str, principal: str = "principal", when: str = "", *, approver: str = "lead", quorum: str = "1") -> str:
    """A policy that asks somebody."""
    said = f'@outcome("require_approval") @approver("{approver}") @quorum("{quorum}") @reason("r")'
    return f'@id("{name}") @owner("o") {said} forbid({principal}, action, resource) {when};'


PRICING, RELEASE = 'principal in Agent::"pricing"', 'principal == Release::"pricing@0123456789ab"'


@pytest.mark.proves("policy.dead_refused")
@pytest.mark.parametrize(
    ("others", "policy", "words"),
    [
        ((DENY,), DENY.replace('"deny") @owner', '"z.again") @owner'), "it says the same as `deny`"),
        ((DENY,), forbid('context.undo && context.args.sku == "a"', name="z"), "it changes nothing: `deny` says `deny`"),
        (
            (DENY,),
            '@id("z") @owner("o") permit(principal in Agent::"pricing", action, resource) when { context.undo };',
            "it grants nothing: `deny` denies wherever it applies",
        ),
        (
            (DENY,),
            ask("z", RELEASE, "when { context.undo }"),
            "it changes nothing: `deny` says `deny`",
        ),
        (
            (ask("a", PRICING, quorum="2"),),
            ask("z", RELEASE),
            "it changes nothing: `a` says `require_approval`",
        ),
        ((ALL,), ALL.replace('"all"', '"z"'), "it says the same as `all`"),
    ],
)  # fmt: skip
def test_what_others_say_already_is_a_warning(others: tuple[str, ...], policy: str, words: str) -> None:
    """It names who says it, and the bundle is formed all the same."""
    found = [each for each in findings(*others, policy) if "a release from before" not in each.message]

    assert [(each.policy[:1], each.severity) for each in found] == [("z", "warning")]
    assert words in found[0].message
    assert CEDAR.bundle(one_file("\n".join((*others, policy))), CONTRACTS).sources


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(DENY, forbid("context.args.tags.isEmpty()", name="z"), id="other conditions"),
        pytest.param(DENY, ALL.replace('"all"', '"z"'), id="a permit that goes further"),
        pytest.param(DENY.replace("@id", '@mode("shadow") @id'), forbid("context.undo", name="z"), id="a trial"),
        pytest.param(ask("a"), ask("z", approver="boss"), id="another role"),
        pytest.param(
            '@id("a") @owner("o") @outcome("shadow") @reason("r") forbid(principal, action, resource);',
            '@id("z") @owner("o") @outcome("oblige") @obligation("log") @reason("r") forbid(principal, action, resource);',
            id="an obligation more",
        ),
        pytest.param(
            forbid("context.undo", 'action in Action::"effect:write"', name="a"),
            forbid("context.undo", 'action in Action::"risk:low"', name="z"),
            id="fewer actions",
        ),
    ],
)  # fmt: skip
def test_what_nobody_else_says_is_no_warning(one: str, other: str) -> None:
    """Each of the two does something that the other does not."""
    assert [each.message for each in findings(one, other) if _says_nothing(each)] == []
