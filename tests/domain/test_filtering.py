"""What leaves the gate of what a tool gave back: secrets by their shapes, personal data by kind, members by name."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, checked
from interlock.domain.errors import ContractError
from interlock.domain.filtering import filtered
from interlock.domain.output import MASKING, PERSONAL, Output, Personal, Taken, in_words
from interlock.domain.secret import may_hold_secrets, without_secrets
from interlock.domain.sifting import MAX_TAKEN
from interlock.testing.world import contract

# Put together here, so that no file of ours holds what others' scanners look for.
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw"
SECRETS: dict[str, tuple[str, ...]] = {
    "private-key": (
        f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{BODY}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n{BODY}\n-----END PGP PRIVATE KEY BLOCK-----",
    ),
    "aws-key": ("AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE"),
    "github-token": ("ghp_" + "aB3" * 12, "ghs_" + "x9Y" * 30, "github_pat_" + "11AAAAA0" * 10),
    "slack-token": (
        "xoxb-" + "123456789012-abcdefghijkl",
        "xapp-" + "1-A0123456789-abcdef",
        "xoxe.xoxp-" + "1-Mi0yLTEyMzQ1Njc4",
    ),
    "agent-key": ("ila_" + "0123456789abcdef" * 2 + "." + "0123456789abcdef" * 4,),
    "slack-webhook": ("hooks.slack.com/services/" + "T00000000/B00000000/" + "aBcD" * 6,),
    "stripe-key": (
        "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "rk_test_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "whsec_" + "a1B2" * 8,
    ),
    "google-key": (
        "AIza" + "SyD-9tSrke72PouQMnMX_a7eZSW0jkFMBWY",
        "GOCSPX-" + "a1B2c3D4" * 3 + "abcd",
        "ya29." + "a0AfH6SMBx" * 4,
    ),
    "anthropic-key": ("sk-ant-" + "api03-" + "aB3_" * 10,),
    "openai-key": ("sk-" + "proj-" + "aB3_" * 10, "sk-" + "aB3d" * 12),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",),
}
WHOLE = [(kind, each) for kind, shapes in SECRETS.items() for each in shapes]
PARTLY = (
    ("bearer", "Authorization: Bearer mF_9.B5f-4.1JqM9x", "mF_9.B5f-4.1JqM9x"),
    ("basic", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
    ("url-password", "postgres://app:s3cr3t@db.example:5432/shop", "s3cr3t"),
    ("aws-secret", "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY", "wJalrXUtnFEMI"),
)
ORDINARY = (
    "The bearer responsibilities of a task-force in Asia; see https://example.com/a?b=c and ana@example.com.",
    "sk-learn, risk-averse, ghp_short, AKIA, eyJ, -----BEGIN CERTIFICATE-----, xox, basic authorization needed",
    "http://localhost:8080/path https://host:443?mail=a@b.example git@github.com:org/repo.git",
    "order #W2378156 for 2019-05-04T12:30:45Z, $12.50, 0xDEADBEEF, d41d8cd98f00b204e9800998ecf8427e",
)
EVERYTHING = Output(personal=PERSONAL)

words = st.text(max_size=12) | st.sampled_from(
    ["", " ", ".", "@", ":", "/", "=", "\\n", '"', "-", "_", "ü", "日本", "\U0001f600"]
)
pieces = words | st.sampled_from([each for _, each in WHOLE] + [each for _, each, _ in PARTLY] + list(ORDINARY))
personal = st.sampled_from(
    ["ana@example.com", "+49 30 901820", "DE89370400440532013000", "4111 1111 1111 1111", "10.0.0.1", "::1"]
)
texts = st.lists(pieces | personal, max_size=6).map("".join)
names = st.sampled_from(["note", "rows", "token", "SecretAccessKey"]) | st.text("abc-_:@.0123456789", max_size=8)
results = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
rules = st.builds(
    Output,
    personal=st.lists(st.sampled_from(PERSONAL), unique=True).map(tuple),
    drop=st.sampled_from([(), ("note",), ("rows.token",)]),
    mask=st.sampled_from([(), ("token",), ("rows.*",)]),
)


@pytest.mark.proves("output.secrets")
@pytest.mark.parametrize(("kind", "secret"), WHOLE)
@pytest.mark.parametrize("around", ["{}", "key={}", '"{}"', "said:\\n{}\\n", "({}),", "日本{}日本"])
def test_a_secret_of_every_published_shape_is_masked(kind: str, secret: str, around: str) -> None:
    """Wherever in a text it stands, nothing of it is left, and only its kind is said."""
    found = filtered({"a": ["x", around.format(secret)]}, MASKING, frozenset({"a"}))

    assert found.taken == (Taken(path="/a/*", kind=kind),)
    assert secret not in str(found.result)
    assert secret[-12:] not in str(found.result)
    assert f"[masked: {kind}]" in str(found.result)


@pytest.mark.proves("output.secrets")
@pytest.mark.parametrize(("kind", "text", "secret"), PARTLY)
def test_what_only_its_surroundings_show_is_masked_alone(kind: str, text: str, secret: str) -> None:
    """Of credentials in a header or a URL the words around them stay."""
    found = filtered(text, MASKING)

    assert [each.kind for each in found.taken] == [kind]
    assert secret not in str(found.result)
    assert str(found.result).startswith(text[:8])


def test_a_secret_may_be_a_name_and_a_member_of_aws_has_no_mark() -> None:
    """A member's name is a text, too; two that become one name are both kept."""
    first, second = (each for _, each in WHOLE[4:6])
    found = filtered({first: 1, second: 2, "SecretAccessKey": "w" * 40}, MASKING)

    mask = "[masked: aws-key]"
    assert found.result == {mask: 1, mask + "'": 2, "SecretAccessKey": "[masked: aws-secret]"}
    assert {each.path for each in found.taken} == {"/*"}


@pytest.mark.proves("output.ordinary")
@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_stay(text: str) -> None:
    """What only begins like a secret is none."""
    assert filtered(text, MASKING).result is text


@pytest.mark.proves("output.ordinary")
@given(results, rules)
@settings(max_examples=200)
def test_what_nothing_is_found_in_is_the_same_object(result: JsonValue, rule: Output) -> None:
    """Nothing taken, nothing made anew; something taken, and something is another."""
    found = filtered(result, rule)

    assert (found.result is result) == (not found.taken)


@pytest.mark.proves("output.again")
@given(results, rules)
@settings(max_examples=300)
def test_filtering_again_finds_nothing(result: JsonValue, rule: Output) -> None:
    """What was filtered passes unchanged: a repeat gives the same answer."""
    once = filtered(result, rule)

    assert filtered(once.result, rule).result is once.result


@given(texts)
@settings(max_examples=200)
def test_the_quick_look_misses_nothing(text: str) -> None:
    """Where the marks are missing the pattern finds nothing either."""
    found: list[str] = []
    without_secrets(text, found.append)

    assert may_hold_secrets(text.encode("utf-8", "surrogatepass")) or not found


@pytest.mark.proves("output.personal")
@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [
        ("email", ("ana.b+c@mail.example.co.uk", "jörg@bücher.example"), ("ana@localhost", "@ana", "a@b.1")),
        ("phone", ("+4930901820", "+1 (415) 555-0123"), ("+0301234567", "4930901820", "+12", "1+4930901820")),
        (
            "iban",
            ("DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"),
            ("DE89370400440532013001", "ZZ89370400440532013000"),
        ),
        ("card", ("4111111111111111", "5500-0000-0000-0004"), ("4111111111111112", "1111111111111117", "41111111")),
        ("ip", ("10.0.0.1", "2001:db8::7", "::1"), ("256.1.1.1", "1.2.3.4.5", "12:30:45", "std::vec")),
    ],
)
def test_personal_data_is_masked_by_kind(kind: Personal, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    """Only the kinds opted into, and only what its check digits or its grammar confirm."""
    rule = Output(personal=(kind,))
    for each in yes:
        assert filtered(f"to {each}, please", rule).result == f"to [masked: {kind}], please", each
        assert filtered(each, MASKING).result is each
    for each in no:
        assert filtered(each, rule).taken == (), each


def test_words_behind_an_iban_stay_and_a_number_can_be_a_card() -> None:
    """An IBAN is as long as its country says; a card may be a whole number."""
    found = filtered(["DE89370400440532013000 PAID TODAY", 4111111111111111, 4111111111111112], EVERYTHING)

    assert found.result == ["[masked: iban] PAID TODAY", "[masked: card]", 4111111111111112]


@pytest.mark.proves("output.fields")
def test_members_are_dropped_and_masked_by_name() -> None:
    """By dotted path, through lists, `*` for any name; text says that it is masked, anything else is null."""
    rule = Output(drop=("internal",), mask=("rows.phone", "rows.who.*"))
    rows: JsonValue = [{"phone": "1", "who": {"a": 1, "b": "x"}, "n": 1}, {"phone": 2, "internal": 3}]
    found = filtered({"internal": {"a": 1}, "rows": rows}, rule, frozenset({"rows", "phone", "who", "internal"}))

    mask = "[masked: field]"
    assert found.result == {
        "rows": [{"phone": mask, "who": {"a": None, "b": mask}, "n": 1}, {"phone": None, "internal": 3}]
    }
    assert list(in_words(found.taken)) == [
        "dropped at /internal",
        "field at /rows/*/phone (2 places)",
        "field at /rows/*/who/* (2 places)",
    ]


@pytest.mark.proves("output.refused")
def test_a_result_with_a_secret_can_be_refused_whole() -> None:
    """Nothing of it is given; what was found is said."""
    found = filtered({"a": 1, "b": WHOLE[4][1]}, Output(secrets="refuse"), frozenset({"b"}))

    assert (found.result, found.withheld, found.taken) == (None, True, (Taken(path="/b", kind="aws-key"),))
    assert filtered({"a": 1}, Output(secrets="refuse")).withheld is False
    kept: JsonValue = {"b": WHOLE[4][1]}
    assert filtered(kept, Output(secrets="keep")).result is kept


@pytest.mark.parametrize(
    "result", ["\ud800", {"a": object()}, float("nan") and [object()], ["x" * 9_000_000], [[]] * 0 or None]
)
def test_what_cannot_be_looked_through_is_withheld(result: Any) -> None:
    """No JSON, or too long: the agent gets nothing. Nothing at all is nothing."""
    found = filtered(result, MASKING)

    assert found.withheld is (result is not None)
    assert found.result is None


def test_a_result_nested_too_deep_is_withheld() -> None:
    """65 levels are one too many, whatever stands at the bottom."""
    deep: JsonValue = WHOLE[4][1]
    for _ in range(66):
        deep = [deep]

    assert filtered(deep, MASKING).withheld
    bottomless: JsonValue = []
    for _ in range(100_000):
        bottomless = [bottomless]
    assert filtered(bottomless, MASKING).withheld


def test_places_of_unknown_names_are_not_told_and_are_bounded() -> None:
    """Names out of a result may be secrets or persons: only the contract's own are said, and so many kinds of place."""
    many: JsonValue = {f"n{each}": {"x": WHOLE[4][1]} for each in range(200)}

    assert filtered(many, MASKING).taken == (Taken(path="/*/*", kind="aws-key", places=200),)
    known = frozenset({f"n{each}" for each in range(200)})
    assert len(filtered(many, MASKING, known).taken) == MAX_TAKEN + 1


HOSTILE = (
    "eyJ", "eyJ.", "\\neyJ", "eyJaaaaaaaaa.aaaa", "://a:", "bearer ", "bearer a", "AKIA", "sk-ant-", "ghp_", "secretaccesskey",
    "xoxb-", "hooks.slack.com/services/", "-----BEGIN PRIVATE KEY", "-----BEGIN PRIVATE KEY-----", "-", "a@", "a.", "+1", "AA00",
    "4111 ", "1.1.", "::", "1:", "GB82A", "Authorization: ",
)  # fmt: skip


@pytest.mark.proves("output.linear")
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_time_in_its_length(piece: str) -> None:
    """Eight times the text takes about eight times as long, never sixty-four times."""

    def spent(size: int) -> float:
        text = "PRIVATE bearer :// @ " + piece * (size // len(piece))
        began = time.process_time()
        filtered(text, EVERYTHING)
        return time.process_time() - began

    short = max(min(spent(8_000) for _ in range(3)), 0.0005)

    assert spent(64_000) < 30 * short


# -- what a contract may say --------------------------------------------------------------------------------------------


def saying(rule: Output, **schema: Any) -> Contract:
    """A contract that says this of its result, if it holds."""
    return checked(contract(output=rule, output_schema=schema))


@pytest.mark.proves("output.named")
def test_a_rule_names_only_what_the_result_has() -> None:
    """A misspelt member is refused with its place; through lists, references and alternatives names are found."""
    row = {"type": "object", "properties": {"phone": {"type": "string"}}}
    schema: dict[str, Any] = {
        "anyOf": [{"$ref": "#/$defs/page"}, {"type": "null"}],
        "$defs": {
            "page": {
                "type": "object",
                "properties": {"rows": {"type": "array", "items": row}, "any": {"type": "object"}},
            }
        },
    }
    saying(Output(mask=("rows.phone", "rows.*", "any.thing"), drop=("rows",)), **schema)
    saying(Output(drop=("whatever",)))

    for rule, path in (
        (Output(mask=("rows.fone",)), "/output/mask/0"),
        (Output(drop=("rows", "row")), "/output/drop/1"),
    ):
        with pytest.raises(ContractError, match="no result has a member") as caught:
            saying(rule, **schema)
        assert caught.value.path == path
    with pytest.raises(ContractError, match="dotted path"):
        saying(Output(drop=("a..b",)))
    with pytest.raises(ContractError, match="both drops and masks"):
        saying(Output(drop=("a",), mask=("a",)))


def test_a_contract_that_says_nothing_keeps_its_digest() -> None:
    """The rule is a new promise: contracts without it are the ones they were."""
    assert b'"output":' not in str(contract().digest).encode()
    assert contract().digest != contract(output=Output()).digest
