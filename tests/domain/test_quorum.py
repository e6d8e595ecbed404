"""Trust policies: read as C2SP tlog-policy writes them, refused where anything is off, and met by enough and no fewer."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.cosignature import CosignerKey
from interlock.domain.note import VerifierKey
from interlock.domain.quorum import PolicyFileError, Witness, at_least, parse_policy

KEYS = [CosignerKey(name=f"w{n}.example", public=bytes([n]) * 32) for n in range(6)]
V = [key.vkey() for key in KEYS]
LOG = VerifierKey(name="a.example/log", public=bytes(32)).vkey()

TWO_LEVELS = f"""\
# two operators
log {LOG} https://a.example/
witness X1 {V[0]}\thttps://w0.example/
  witness X2 {V[1]}
witness X3 {V[2]}
group X 2 X1 X2 X3

witness Y1 {V[3]}
witness Y2 {V[4]}
group Y any Y1 Y2
group both all X Y
quorum both
"""


@pytest.mark.proves("witness.quorum")
def test_a_quorum_is_met_by_enough_and_no_fewer() -> None:
    """Of every subset of witnesses exactly those with two of X and one of Y are enough."""
    policy = parse_policy(TWO_LEVELS.encode())
    for size in range(6):
        for some in combinations(range(6), size):
            wanted = len({0, 1, 2} & set(some)) >= 2 and bool({3, 4} & set(some))
            assert policy.met(KEYS[n] for n in some) == wanted

    assert [each.name for each in policy.logs] == ["a.example/log"]
    assert policy.witnesses[0].url == "https://w0.example/"
    assert parse_policy(policy.encode()).met(KEYS[:4])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no quorum"),
        (f"witness a {V[0]}\n", "no quorum"),
        (f"witness a {V[0]}\nquorum b\n", "line 2: `b` was not defined"),
        (f"quorum a\nwitness a {V[0]}\n", "line 1: `a` was not defined"),
        (f"witness a {V[0]}\nquorum a\nquorum a\n", "second quorum"),
        (f"witness a {V[0]}\nwitness a {V[1]}\nquorum a\n", "defined already"),
        (f"witness none {V[0]}\nquorum none\n", "defined already"),
        (f"witness a {V[0]}\nwitness b {V[0]}\nquorum a\n", "twice"),
        (f"log {LOG}\nlog {LOG}\nquorum none\n", "twice"),
        (f"witness a {LOG}\nquorum a\n", "not one of a cosigner"),
        (f"log {V[0]}\nquorum none\n", "not an Ed25519 key"),
        (f"witness a {V[0][:-4]}AAA=\nquorum a\n", "line 1"),
        (f"witness a {V[0]}\ngroup g 2 a\nquorum g\n", "no number of members"),
        (f"witness a {V[0]}\ngroup g 0 a\nquorum g\n", "no number of members"),
        (f"witness a {V[0]}\ngroup g -1 a\nquorum g\n", "no number of members"),
        (f"witness a {V[0]}\ngroup g all\nquorum g\n", "too few"),
        (f"witness a {V[0]}\ngroup g all b\nquorum g\n", "not defined"),
        (f"witness a {V[0]}\ngroup g all a a\nquorum g\n", "a member twice"),
        (f"witness a {V[0]}\ngroup g all a\ngroup h all a\nquorum h\n", "a member twice"),
        ("quorum none x\n", "too many"),
        ("quorum\x00 none\n", "control characters"),
        ("q\n", "not how a line begins"),
        ("#" * 300_000, "longer than"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(text: str, said: str) -> None:
    """Whatever is not exactly a policy is refused, and never taken to mean that nobody has to agree."""
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(text.encode())

    assert said in str(caught.value)


def test_nobody_has_to_agree_only_where_it_says_so() -> None:
    """`quorum none` is met by nobody; `at_least` can be met, or is refused."""
    assert parse_policy(b"quorum none").met(())
    three = [Witness(name=f"w{n}", key=KEYS[n]) for n in range(3)]
    assert not at_least(2, three).met(KEYS[:1])
    assert at_least(2, three).met(KEYS[1:3])
    for needed in (0, 4):
        with pytest.raises(PolicyFileError):
            at_least(needed, three)


@given(data=st.one_of(st.binary(max_size=300), st.text(alphabet="qwgl none\n\t#1 ", max_size=200).map(str.encode)))
def test_any_bytes_are_a_policy_or_are_refused(data: bytes) -> None:
    """Whatever is read is a policy that is written and read again as the same, or a PolicyFileError."""
    try:
        policy = parse_policy(data)
    except PolicyFileError:
        return
    assert parse_policy(policy.encode()) == policy
