"""Which records a task may touch: typed, a closed world, and no path out of a folder."""

import posixpath
import unicodedata
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.canonical import JsonValue
from interlock.domain.selector import Ids, Selector, SelectorError, narrower, touched
from interlock.testing.world import contract

MINE = Selector(
    records={"customer": ("c-17", 4, 1), "folder": ("/invoices/2026/*", "/terms.pdf"), "note": ("*",), "till": ()}
)


@pytest.mark.proves("task.data")
@pytest.mark.parametrize(
    ("kind", "value", "allowed"),
    [
        ("customer", "c-17", True),
        ("customer", "C-17", False),
        ("customer", "c-170", False),
        ("customer", 4, True),
        ("customer", "4", False),
        ("customer", 1, True),
        ("customer", True, False),
        ("customer", ["c-17", 4], True),
        ("customer", ["c-17", "c-18"], False),
        ("customer", [["c-17"]], False),
        ("customer", {"id": "c-17"}, False),
        ("customer", None, False),
        ("customer", [], False),
        ("order", "o-1", False),
        ("till", "t-1", False),
        ("note", "whatever", True),
        ("note", None, False),
        ("note", 1.0, False),
        ("folder", "/terms.pdf", True),
        ("folder", "/terms.pdf/x", False),
    ],
)
def test_only_what_is_named_is_touched(kind: str, value: JsonValue, *, allowed: bool) -> None:
    """A kind or record that is not named, or a record that is not said, is refused; compared by type, and nothing is repeated."""
    words = MINE.admits({kind: value})

    assert (words is None) is allowed
    assert words is None or "c-17" not in words


@pytest.mark.proves("task.folders")
@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("/invoices/2026/1.pdf", True),
        ("/invoices/2026/march/1.pdf", True),
        ("/invoices/2026/march/", True),
        ("/invoices/2026/100%.pdf", True),
        ("/invoices/2026/a%20b.pdf", True),
        ("/invoices/2026/.hidden", True),
        ("/invoices/2026/r\u00e9sum\u00e9.pdf", True),
        ("/invoices/2026", False),
        ("/invoices/2026/", False),
        ("/invoices/20266/1.pdf", False),
        ("/Invoices/2026/1.pdf", False),
        ("invoices/2026/1.pdf", False),
        ("/invoices/2026/../2025/1.pdf", False),
        ("/invoices/2026/..", False),
        ("/invoices/2026/./1.pdf", False),
        ("/invoices/2026//etc/passwd", False),
        ("/invoices/2026/..\\2025", False),
        ("/invoices/2026/%2e%2e/2025/1.pdf", False),
        ("/invoices/2026/%252e%252e/2025", False),
        ("/invoices/2026/%25252525252e%25252525252e/2025", False),
        ("/invoices/2026/%c0%ae%c0%ae/2025", False),
        ("/invoices/2026/..%2f2025", False),
        ("/invoices/2026/..%5c2025", False),
        ("/invoices/2026/\uff0e\uff0e/2025", False),
        ("/invoices/2026/\u2025/2025", False),
        ("/invoices/2026/..\uff0f2025", False),
        ("/invoices/2026/.. /2025", False),
        ("/invoices/2026/1.pdf\x00.png", False),
        ("/invoices/2026/1\u200b.pdf", False),
        ("/invoices/2026/1\n.pdf", False),
    ],
)
def test_a_path_below_a_folder_however_it_is_read(path: str, *, below: bool) -> None:
    """Steps up, empty parts, backslashes and what no eye sees are in no folder, percent-encoded or in other scripts either."""
    assert (MINE.admits({"folder": path}) is None) is below


_PIECES = st.lists(
    st.sampled_from(
        ["a", "2026", ".", "..", "...", "", " ", "%2e", "%2E%2e", "%2f", "%5c", "\\", "\uff0e", "\uff0f", "%252e"]
    ),
    max_size=6,
)


@pytest.mark.proves("task.folders")
@given(pieces=_PIECES, glue=st.sampled_from(["/", "%2f", "", "\uff0f"]))
def test_no_reading_of_what_is_admitted_leads_out(pieces: list[str], glue: str) -> None:
    """Whatever is put behind a folder and admitted stays in it, decoded as often, normalised and resolved in whatever order."""
    path = "/safe/" + glue.join(pieces)
    if Selector(records={"f": ("/safe/*",)}).admits({"f": path}) is not None:
        return

    for _ in range(4):
        for each in (path, unicodedata.normalize("NFKC", path), path.replace("\\", "/")):
            assert posixpath.normpath(each).startswith("/safe/")
        path = unquote(unicodedata.normalize("NFKC", path))
    assert quote(path)


@pytest.mark.parametrize(
    "records",
    [
        {"f": ("ORD-*",)},
        {"f": ("/a/*/b",)},
        {"f": ("/a/../*",)},
        {"f": ("/a//*",)},
        {"f": ("a\\b/*",)},
        {"f": ("",)},
        {"f": ("x" * 600,)},
        {"f": (True,)},
        {"f": (1.5,)},
        {"f": (2**60,)},
        {"f": ("a\x00b",)},
        {"": ("a",)},
        {"f": tuple(f"c-{n}" for n in range(200))},
        {f"k{n}": ("a",) for n in range(40)},
    ],
)
def test_what_is_no_selector(records: dict[str, Ids]) -> None:
    """Patterns, paths that are none, numbers that are no ids, and more than we would hold are refused when they are read."""
    with pytest.raises(SelectorError):
        Selector(records=records)


def test_a_list_too_long_to_be_held_against_it() -> None:
    """One action names at most a thousand records of a kind."""
    many = [f"n-{n}" for n in range(1_001)]

    assert MINE.admits({"note": list[JsonValue](many[:-1])}) is None
    assert MINE.admits({"note": list[JsonValue](many)}) == "it touches more than 1000 of `note` at once"


_IDS: tuple[str | int, ...] = ("a", "b", 1, "1", "*", "/x/*", "/x/y/*", "/x/y", "/x/y/z", "/x/yy", "/*", "x/*")
_SELECTORS = st.builds(
    lambda records: Selector(records={kind: tuple(ids) for kind, ids in records.items()}),
    st.dictionaries(st.sampled_from(["k", "l"]), st.lists(st.sampled_from(_IDS), max_size=3), max_size=2),
)
_TOUCHED = st.dictionaries(
    st.sampled_from(["k", "l"]),
    st.sampled_from(
        ["a", "b", 1, "1", True, "/x/y", "/x/y/z", "/x/y/../z", "/z", "x/y", None, ["a", "b"], ["/x/y/z", 1]]
    ),
    max_size=2,
)


@pytest.mark.proves("task.narrower")
@given(child=_SELECTORS, parent=_SELECTORS, touches=_TOUCHED)
def test_what_is_narrower_touches_nothing_more(
    child: Selector, parent: Selector, touches: dict[str, JsonValue]
) -> None:
    """For all selectors: what one found narrower allows, the other allows."""
    if narrower(child, parent) is None and child.admits(touches) is None:
        assert parent.admits(touches) is None


@given(one=_SELECTORS)
def test_a_selector_is_within_itself(one: Selector) -> None:
    """What is unchanged is always found narrow enough."""
    assert narrower(one, one) is None


def test_what_an_action_touches() -> None:
    """By kind what stands in its bound arguments; None where none does."""
    made = contract(touches={"thing": "$args.n"})

    assert touched(made, {"n": 5}) == {"thing": 5}
    assert touched(made, {}) == {"thing": None}
