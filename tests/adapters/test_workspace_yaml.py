"""YAML as a workspace has it: values or problems, whatever the bytes, in bounded time."""

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from interlock.adapters.workspace import nodes
from interlock.adapters.workspace.fields import json_of
from interlock.adapters.workspace.nodes import MAX_BYTES, MAX_DEPTH, MAX_NODES, Inexact, Scalar, parse, value_of
from interlock.adapters.workspace.problem import MOST_PROBLEMS, Problem, Problems


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's readers must do: which one a machine has is no business of a workspace."""
    if request.param == "libyaml" and not yaml.__with_libyaml__:
        pytest.skip("this machine has no libyaml")
    monkeypatch.setattr(nodes, "_LOADER", yaml.CBaseLoader if request.param == "libyaml" else yaml.BaseLoader)


def read(text: str | bytes) -> tuple[Any, list[Problem]]:
    """What a text means as JSON, and what is wrong with it."""
    problems = Problems("f.yaml")
    node = parse(text.encode() if isinstance(text, str) else text, problems)
    return (None if node is None else json_of(node, problems)), problems.found


def only(text: str | bytes) -> Problem:
    """The one thing that is wrong."""
    _, problems = read(text)
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("NULL", None),
        ("null", None),
        ("~", None),
        ("nULL", "nULL"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("'true'", "true"),
        ('"5"', "5"),
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("2026-01-02", "2026-01-02"),
        ("\u0665", "\u0665"),
        ("|\n  5\n", "5\n"),
        ("=", "="),
        ("[a, 5, {b: ~}]", ["a", 5, {"b": None}]),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
    ],
)
def test_scalars_are_read_by_the_core_schema(text: str, value: Any) -> None:
    """`no` is a word, `12:30` is no number of seconds, a date is text: YAML 1.2, not 1.1."""
    assert read(text) == (value, [])


@pytest.mark.parametrize("text", ["1.5", ".5", "1.", "1e3", "-1.5E-3", ".inf", "-.Inf", ".nan", "1" * 40, str(2**53)])
def test_numbers_without_an_exact_form_are_refused(text: str) -> None:
    """A float, infinity, and an integer that JSON programs do not agree on are problems where they stand."""
    problem = only(f"a: {text}")

    assert (problem.line, problem.column) == (1, 4)
    assert "integer" in problem.message


@pytest.mark.proves("workspace.every_problem_with_its_place")
@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "`a` is written twice; first in line 1"),
        ("a:\n  - {x: 1, x: 2}\n", 2, 12, "written twice"),
        ("a: &x 1\n", 1, 4, "anchor `&x`"),
        ("a: !!str 1\n", 1, 4, "tag"),
        ("a: !python/object/apply:os.system [ls]\n", 1, 4, "tag"),
        ("a: ! 1\n", 1, 4, "tag"),
        ("? [a, b]\n: 1\n", 1, 3, "must be a word"),
        ("? {a: 1}\n: 1\n", 1, 3, "must be a word"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("a: [1\nb: 2\n", 2, 1, "not YAML"),
        ("a: 'x\n", 2, 1, "not YAML"),
        ("a:\n\tb: 1\n", 2, 1, "not YAML"),
        ("a: b: c\n", 1, 5, "not YAML"),
        ("a: @x\n", 1, 4, "not YAML"),
        ("a: \x00\n", 1, 4, "U+0000"),
        ("a: b\nc: \x1b[31m\n", 2, 4, "U+001B"),
        ("\u00e4: 1\n", 1, 1, "printable ASCII"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_column(text: str, line: int, column: int, says: str) -> None:
    """Repeated names, anchors, tags, second documents and plain mistakes are found where they are."""
    problem = only(text)

    assert says in problem.message
    assert abs(problem.line - line) <= ("not YAML" in says)  # the two readers notice an open end a line apart
    assert problem.column == column or "not YAML" in says


def test_half_a_character_is_refused() -> None:
    """An escape that UTF-8 cannot write would break every digest it comes into."""
    problem = only('a: "\\ud800"\n')

    assert problem.line == 1
    assert "escape" in problem.message


def test_an_alias_is_not_followed() -> None:
    """Aliases are refused, each where it stands, so a small file stays a small value."""
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"

    value, problems = read(bomb)

    assert [problem.line for problem in problems] == [1, 2, 2, 2, 3, 3]
    assert value == {"a": ["x", "x"], "b": [None, None], "c": [None, None]}


def test_all_of_a_files_problems_are_found() -> None:
    """One reading finds every repeated name, not only the first."""
    _, problems = read("a: 1\na: 2\nb: 1\nb: 2\nc: {d: 1, d: 2}\n")

    assert [problem.line for problem in problems] == [2, 4, 5]


def test_problems_nobody_would_read_are_not_collected() -> None:
    """A file that is wrong throughout is given up on."""
    _, problems = read("\n".join(["a: 1"] * 5_000))

    assert len(problems) == MOST_PROBLEMS


def test_bytes_that_are_no_text_are_refused_where_they_begin() -> None:
    """A file in another encoding says so, with line and column of the first byte that is not UTF-8."""
    problem = only(b"a: 1\nb: \xff\xfe\n")

    assert (problem.line, problem.column) == (2, 4)
    assert "UTF-8" in problem.message


def test_a_byte_order_mark_is_no_trouble() -> None:
    """Editors that begin files with one may."""
    assert read(b"\xef\xbb\xbfa: 1\n") == ({"a": 1}, [])


def test_nothing_is_nothing() -> None:
    """An empty file, and one of comments, hold no value and no problem."""
    for text in ("", "# only a comment\n", "---\n"):
        assert read(text)[1] == []


def test_size_is_bounded_before_anything_is_parsed() -> None:
    """A file over the limit is refused at once, however it would continue."""
    started = time.monotonic()

    problem = only(b"[" * (MAX_BYTES + 1))

    assert "KiB" in problem.message
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * MAX_BYTES,
        "{a: " * (MAX_BYTES // 4),
        "- " * (MAX_BYTES // 2),
        "? " * (MAX_BYTES // 2),
        "".join(f"{' ' * depth}a:\n" for depth in range(1_000)),
        "[" + "a," * (MAX_BYTES // 2 - 2) + "]",
        "".join(f"a{n}: 1\n" for n in range(90_000)),
        "&a " * 10,
        "'" + "x" * (MAX_BYTES - 1),
        '"' + "\\n" * (MAX_BYTES // 2 - 1) + '"',
        "a: " + "x " * (MAX_BYTES // 2 - 2),
        "#" * MAX_BYTES,
        "\n" * MAX_BYTES,
        "%YAML 1." + "9" * 10_000 + "\n---\na: 1\n",
        "%TAG ! " + "x" * 100_000 + "\n",
        "a: 9" + "9" * 1_000_000,
        'a: "\\U99999999"',
        'a: "\\UFFFFFFFF"',
    ],
    ids=lambda text: f"{text[:8]!r}.{len(text)}",
)
def test_the_worst_texts_are_read_in_bounded_time(text: str) -> None:
    """Deep, wide, long and malformed text of the full size is a value or problems within seconds."""
    started = time.monotonic()

    read(text)

    assert time.monotonic() - started < 20


def test_depth_and_number_of_nodes_are_bounded() -> None:
    """What is deeper or larger than a workspace file can mean is refused where it becomes so; just below it is read."""
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH)[1] == []
    assert "deep" in only("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).message
    assert "more than" in only("[" + "a," * MAX_NODES + "]").message


TEXTS = st.text() | st.lists(
    st.sampled_from(
        ["a", "b: ", "- ", "\n", "  ", "[", "]", "{", "}", ",", ": ", "? ", "&x ", "*x", "!t ", '"', "'", "|", ">", "#",
         "---\n", "...\n", "%YAML 1.2\n", "\\u0041", "\\", "\t", "5", "1.5", "~", "true", "<<", "\u2028", "\ufeff", "\x85"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@pytest.mark.proves("workspace.any_text_is_read")
@given(TEXTS)
@example('"\\U99999999"')
@example("%YAML " + "9" * 5_000 + ".1\n---\n")
@example("\ufeff\ufeff")
def test_any_text_is_a_value_or_problems(text: str) -> None:
    """Whatever is in the file, reading gives a value, problems or both, and raises nothing; places are in the file."""
    value, problems = read(text.encode("utf-8", "surrogatepass"))

    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 2
    assert all(problem.line <= lines and problem.message for problem in problems)
    json.dumps(value)


@pytest.mark.proves("workspace.any_text_is_read")
@given(st.binary())
def test_any_bytes_are_a_value_or_problems(data: bytes) -> None:
    """The same for bytes that are no text at all."""
    read(data)


WORDS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
"""YAML has another escape than JSON's pairs for what lies beyond."""
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(min_codepoint=32, max_codepoint=126)), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_is_yaml(value: Any) -> None:
    """Whatever exact JSON says, it says here: every JSON text is read as JSON reads it."""
    assert read(json.dumps(value)) == (value, [])


@given(st.text())
def test_every_word_means_one_thing(text: str) -> None:
    """A plain scalar is null, a boolean, an integer, an inexact number or itself; a quoted one is always itself."""
    assert value_of(Scalar(text, plain=False, line=1, column=1)) == text
    value = value_of(Scalar(text, plain=True, line=1, column=1))
    assert value is None or isinstance(value, bool | int | Inexact) or value == text
