"""Policies that nobody would write, or that somebody wrote to do harm: refused, in bounded time, and the process lives."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.formatting import formatted
from interlock.adapters.cedar.limits import MAX_BRACKETS, MAX_BUNDLE, MAX_DEPTH, MAX_FILE, MAX_POLICIES, MAX_POLICY
from interlock.adapters.cedar.source import MOST
from interlock.domain.errors import PolicyError
from tests.adapters.cedar_cases import ALL, CONTRACTS, forbid, one_file

LANGUAGE = CedarPolicies(agents=["pricing", "support"], roles={"pricing_lead": 1, "reviewer": 3})
PATIENCE_S = 20.0
"""CPU for the worst of these inputs on a slow, busy machine; without bounds some of them would take hours."""


def why(text: str) -> str:
    """The first thing that a bundle is refused for."""
    with pytest.raises(PolicyError) as caught:
        LANGUAGE.bundle(one_file(text), CONTRACTS)
    return caught.value.detail


PRICE = "context.args.price_minor"
NESTED: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: forbid("(" * n + "true" + ")" * n),
    "not": lambda n: forbid("!" * n + "true"),
    "minus": lambda n: forbid("-" * n + "1 == 1"),
    "not in brackets": lambda n: forbid("!(" * n + "true" + ")" * n),
    "and": lambda n: forbid(" && ".join(["true"] * n)),
    "or": lambda n: forbid(" || ".join(["true"] * n)),
    "plus": lambda n: forbid(" + ".join(["1"] * n) + " == 1"),
    "times": lambda n: forbid(" * ".join(["1"] * n) + " == 1"),
    "less": lambda n: forbid(" < ".join(["1"] * n)),
    "dots": lambda n: forbid("context" + ".args" * n),
    "calls": lambda n: forbid("[1]" + ".contains(1)" * n),
    "indices": lambda n: forbid("context" + '["args"]' * n),
    "has": lambda n: forbid("context has " + ".".join(["args"] * n)),
    "if in then": lambda n: forbid("if true then " * n + "true" + " else true" * n),
    "if in else": lambda n: forbid("if true then true else " * n + "true"),
    "if in if": lambda n: forbid("if " * n + "true" + " then true else true" * n),
    "sets": lambda n: forbid("[" * n + "1" + "]" * n + ".isEmpty()"),
    "records": lambda n: forbid("{a: " * n + "1" + "}" * n + " == 1"),
    "clauses": lambda n: f'@id("f") @owner("o") permit(principal, action, resource) {"when { true } " * n};',
    "namespaces": lambda n: forbid("A::" * n + '"x" == principal'),
    "is": lambda n: forbid("principal is Release" * n),
    "opened and not closed": lambda n: forbid("(" * n),
    "closed and not opened": lambda n: forbid(")" * n),
    "mixed": lambda n: forbid("(!-[" * n + "1" + "])" * n + " == 1"),
    "scope": lambda n: f"permit(principal in {'(' * n}, action, resource);",
    "annotations": lambda n: "".join(f'@a{each}("x") ' for each in range(n)) + ALL,
    "entities": lambda n: forbid("action in [" + ", ".join(['Action::"any"'] * n) + "]"),
    "list of sets": lambda n: forbid("[" + ", ".join(["[1]"] * n) + "].isEmpty()"),
    "words": lambda n: forbid("[" + ", ".join(f'"{each}"' for each in range(n)) + "].contains(context.args.sku)"),
    "stars": lambda n: forbid('context.args.sku like "' + "*" * n + '"'),
    "text": lambda n: forbid(f'context.args.sku == "{"x" * n}"'),
    "not closed text": lambda n: forbid(f'context.args.sku == "{"x" * n}'),
    "escapes": lambda n: forbid(f'context.args.sku == "{chr(92) * n}"'),
    "digits": lambda n: forbid(f"{PRICE} == {'9' * n}"),
    "policies": lambda n: "\n".join([ALL] * n),
    "semicolons": lambda n: ";" * n,
    "ats": lambda n: "@" * n,
    "quotes": lambda n: '"' * n,
    "slashes": lambda n: "/" * n + "\n" + ALL,
    "lines": lambda n: "\n" * n + ALL,
}

CHILD = """
import sys
from tests.adapters.test_cedar_bad_input import NESTED, outcome
for name, make in NESTED.items():
    for count in (29, 30, 31, 99, 100, 101, 1200, 20_000, 300_000):
        print(name, count, flush=True)
        outcome(make(count))
print("alive")
"""


def outcome(text: str) -> None:
    """Form a bundle of it, and format it: both may only refuse, and soon."""
    began = time.process_time()
    said = ""
    try:
        LANGUAGE.bundle(one_file(text), CONTRACTS)
    except PolicyError as error:
        said = str(error)
    formatted("p.cedar", text)
    # A message is for a person: it does not repeat the whole of what it is about.
    assert len(said) < 4_000
    taken = time.process_time() - began
    assert taken < PATIENCE_S, f"{taken:.1f} s for {text[:200]}"


def child(code: str, timeout_s: float) -> str:
    """What a program of its own prints: a native crash would end it without a word."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(root), *sys.path))},
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    assert done.returncode == 0, (done.returncode, done.stdout[-200:], done.stderr[-2000:])
    return done.stdout


@pytest.mark.proves("policy.bad_input_bounded")
def test_nothing_repeated_or_nested_ends_the_process_or_takes_long() -> None:
    """Everything the language can nest, chain or repeat, just within the bounds, just beyond them, and far beyond."""
    assert child(CHILD, 500).endswith("alive\n")


SIGNS = r"( ) [ ] { } , ; . : :: @ ! - + * < > <= >= == != && || \\ // ' 0x1 1 9223372036854775808"
WORDS = """if then else has in is like true false principal action resource context permit forbid when unless ?principal
Agent Action args facts containsAll isEmpty decimal ip "x" @id("p") @owner("o")"""
ODD = ('"', '"\\u{110000}"', '"\\u{d800}"', "\n", "\r", "\u200b", "\ud800", "\0", "é")
TOKENS = (*SIGNS.split(), *WORDS.split(), *ODD)

FUZZ = """
import random
from tests.adapters.test_cedar_bad_input import TOKENS, outcome
chance = random.Random(7)
for _ in range(1_000):
    outcome(" ".join(chance.choice(TOKENS) for _ in range(chance.choice((3, 10, 40, 400)))))
for _ in range(500):
    outcome(chance.randbytes(chance.choice((5, 50, 500))).decode(chance.choice(("latin-1", "utf-8", "utf-16-le")), "replace"))
print("alive")
"""


@pytest.mark.proves("policy.bad_input_bounded")
def test_tokens_and_bytes_by_chance_are_refused_and_the_process_lives() -> None:
    """Thousands of texts that are made of Cedar's words, or of nothing but bytes."""
    assert child(FUZZ, 300).endswith("alive\n")


def mangled(text: str, chance: random.Random) -> str:
    """A sound policy with a few letters gone, doubled, or from elsewhere."""
    letters = list(text)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(letters))
        match chance.randint(0, 2):
            case 0:
                del letters[at : at + chance.choice((1, 1, 5, 30))]
            case 1:
                letters[at:at] = letters[at : at + 8] * chance.choice((1, 2, 40))
            case _:
                letters[at] = chance.choice(TOKENS)
        letters = letters or [" "]
    return "".join(letters)


@pytest.mark.proves("policy.bad_input_bounded")
@given(seed=st.integers(0, 2**32))
def test_a_sound_policy_that_is_mangled_is_refused_or_still_a_policy(seed: int) -> None:
    """Nothing but PolicyError comes out, and what is formed can be loaded."""
    chance = random.Random(seed)  # noqa: S311  nothing is secret here
    text = mangled(f"{ALL}\n// a comment\n{forbid('context.args.note == context.args.sku')}\n" * 2, chance)
    try:
        bundle = LANGUAGE.bundle(one_file(text), CONTRACTS)
    except PolicyError:
        return
    assert LANGUAGE.load(bundle).policies


@pytest.mark.proves("policy.bad_input_bounded")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(forbid("(" * 31 + "true" + ")" * 31), f"more than {MAX_BRACKETS} brackets", id="brackets"),
        pytest.param(forbid(" && ".join(["true"] * 200)), f"more than {MAX_DEPTH} deep", id="chain"),
        pytest.param(forbid('context.args.sku == "' + "x" * MAX_POLICY + '"'), "at most 64 KiB", id="policy"),
        pytest.param("//" + "x" * MAX_FILE, "longer than 1 MiB", id="file"),
        pytest.param("\n".join([forbid("true")] * (MAX_POLICIES + 1)), "taken by the policy", id="policies"),
        pytest.param("//\x00", "the character NUL", id="NUL"),
        pytest.param("// \u202e", "U+202E", id="direction of writing"),
        pytest.param("// \ud800", "half of a surrogate pair", id="surrogate"),
        pytest.param(f"// harmless \r{ALL}", "a carriage return without a line feed", id="carriage return"),
        pytest.param(f"// harmless \u2028{forbid('true')}", "U+2028", id="line separator"),
        pytest.param(f"// harmless \x85{forbid('true')}", "U+0085", id="next line"),
        pytest.param(f"// harmless \x0b{forbid('true')}", "U+000B", id="vertical tab"),
    ],
)
def test_what_is_too_big_too_deep_or_reads_otherwise_than_it_is_is_told(text: str, words: str) -> None:
    """Each bound has its own words."""
    assert words in why(text)


def test_lines_may_end_as_windows_has_it() -> None:
    """A carriage return before a line feed is a line's end, and the places are right."""
    text = f"// one\r\n{ALL}\r\n// two\r\n{forbid('context.args.skuu == context.args.sku')}\r\n"

    [found] = LANGUAGE.findings(one_file(text), CONTRACTS)

    assert (found.line, found.source[-1]) == (4, ";")


@pytest.mark.proves("policy.bad_input_bounded")
def test_all_policies_together_have_a_bound_too() -> None:
    """Many files, none of them too long."""
    files = {f"{each}.cedar": "//" + "x" * (MAX_FILE - 2) for each in range(MAX_BUNDLE // MAX_FILE + 1)}

    with pytest.raises(PolicyError, match="all policies together are longer than 8 MiB"):
        LANGUAGE.bundle(files, CONTRACTS)


def test_more_policies_than_a_bundle_has_are_refused() -> None:
    """Each sound, each another."""
    rules = (ALL.replace('"all"', f'"all.{each}"') for each in range(MAX_POLICIES + 1))

    assert why("\n".join(rules)).endswith(f"a bundle has at most {MAX_POLICIES} policies")


@pytest.mark.proves("policy.bad_input_bounded")
def test_no_number_of_warnings_hides_what_is_wrong() -> None:
    """After more warnings than are told, an error still keeps the bundle from being formed."""
    doubtful = "\n".join(forbid("context.taint.sku", name=f"d{each}") for each in range(MOST + 10))
    wrong = forbid("context.nowMs * 10000 > 5", name="wrong")

    assert LANGUAGE.bundle(one_file(doubtful), CONTRACTS).sources
    assert "the product `context.nowMs * 10000`" in why(f"{doubtful}\n{wrong}")


EVERY_WORD_WRONG: dict[str, str] = {
    "roles": forbid("[" + ", ".join(f'"pricing_laed{n}"' for n in range(3_000)) + "].containsAny(context.user.roles)"),
    "members": forbid("[" + ", ".join(f"context.args.prise{n}" for n in range(2_000)) + "].contains(1)"),
    "has": forbid("[" + ", ".join(f"context.args has prise{n}" for n in range(1_500)) + "].contains(true)"),
    "values": forbid("[" + ", ".join(f'Currency::"EU{n}"' for n in range(3_000)) + "].contains(context.args.currency)"),
    "agents": forbid("principal in [" + ", ".join(f'Agent::"pricin{n}"' for n in range(2_500)) + "]"),
    "sums": forbid("[" + ", ".join(f"context.nowMs * {n}" for n in range(2_000, 4_000)) + "].contains(1)"),
    "comparisons": forbid("[" + ", ".join(f"context.args.price_minor < -{n}" for n in range(1_500)) + "].contains(true)"),
    "policies": "\n".join(forbid(f"context.args.prise{n} == 1", name=f"p{n}") for n in range(2_000)),
    "policies on roles": "\n".join(
        forbid(f'context.user.roles.contains("pricing_laed{n}")', name=f"p{n}") for n in range(2_000)
    ),
    "policies for one agent each": "\n".join(
        f'@id("p{n}") @owner("o") permit(principal == Release::"pricing@{n:012x}", action, resource);'
        for n in range(2_000)
    ),
    "policies with one condition": "\n".join(
        f'@id("p{n}") @owner("o") permit(principal == Release::"pricing@{n:012x}", action, resource) when {{ context.undo }};'
        for n in range(MAX_POLICIES)
    ),
    "alternatives": forbid(" || ".join(f"(context.weekday == {n} && context.undo)" for n in range(8, 90))),
    "alternatives within": forbid(
        " && ".join(["(context.weekday > 3 || (context.undo || !context.undo) && context.weekday < 9)"] * 40)
    ),
    "conditions by chance": forbid(
        "if " * 20 + "context.undo" + " then context.undo || context.taintedAny else context.weekday > 3" * 20
    ),
}  # fmt: skip

LONG = ("policies for one agent each", "policies with one condition", "policies")
"""These take seconds although they are bounded; what is like them, and shorter, stays."""


@pytest.mark.proves("policy.bad_input_bounded")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in EVERY_WORD_WRONG]
)
def test_policies_in_which_every_word_is_wrong_are_told_in_bounded_time(name: str) -> None:
    """A place, and the nearest spelling, is looked for only as often as anybody reads it."""
    outcome(EVERY_WORD_WRONG[name])
