"""Keys of people and keys of agents are told alike."""

import pytest

from interlock.cli.secret_key import id_in, standing, words_in

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("text", [ID, f"il_{ID}", f"ila_{ID}", f"il_{ID}.{'0' * 64}", f"ila_{ID}.{'0' * 64}"])
def test_a_key_is_named_by_its_id_or_by_all_of_it(text: str) -> None:
    """Of whichever kind it is, and however much of it was pasted, what is looked for is its id."""
    assert id_in(text) == ID


def test_how_a_key_stands() -> None:
    """Revoked comes before over, and what counts says nothing."""
    assert [standing(at, counts=counts) for at, counts in ((1, True), (1, False), (None, False), (None, True))] == [
        "[red]revoked[/red]",
        "[red]revoked[/red]",
        "[dim]over[/dim]",
        "",
    ]


def test_words_by_commas() -> None:
    """Empty ones and the space around them are none."""
    assert words_in(" mcp, ,models,") == ("mcp", "models")
