"""What every vault promises."""

from collections.abc import Callable, Coroutine
from typing import Final, TypeAlias

from interlock.domain.erasure import Shred
from interlock.domain.errors import KeyFileError, KeyGone
from interlock.ports.vault import Vault
from interlock.testing.conformance.world import expect, refused

ABOUT: Final = b"action a-1"
TEXT: Final = b"the arguments"

Opener: TypeAlias = Callable[[], Vault]
"""One more handle on the same vault, as another process would have it, begun."""
VaultPromise: TypeAlias = Callable[[Opener], Coroutine[None, None, None]]


async def what_is_sealed_can_be_opened(opener: Opener) -> None:
    """Any process opens what one sealed, and what it reads does not stand in the sealed bytes."""
    here, there = opener(), opener()
    number = here.fresh()
    sealed = here.seal(number, ABOUT, TEXT)

    expect(there.open(sealed, ABOUT) == TEXT, "another process reads it")
    expect(TEXT not in sealed and here.seal(number, ABOUT, TEXT) != sealed, "it is encrypted, each time differently")


async def no_key_is_given_twice(opener: Opener) -> None:
    """However many processes take keys, and however many, every number is new."""
    here, there = opener(), opener()
    taken = [each.fresh() for _ in range(1500) for each in (here, there)]

    expect(len(set(taken)) == len(taken), "all differ")
    sealed = [here.seal(number, ABOUT, TEXT) for number in taken[::600]]
    expect([there.open(each, ABOUT) for each in sealed] == [TEXT] * len(sealed), "all work")


async def what_is_sealed_is_bound(opener: Opener) -> None:
    """Sealed bytes open as what they are about, whole and unaltered, or not at all."""
    vault = opener()
    one, other = vault.fresh(), vault.fresh()
    sealed = vault.seal(one, ABOUT, TEXT)
    swapped = sealed[:1] + other.to_bytes(8, "big") + sealed[9:]
    flipped = [sealed[:n] + bytes((sealed[n] ^ 1,)) + sealed[n + 1 :] for n in range(len(sealed))]

    async with refused(KeyGone):
        vault.open(sealed, b"action a-2")
    for each in (swapped, b"", sealed[:20], sealed[:-1], sealed + b"0", *flipped):
        async with refused(KeyGone):
            vault.open(each, ABOUT)
    expect(vault.open(sealed, ABOUT) == TEXT, "as it was it opens")


async def what_is_shredded_is_gone(opener: Opener) -> None:
    """A shredded key opens and seals nothing any more, in any process that asks anew; every other one goes on."""
    vault = opener()
    numbers = [vault.fresh() for _ in range(40)]
    sealed = [vault.seal(number, ABOUT, TEXT) for number in numbers]
    gone = {0, 1, 7, 22, 39}
    shred = Shred(erasure="e-1", part=1, keys=tuple(numbers[n] for n in sorted(gone)))
    vault.shred(shred)
    vault.shred(shred)

    for each in (vault, opener()):
        for n, text in enumerate(sealed):
            if n in gone:
                async with refused(KeyGone):
                    each.open(text, ABOUT)
                async with refused(KeyGone):
                    each.seal(numbers[n], ABOUT, TEXT)
            else:
                expect(each.open(text, ABOUT) == TEXT, "a neighbour goes on")
        expect(each.shreds() == [shred], "it is known what was erased, once")
    expect(vault.open(vault.seal(vault.fresh(), ABOUT, TEXT), ABOUT) == TEXT, "new keys are given")


async def a_part_may_name_more(opener: Opener) -> None:
    """A part that names other keys than before, as one carried out anew on restored copies may, destroys these too."""
    vault = opener()
    numbers = [vault.fresh() for _ in range(3)]
    sealed = [vault.seal(number, ABOUT, TEXT) for number in numbers]
    vault.shred(Shred(erasure="e-1", part=1, keys=(numbers[0],)))
    vault.shred(Shred(erasure="e-1", part=1, keys=(numbers[1],)))

    for each in (vault, opener()):
        for text in sealed[:2]:
            async with refused(KeyGone):
                each.open(text, ABOUT)
        expect(each.open(sealed[2], ABOUT) == TEXT, "the others stay")
        expect(each.shreds() == [Shred(erasure="e-1", part=1, keys=tuple(sorted(numbers[:2])))], "both are named")


async def it_outlives_a_new_key(opener: Opener) -> None:
    """After `renew` every process reads and writes as before, and what was shredded stays so."""
    here, there = opener(), opener()
    one, other = here.fresh(), here.fresh()
    kept, lost = here.seal(one, ABOUT, TEXT), here.seal(other, ABOUT, TEXT)
    word = here.mark("key-1")
    here.shred(Shred(erasure="e-1", part=1, keys=(other,)))
    here.renew()
    there.renew()

    for each in (here, there, opener()):
        expect(each.open(kept, ABOUT) == TEXT, "it reads")
        expect(each.open(each.seal(each.fresh(), ABOUT, TEXT), ABOUT) == TEXT, "it writes")
        expect(each.mark("key-1") == word, "its marks stay")
        async with refused(KeyGone):
            each.open(lost, ABOUT)


async def a_mark_says_nothing(opener: Opener) -> None:
    """One text has one mark, in every process; another has another."""
    here, there = opener(), opener()

    expect(here.mark("key-1") == there.mark("key-1"), "the same everywhere")
    expect(here.mark("key-1") != here.mark("key-2"), "another for another")
    expect("key-1" not in here.mark("key-1"), "and it does not say what for")


async def another_vault_is_refused(opener: Opener) -> None:
    """A vault knows its own id, and nothing is begun in the place of another."""
    vault = opener()

    expect(vault.begin(None) == vault.begin(vault.begin(None)), "it is itself")
    async with refused(KeyFileError):
        vault.begin("another")


PROMISES: Final[tuple[VaultPromise, ...]] = (
    what_is_sealed_can_be_opened,
    no_key_is_given_twice,
    what_is_sealed_is_bound,
    what_is_shredded_is_gone,
    a_part_may_name_more,
    it_outlives_a_new_key,
    a_mark_says_nothing,
    another_vault_is_refused,
)
