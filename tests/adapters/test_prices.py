"""What models cost: by a list of one's own, by the installed one, and not at all."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.prices import BY
from interlock.adapters.prices_later import LaterPrices
from interlock.adapters.workspace import read_workspace
from interlock.domain.errors import NotFound
from interlock.domain.use import Price, Priced, TokenCount

pytestmark = pytest.mark.anyio
OWN = {"own": Price(input=150_000, output=600_000, cached=0), "gpt-4o": Price(input=0, output=0, cached=0)}


@pytest.fixture
def anyio_backend() -> str:
    """The list is read in a thread of asyncio's."""
    return "asyncio"


@pytest.mark.proves("use.priced")
async def test_ones_own_prices_come_before_those_that_are_installed() -> None:
    """Rounded up to a millionth, and said by which list; one that is nowhere is told with what can be done."""
    prices = LaterPrices(OWN)

    assert await prices.of("own", TokenCount(input=11, output=1, cached=1)) == Priced(
        cost=3, by="interlock.yaml: 150000/600000/0"
    )
    assert await prices.of("gpt-4o", TokenCount(input=10**6, output=0)) == Priced(
        cost=0, by="interlock.yaml: 0/0/0", model="gpt-4o"
    )
    assert await prices.of("openai:gpt-4o", TokenCount(input=1, output=0)) == Priced(cost=3, by=BY, model="gpt-4o")
    with pytest.raises(NotFound, match="no price of `nowhere` is known") as caught:
        await prices.of("nowhere", TokenCount(input=1, output=0))
    assert "`prices` of interlock.yaml" in caught.value.next_step


@pytest.mark.proves("use.priced")
async def test_an_installation_without_the_extra_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """One's own prices hold all the same."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    monkeypatch.delitem(sys.modules, "interlock.adapters.prices")
    prices = LaterPrices(OWN)

    assert (await prices.of("own", TokenCount(input=0, output=1))).cost == 1
    with pytest.raises(NotFound, match="prices are not installed") as caught:
        await prices.of("openai:gpt-4o", TokenCount(input=1, output=0))
    assert "pip install 'interlock[prices]'" in caught.value.next_step


@given(st.integers(0, 10**7), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_price_is_never_less_than_it_is_and_never_a_millionth_more(price: int, fresh: int, output: int) -> None:
    """Exact in whole numbers."""
    cost = Price(input=price, output=price, cached=0).of(TokenCount(input=fresh, output=output))

    assert 0 <= cost * 1_000_000 - (fresh + output) * price < 1_000_000


def read(folder: Path, text: str) -> tuple[dict[str, Price], list[str]]:
    """What a workspace's settings say of prices, and what is wrong with them."""
    (folder / "interlock.yaml").write_text(text, encoding="utf-8")
    workspace = read_workspace(folder)
    return workspace.settings.prices, [f"{each.line}:{each.column} {each.message}" for each in workspace.problems]


def test_prices_are_read_and_what_is_none_is_told_with_its_place(tmp_path: Path) -> None:
    """Tokens from a cache cost as much as others unless that is said."""
    good, _ = read(tmp_path, "prices: {own:small: {input: 5, output: 6}, b: {input: 5, output: 6, cached: 1}}\n")
    _, wrong = read(tmp_path, 'prices: {a: {input: 5}, "b c": {input: 1, output: -1}}\n')

    assert good == {"own:small": Price(input=5, output=6, cached=5), "b": Price(input=5, output=6, cached=1)}
    assert [each for each in wrong if "needs `output`" in each]
    assert [each for each in wrong if "`b c` is no name of a model" in each]
    assert [each for each in wrong if "`output` must be from 0" in each]
