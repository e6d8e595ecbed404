"""What people write who have another language in their fingers: told at its word, with what to write instead."""

import time

import pytest

from interlock.adapters.cedar import CedarPolicies
from interlock.domain.policy import ENGINES
from tests.adapters.cedar_cases import ALL, CONTRACTS, forbid, one_file, question, satisfied, stored
from tests.adapters.test_cedar_planted import DENY, meant, planted, when

SCOPE = "forbid(principal, action, resource)"


@pytest.mark.proves("policy.planted_faults")
@pytest.mark.parametrize(
    ("condition", "letters", "words"),
    [
        ("context.args.price_minor > 3.5", "3.5", "there are no fractions"),
        ("context.args.price_minor > 0.9", "0.9", "a ratio in per mille"),
        ("context.undo and context.undo", "and", "write `&&`"),
        ("context.undo or context.undo", "or", "write `||`"),
        ("not context.undo", "not", "write `!`"),
        ("not(context.undo)", "not", "write `!`"),
        ("context.minuteOfDay > 22:00", "22:00", "`context.minuteOfDay`, in minutes: write `1320`"),
        ("context.minuteOfDay > 6:05", "6:05", "write `365`"),
        ('context.args.sku.startsWith("a")', "startsWith", 'write `like "...*"`'),
        ('endsWith(context.args.sku, "a")', "endsWith", 'write `like "*..."`'),
        ('context.args.sku matches "a"', "matches", "write `like`"),
        ("context.args.price_minor = 3", "=", "write `==`"),
        ("context.args.price_minor === 3", "===", "write `==`"),
        ("context.args.price_minor => 3", "=>", "write `>=`"),
        ("context.args.price_minor <> 3", "<>", "write `!=`"),
        ("context.undo & context.undo", "&", "write `&&`"),
        ("context.args.price_minor / 2 > 4", "/", "multiply the other side"),
        ("context.args.price_minor % 2 == 1", "%", "let the contract read it as a fact"),
        ("context.args.price_minor > 1_000", "1_000", "write `1000`"),
        ("context.args.sku == 'user:bob'", "'user:bob'", 'double quotes: `"user:bob"`'),
        ("contxt.weekday == 1", "contxt", "did you mean `context`?"),
        ('contxt["weekday"] == 1', "contxt", "did you mean `context`?"),
        ("args.pinned", "args", "did you mean `context.args`?"),
        ("weekday > 5", "weekday", "did you mean `context.weekday`?"),
        ("context.args.sku == sku", "sku", "an argument is `context.args.sku`"),
        ("context.args.sku != null", "null", "write `has`"),
        ("context.undo == True", "True", "write `true`"),
        ("context.weekday", "context.weekday", "`context.weekday` is a Long, and a Bool is wanted here"),
        ("context.undo && context.args", "context.args", "is a record, and a Bool is wanted here"),
        ("context.args.sku.kept", "kept", "`context.args.sku` is a String and has no `kept`"),
        ('context.args.sku in ["a"]', 'context.args.sku in ["a"', 'write `["a"].contains(context.args.sku)`'),
        ('context.args.currency == "EUR"', 'context.args.currency == "EUR"', 'write `Currency::"EUR"`'),
        ('context.user == "bob"', 'context.user == "bob"', "`context.user` is a record"),
        ("context.budget.calls < 5", "calls", "ask first whether it is there: `context has budget.calls && ...`"),
    ],
)
def test_a_slip_in_a_condition_is_told_at_its_word(condition: str, letters: str, words: str) -> None:
    """One finding, under the very word, with what to write, and without a name of Cedar's own that nobody wrote."""
    found = planted(when(condition))

    assert (found.line, meant(found)) == (5, letters)
    assert words in found.message
    assert "__cedar" not in found.message


@pytest.mark.proves("policy.planted_faults")
@pytest.mark.parametrize(
    ("policy", "letters", "words"),
    [
        ("deny (principal, action, resource);", "deny", 'write `forbid`, with `@outcome("deny")` before it'),
        ("allow(principal, action, resource);", "allow", "write `permit`"),
        ("forbit(principal, action, resource);", "forbit", "did you mean `forbid`?"),
        (
            'forbid(principal, action == "mail.send", resource);',
            '"mail.send"',
            'did you mean `action == Action::"mail.send"`?',
        ),
        (
            "forbid(principal, action == mail.send, resource);",
            "mail.send",
            'did you mean `action == Action::"mail.send"`?',
        ),
        (
            'forbid(principal == "pricing", action, resource);',
            '"pricing"',
            'did you mean `principal in Agent::"pricing"`?',
        ),
        ('forbid(principal, action == Agent::"pricing", resource);', 'Agent::"pricing"', "with type `Action`"),
        ("forbid(principal, action);", "forbid", "write `(principal, action, resource)`"),
        (f"{SCOPE} {{ context.undo }};", "{", "a condition begins with `when` or `unless`"),
        (f"{SCOPE} if {{ context.undo }};", "if", "a condition begins with `when` or `unless`"),
        (f"{SCOPE} when", "when", "unexpected end of input"),
        (f"{SCOPE} when context.undo;", "context", "a condition stands in braces: `when { ... }`"),
    ],
)
def test_a_slip_around_the_scope_is_told_at_its_word(policy: str, letters: str, words: str) -> None:
    """The same, where a policy begins."""
    found = planted(DENY + policy)

    assert (found.line, meant(found)) == (4, letters)
    assert words in found.message


@pytest.mark.proves("policy.planted_faults")
@pytest.mark.parametrize(("annotation", "said"), [("@quorum(2)", "2"), ("@approver(lead)", "lead")])
def test_an_annotation_without_quotes_is_told(annotation: str, said: str) -> None:
    """What an annotation says is text, numbers included."""
    key = annotation.partition("(")[0]
    found = planted(f'@id("p") {annotation}\n{SCOPE};')

    assert (found.line, meant(found)) == (3, said)
    assert f'stands in quotes: `{key}("{said}")`' in found.message


@pytest.mark.parametrize(
    "condition", ['context.args.sku == "a and b = 3.5 / 2"', '!(["or", "not"].contains(context.args.sku))']
)
def test_words_within_text_are_no_slips(condition: str) -> None:
    """What stands in quotes is somebody's text; a fault beside it is told for what it is."""
    assert CedarPolicies().findings(one_file(when(condition)), CONTRACTS) == ()
    assert "did you mean `context`?" in planted(when(f"{condition} && contxt.undo")).message


@pytest.mark.parametrize("piece", ["@a(b ", "'a ", "a = ", "1.5 ", "not ", "principal == "])
def test_a_policy_full_of_slips_is_told_in_no_time(piece: str) -> None:
    """As long as a policy may be, and nothing in it closed: the time it takes grows with its length alone."""
    text = f"{SCOPE} when {{ {piece * (60_000 // len(piece))}"
    began = time.process_time()

    assert CedarPolicies().findings(one_file(text), CONTRACTS)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("asked", ["context has budget.calls", "context.budget has calls"])
def test_either_way_of_asking_for_what_is_left_says_the_same(engine: str, asked: str) -> None:
    """With and without a limit, in both engines."""
    rule = forbid(f"{asked} && context.budget.calls < 5")
    language = CedarPolicies()
    assert language.findings(one_file(rule), CONTRACTS) == ()
    judge = language.load(stored(ALL, rule), "compiled" if engine == "compiled" else "cedarpy")

    assert satisfied(judge, question(budget={"calls": 3})) == ("all", "f")
    assert satisfied(judge, question(budget={"calls": 9})) == ("all",)
    assert satisfied(judge, question(budget={})) == ("all",)
