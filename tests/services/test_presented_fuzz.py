"""Whatever a call presents, it is let in as its signatures say or refused by a code: nothing that is parsed raises."""

import asyncio
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.domain.presented import Code, Presented
from interlock.domain.proposal import Proposal
from interlock.services.admission import Admission, Admitted
from tests.services.test_admission import Forger, asked, ready

CODES = frozenset(get_args(Code))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


async def _good() -> tuple[Admission, Proposal, Presented]:
    world = await ready()
    forger, proposal = Forger(world), await asked(world)
    presented = Presented(credential=await forger.sign(), proof=forger.proof(proposal))
    door = Admission(issuer=world.issuer, tenant="t", clock=world.clock)
    assert isinstance(door.admit(msgspec.structs.replace(proposal, presented=presented)), Admitted)
    return door, proposal, presented


DOOR, PROPOSAL, GOOD = asyncio.run(_good())


@st.composite
def spoiled(draw: st.DrawFn, text: str) -> str:
    """Something else than `text`: cut, doubled, one character another, parts exchanged, or made up."""
    way = draw(st.sampled_from(("cut", "change", "insert", "parts", "json", "text")))
    place = draw(st.integers(0, len(text) - 1))
    parts = text.split(".")
    match way:
        case "cut":
            return text[:place]
        case "change":
            other = draw(st.characters(codec="utf-8"))
            return text[:place] + other + text[place + 1 :]
        case "insert":
            return text[:place] + draw(st.text(min_size=1, max_size=4)) + text[place:]
        case "parts":
            return ".".join(draw(st.lists(st.sampled_from((*parts, "", "e30", "bnVsbA")), max_size=5)))
        case "json":
            made = [msgspec.json.encode(draw(JSON)).hex() for _ in range(2)]
            return ".".join((*made, parts[2]))
        case _:
            return draw(st.text(max_size=60))


@pytest.mark.proves("identity.stolen_credential")
@settings(max_examples=400, deadline=None)
@given(spoiled(GOOD.credential), spoiled(GOOD.proof), st.lists(st.text(max_size=30), max_size=3), st.integers(0, 2))
def test_nothing_that_is_presented_raises(credential: str, proof: str, chain: list[str], which: int) -> None:
    """A credential, a proof, or both that are not as they were made, and chains of anything, are refused by a code."""
    shown = Presented(
        credential=GOOD.credential if which == 1 else credential,
        proof=GOOD.proof if which == 0 else proof,
        chain=tuple(chain),
    )
    if (shown.credential, shown.proof, shown.chain) == (GOOD.credential, GOOD.proof, ()):
        return

    found = DOOR.admit(msgspec.structs.replace(PROPOSAL, presented=shown))

    assert found in CODES, found
