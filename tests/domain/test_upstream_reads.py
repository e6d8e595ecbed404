"""What of a server may be had beside its tools."""

import pytest

from interlock.domain.contract import checked
from interlock.domain.upstream import Server, Stdio
from interlock.domain.upstream_reads import as_it_came, beside_tools, passes, recorded

PATTERNS = ("notes://a/*", "file:///srv/x?.txt")


@pytest.mark.parametrize(
    ("uri", "through"),
    [
        ("notes://a/b", True),
        ("notes://a/b/c", True),
        ("file:///srv/x1.txt", True),
        ("file:///srv/x12.txt", False),
        ("notes://b/a", False),
        ("notes://a/../b", False),
        ("notes://a/%2e%2e/b", False),
        ("notes://a/%252e%252e/b", False),
        ("notes://a/..\\b", False),
        ("notes://a/b..c", True),
        ("notes://a/\n", False),
        ("", False),
    ],
)
def test_only_what_its_file_names_passes(uri: str, through: bool) -> None:
    """An address fits a pattern, and cannot be read as another one."""
    assert passes(uri, PATTERNS) is through


def test_nothing_is_there_that_nobody_let_pass() -> None:
    """A server whose file says nothing has nothing beside its tools; one that says all has five contracts, all of which hold."""
    way = Stdio(command=("x",))
    assert beside_tools(Server(name="s", way=way)) == ()
    all_ = Server(name="s", way=way, resources=PATTERNS, prompts=("p",), sampling="ask", elicitation="ask", roots="ask")
    made = [checked(each) for each in beside_tools(all_, "platform")]
    assert [each.name for each in made] == ["s.read_resource", "s.get_prompt", "s.sample", "s.elicit", "s.roots"]
    assert {each.effect for each in made} == {"read"}
    reads = made[0].takes
    assert reads.is_valid({"uri": "notes://a/b"})
    assert not reads.is_valid({"uri": "notes://b/b"})
    assert not reads.is_valid({"uri": "xnotes://a/b"})


def test_what_is_recorded_leads_back() -> None:
    """What a server gave is kept with a canonical form, and given back as it came."""
    said = {"contents": [{"uri": "a", "text": "b", "_meta": {"x": 0.25, "n": 2**70}}]}
    assert as_it_came(recorded(said)) == said
    assert as_it_came(None) == {}
