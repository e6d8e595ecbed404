"""Passwords as argon2id keeps them."""

import anyio
import pytest

from interlock.adapters import passwords
from interlock.adapters.passwords import Argon2Passwords
from interlock.adapters.passwords_later import LaterPasswords

pytestmark = pytest.mark.anyio


async def test_a_password_is_known_again_and_no_other_is() -> None:
    """Right with what was kept of it, wrong with what was kept of another, with nothing, and with what is no hash."""
    light = Argon2Passwords(passes=1, memory_kib=64, lanes=1)
    kept, again = await light.kept("five words do well"), await light.kept("five words do well")

    assert kept != again
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert [await light.told("five words do well", each) for each in (kept, "", "nonsense", kept[:-4])] == [
        *("right", "wrong", "wrong", "wrong")
    ]
    assert await light.told("five words do wel", kept) == "wrong"


async def test_weaker_parameters_are_told() -> None:
    """What was made with less than today's is right, and stale."""
    light = Argon2Passwords(passes=1, memory_kib=64, lanes=1)
    heavier = Argon2Passwords(passes=2, memory_kib=64, lanes=1)
    kept = await light.kept("five words do well")

    assert (await heavier.told("five words do well", kept), await heavier.told("x", kept)) == ("stale", "wrong")


async def test_the_parameters_are_those_of_the_standard() -> None:
    """RFC 9106, section 4, second recommended option; as many at once as the memory bears, however many ask."""
    real = LaterPasswords()
    kept = await real.kept("five words do well")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    async with anyio.create_task_group() as group:
        for _ in range(passwords.MOST_AT_ONCE + 1):
            group.start_soon(real.told, "five words", kept)
