"""`rights.yaml`: what whoever a task is for may lend, read or refused with its place."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.nodes import Table, parse
from interlock.adapters.workspace.problem import Problems
from interlock.adapters.workspace.rights_file import read_rights
from interlock.domain.canonical import JsonValue
from interlock.domain.grant import NOTHING
from interlock.domain.rights import Rights
from tests.adapters.workspace_files import Files, edited, problems, read

SEND = "mail.send: {to: anything, text: anything, copies: {constraint_type: range, max: 5}}"


ONLY = "{mail_id: {constraint_type: exact, value: %s}, why: {constraint_type: exact, value: %s}}"


def test_what_it_says_is_read(tmp_path: Path) -> None:
    """Names, roles and kinds, each with every argument of every tool; `nothing` is all that a name may lend."""
    text = f"role:lead: {{{SEND}}}\nuser:ana: nothing\ncustomer:*: {{mail.recall: anything}}\n"

    workspace = read(tmp_path, {"rights.yaml": text})

    rights = workspace.rights
    assert rights is not None
    assert not problems(tmp_path, {"rights.yaml": text})
    assert rights.initiators["user:ana"] == NOTHING
    assert rights.initiators["customer:*"].admits("mail.recall", {"mail_id": "m", "why": "w"}) is None
    sent: dict[str, JsonValue] = {"to": "a@b", "text": "x", "copies": 6}
    assert rights.roles["lead"].admits("mail.send", sent) == "`copies` of `mail.send` must be a whole number at most 5"


def test_without_the_file_nothing_is_said(tmp_path: Path) -> None:
    """No file is no rights, and a file that names nobody gives nobody any."""
    assert read(tmp_path).rights is None
    assert read(tmp_path, {"rights.yaml": "{}\n"}).rights == Rights()
    assert [str(each) for each in problems(tmp_path, {"rights.yaml": "{}\n"})] == [
        "rights.yaml:1:1: warning: nobody is named, so nobody may lend anything"
    ]


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", (1, 1), "the file must be a table of fields"),
        ("ana: nothing\n", (1, 6), "`ana` is nobody: `user:NAME`"),
        ("user:ana: nothing\nuser:Ana: nothing\n", (2, 11), "`user:Ana` and `user:ana` are one"),
        ("role:*: nothing\n", (1, 9), "`role:*` is nobody"),
        ("user:a b: nothing\n", (1, 11), "`user:a b` is nobody"),
        ("user:an*: nothing\n", (1, 11), "`user:an*` is nobody"),
        ("user:ana: anything\n", (1, 11), "must be a table of tools, or `nothing`"),
        ("user:ana: {}\n", (1, 11), "must be a table of tools, or `nothing`"),
        ("user:ana: [mail.send]\n", (1, 11), "must be a table of tools, or `nothing`"),
        ("user:ana:\n", (1, 10), "`user:ana` is empty"),
        ("user:ana: {mail.send: {}}\n", (1, 23), "must be a table of its arguments, or `anything`"),
        ("user:ana: {mail.send: yes}\n", (1, 23), "must be a table of its arguments, or `anything`"),
        ("user:ana: {mail.send: {to: a@b}}\n", (1, 28), "`to` must be a constraint such as"),
        ("user:ana: {mail.send: {to: {constraint_type: regex}}}\n", (1, 28), "there are `exact`, `range`, `one_of`"),
        ("user:ana: {mail.send: {to: {constraint_type: range}}}\n", (1, 28), "a range without a bound"),
        ("user:ana: {mail.send: {to: {max: 5}}}\n", (1, 28), "`to`: no constraint of ours"),
        ("user:ana: {mail.send: {to: {constraint_type: range, max: 5.0}}}\n", (1, 58), "a number must be an integer"),
        ("user:ana: nothing\nuser:ana: nothing\n", (2, 1), "`user:ana` is written twice"),
        (f"user:ana: {{{SEND.replace('send', 'sned')}}}\n", (1, 12), "there is no contract `mail.sned`; did you mean"),
        (f"user:ana: {{{SEND.replace('copies', 'copy')}}}\n", (1, 12), "`mail.send` takes no `copy`; did you mean"),
        (
            "user:ana: {mail.send: {to: anything, text: anything}}\n",
            (1, 12),
            "takes `copies` too, and what may be lent",
        ),
        ("role:laed: nothing\n", (1, 1), "nobody holds `laed`; did you mean `lead`?"),
        ("user:anna: nothing\n", (1, 1), "`anna` is nobody in people.yaml; did you mean `ana`?"),
        (
            f"role:lead: {{mail.recall: {ONLY % (1, 2)}}}\nrole:reviewer: {{mail.recall: {ONLY % (3, 4)}}}\n",
            (1, 1),
            "the roles of `ana` may each lend `mail.recall` with something else, which cannot be said as one",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, place: tuple[int, int], says: str) -> None:
    """Line and column, and what to write instead where that can be guessed; nothing is taken for more than it says."""
    found = problems(tmp_path, {"rights.yaml": text})

    assert [(each.file, each.line, each.column) for each in found[:1]] == [("rights.yaml", *place)]
    assert any(says in each.message for each in found)


def test_arguments_that_may_be_left_out(tmp_path: Path) -> None:
    """One without a default is lent only where it is named."""
    rights: Files = {"rights.yaml": "user:ana: {mail.recall: {mail_id: anything}}\n"}

    assert not problems(tmp_path, rights)


def test_a_contract_that_touches_nothing_says_so(tmp_path: Path) -> None:
    """`touches: nothing` is a statement; beside records it is refused, and another word is no table."""
    said = edited("contracts/recall.yaml", "effect: external", "touches: nothing\neffect: external")
    [recall] = [each for each in read(tmp_path, said).contracts if each.name == "mail.recall"]
    assert recall.touches_nothing
    assert not recall.touches

    wrong = edited("contracts/recall.yaml", "effect: external", "touches: none\neffect: external")
    assert "`touches` must be a table of fields" in problems(tmp_path, wrong)[0].message


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    text=st.text(max_size=80)
    | st.from_regex(r"(user|role|x):[a-z*]{0,3}: \{?[a-z.]{0,4}:? ?(anything|nothing|\{[a-z:, ]{0,20}\})\}?\n")
)
def test_whatever_it_holds_it_is_read_or_refused(text: str) -> None:
    """No text makes the reader raise, and what it noted a problem in gives nobody more than it says."""
    found = Problems("rights.yaml")
    node = parse(text.encode(errors="replace"), found)
    if isinstance(node, Table):
        rights = read_rights(Section(node, "rights.yaml", found), {})
        assert set(rights.initiators) | {f"role:{each}" for each in rights.roles} <= set(node.entries)
