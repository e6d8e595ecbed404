"""One policy of a file is changed, and not a byte of anything else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.cedar.editing import Found, dropped, policies_in, promoted
from interlock.adapters.workspace.candidate_file import candidate_file
from interlock.domain.errors import IllegalMove, NotFound, WorkspaceError

HEAD = "// About prices.\n\n"
FIRST = '// Dear ones.\n@id("a") @owner("o")\npermit(principal, action, resource);\n'
TRIED = (
    '// Cheap ones,\n// on trial.\n@id("b") // its name\n@owner("o")\n@mode("shadow")\n@outcome("deny") @reason("; @mode")\n'
    "forbid(principal, action, resource) when { context.args.n < 1 };  // end\n"
)
LAST = '@id("c") @owner("o") permit(principal, action, resource);'


OTHER = '@id("b") @mode("shadow") @owner("o") permit(principal, action, resource);'


def one(text: str, name: str) -> Found:
    """The policy of that id."""
    return next(each for each in policies_in(text) if each.name == name)


@pytest.mark.proves("policy.promoted_alone")
def test_promoting_takes_the_line_of_the_mode_away() -> None:
    """Where the annotation has a line of its own, the line goes with it."""
    text = HEAD + FIRST + "\n" + TRIED + "\n" + LAST

    assert promoted(text, one(text, "b")) == text.replace('@mode("shadow")\n', "")


@pytest.mark.proves("policy.promoted_alone")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('@id("b") @mode("shadow") @owner("o")', '@id("b") @owner("o")'),
        ('@mode("shadow") @id("b") @owner("o")', '@id("b") @owner("o")'),
        ('@id("b") @owner("o") @mode("shadow")', '@id("b") @owner("o")'),
        ('@id("b")\n  @mode ( "shadow" )   @owner("o")', '@id("b")\n  @owner("o")'),
        ('@id("b") @owner("o")\n@mode("shadow")  // tried\n', '@id("b") @owner("o")\n// tried\n'),
        ('@id("b") @owner("o")\r\n@mode("shadow")\r\n', '@id("b") @owner("o")\r\n'),
        ('@id("b") @owner("the @mode(\\"shadow\\")")@mode("shadow")', '@id("b") @owner("the @mode(\\"shadow\\")")'),
    ],
)
def test_promoting_wherever_the_mode_stands(before: str, after: str) -> None:
    """First, last, in between, spread out, before a comment, with other line ends: it goes, all else stays."""
    rest = "\npermit(principal, action, resource);\n" + LAST

    assert promoted(before + rest, one(before + rest, "b")) == after + rest


@pytest.mark.proves("policy.promoted_alone")
def test_dropping_takes_its_comments_along() -> None:
    """The comment right above and the one behind go with the policy; of the blank lines around it one stays."""
    text = HEAD + FIRST + "\n" + TRIED + "\n" + LAST

    assert dropped(text, one(text, "b")) == HEAD + FIRST + "\n" + LAST


@pytest.mark.proves("policy.promoted_alone")
@pytest.mark.parametrize(
    ("text", "left"),
    [
        (TRIED, ""),
        (HEAD + TRIED, HEAD),
        (LAST + "\n" + TRIED, LAST + "\n"),
        (LAST + " " + TRIED, LAST + " // Cheap ones,\n"),
        (LAST + " " + OTHER + "  // end\n", LAST + " // end\n"),
        ('@id("b") @owner("o") permit(principal, action, resource); ' + LAST, LAST),
        ("// not its own\n\n" + TRIED + FIRST, "// not its own\n\n" + FIRST),
        (LAST.replace('"o"', '"o\n// no comment"') + "\n" + TRIED, LAST.replace('"o"', '"o\n// no comment"') + "\n"),
    ],
)
def test_dropping_wherever_it_stands(text: str, left: str) -> None:
    """Alone, under a heading, last, beside another on its line, and below a string that looks like a comment."""
    assert dropped(text, one(text, "b")) == left


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["", "\n", "// c\n", "// c\n\n", "  ", "\n\n", "// ; @id\n// d\n"]),
        st.booleans(),
        st.sampled_from(["", " ", "\n", "\r\n", "\n\n", "  // behind\n"]),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.proves("policy.promoted_alone")
@given(PIECES, st.data())
def test_the_others_stay_word_for_word(pieces: list[tuple[str, bool, str]], data: st.DataObject) -> None:
    """Whatever stands around it, every other policy stays as it is, in its order, and the changed one is what was asked."""
    text = ""
    for number, (before, tried, after) in enumerate(pieces):
        mode = '@mode("shadow") ' if tried else ""
        text += f'{before}@id("p{number}") {mode}@owner("o")\npermit(principal, action, resource);{after}'
    found = list(policies_in(text))
    words = {each.name: text[each.start : each.end] for each in found}
    tried_ones = [each for each in found if each.tried]
    if not tried_ones:
        return
    chosen = data.draw(st.sampled_from(tried_ones))

    up, away = promoted(text, chosen), dropped(text, chosen)

    after_up = {each.name: (up[each.start : each.end], each.tried) for each in policies_in(up)}
    assert after_up == {
        name: (body.replace('@mode("shadow") ', "") if name == chosen.name else body, each.tried and each is not chosen)
        for (name, body), each in zip(words.items(), found, strict=True)
    }
    assert [each.name for each in policies_in(away)] == [each.name for each in found if each is not chosen]
    assert {each.name: away[each.start : each.end] for each in policies_in(away)} == {
        name: body for name, body in words.items() if name != chosen.name
    }


def workspace(tmp_path: Path, **files: bytes) -> Path:
    """A folder with policies."""
    (tmp_path / "policies").mkdir()
    for name, data in files.items():
        (tmp_path / "policies" / f"{name}.cedar").write_bytes(data)
    return tmp_path


def test_a_file_keeps_its_bytes(tmp_path: Path) -> None:
    """A byte order mark and line ends of another system stay; so does the file's mode."""
    data = b"\xef\xbb\xbf" + (TRIED + FIRST).replace("\n", "\r\n").encode()
    folder = workspace(tmp_path, p=data)
    path = folder / "policies" / "p.cedar"
    path.chmod(0o640)

    candidate_file(folder, "b").promote()

    assert path.read_bytes() == data.replace(b'@mode("shadow")\r\n', b"")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in path.parent.iterdir()] == ["p.cedar"]


def test_who_changed_the_file_is_not_overwritten(tmp_path: Path) -> None:
    """A file that changed since it was read is left as it is."""
    folder = workspace(tmp_path, p=TRIED.encode())
    found = candidate_file(folder, "b")
    path = folder / "policies" / "p.cedar"
    path.write_text(TRIED + FIRST)

    with pytest.raises(WorkspaceError, match="changed"):
        found.drop()

    assert path.read_text() == TRIED + FIRST


def test_what_is_no_candidate_is_refused(tmp_path: Path) -> None:
    """No such policy, one that is enforced, and one that is there twice: each says so, and nothing is written."""
    folder = workspace(tmp_path, p=(TRIED + FIRST).encode(), q=LAST.encode())

    with pytest.raises(NotFound) as unknown:
        candidate_file(folder, "bb")
    with pytest.raises(IllegalMove, match="is enforced"):
        candidate_file(folder, "a")
    (folder / "policies" / "r.cedar").write_text(TRIED)
    with pytest.raises(WorkspaceError, match=r"there is another `b` in policies/r\.cedar:3"):
        candidate_file(folder, "b")

    assert "did you mean `b`" in unknown.value.next_step
