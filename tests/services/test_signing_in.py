"""Signing in: links that count once, passwords that cannot be tried for long, sessions that end when they must."""

import asyncio
import re

import msgspec
import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain import disclosure
from interlock.domain.api_key import MOST_KEYS, ApiKey
from interlock.domain.duration import DAY, HOUR, MINUTE
from interlock.domain.errors import (
    ContractError,
    InterlockError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    RateExceeded,
    StoreError,
)
from interlock.domain.evidence import Entry
from interlock.domain.ids import Person
from interlock.domain.login import FRESH_MS, IDLE_MS, LASTS_MS, LINK_MS, MOST_SESSIONS, SEEN_MS, Login, handle_of
from interlock.domain.throttle import FREE_TRIES, FROM_ONE_PLACE, LONGEST_LOCK_MS, lock_after
from interlock.ports.passwords import Told
from interlock.services.signing_in import ANSWER_MS
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.world import World
from tests.services.signing import ADA, BEN, GOOD, RITA, by_link, leave, people, secured

pytestmark = pytest.mark.anyio
HERE = "192.0.2.1"


def entries(world: World) -> list[Entry]:
    """The entries about who was let in."""
    return [each for each in world.store._truth.entries if "what" in predicate(each)]


def phases(world: World) -> list[str]:
    """What they say happened, in order."""
    return [each.phase for each in entries(world)]


def opened(entry: Entry) -> dict[str, object]:
    """The clear texts behind it."""
    return {each.name: each.value for each in map(disclosure.parse, entry.disclosures)}


async def login(world: World, person: Person = RITA) -> Login:
    """What is stored of a person."""
    found = await world.store.get(Login, handle_of(person))
    assert found is not None
    return found


@pytest.mark.proves("access.links_once")
async def test_a_link_lets_in_once() -> None:
    """The first use of a link begins a session; the second is refused, and looking at it uses nothing up."""
    world = await people()
    token, _ = await world.plane.signing_in.offer(RITA, by="ada")
    assert await world.plane.signing_in.link_of(token) == RITA
    assert await world.plane.signing_in.link_of(token) == RITA

    signed = await world.plane.signing_in.by_link(token)

    found = await world.plane.sessions.recognise(signed.token)
    assert found is not None
    assert (found.person, found.roles) == (RITA, ("reviewer",))
    assert await world.plane.signing_in.link_of(token) is None
    with pytest.raises(NotSignedIn):
        await world.plane.signing_in.by_link(token)


@pytest.mark.proves("access.links_once")
async def test_whoever_came_in_leaves_no_other_way_in_behind() -> None:
    """A second link for the same person, which whoever made it may have kept, is over once they are in: by a link, a password, or
    an identity provider."""
    world = await people()
    signing_in = world.plane.signing_in
    spare, _ = await signing_in.offer(RITA, by="ada")
    await by_link(world, RITA)
    assert await signing_in.link_of(spare) is None
    with pytest.raises(NotSignedIn):
        await signing_in.by_link(spare)

    await secured(world)
    spare, _ = await signing_in.offer(RITA, by="ada")
    await signing_in.by_password("rita", GOOD, address=HERE)
    assert await signing_in.link_of(spare) is None

    spare, _ = await signing_in.offer(BEN, by="ada")
    await signing_in.by_provider(BEN, "https://idp.example ben")
    assert await signing_in.link_of(spare) is None


@pytest.mark.proves("access.links_once")
async def test_of_two_uses_at_once_one_lets_in() -> None:
    """Many use one link at the same time, in two processes: exactly one session begins."""
    world = await people()
    other = world.another("w2")
    token, _ = await world.plane.signing_in.offer(RITA, by="ada")

    came = await asyncio.gather(
        *(plane.signing_in.by_link(token) for plane in (world.plane, other) * 4), return_exceptions=True
    )

    assert sum(not isinstance(each, BaseException) for each in came) == 1
    assert all(isinstance(each, NotSignedIn) for each in came if isinstance(each, BaseException))
    assert len((await login(world)).sessions) == 1


async def test_a_link_ends_in_ten_minutes() -> None:
    """What was not used in time lets nobody in."""
    world = await people()
    token, link = await world.plane.signing_in.offer(RITA, by="ada")
    assert link.expires_at - link.made_at == LINK_MS == 10 * MINUTE
    world.clock.advance(LINK_MS)

    with pytest.raises(NotSignedIn):
        await world.plane.signing_in.by_link(token)


@pytest.mark.proves("access.secrets_kept_as_digests")
async def test_nothing_that_opens_is_stored_or_logged() -> None:
    """Neither the store nor the log, clear texts included, holds a link's, session's or key's secret, or a password."""
    world = await people()
    token, _ = await world.plane.signing_in.offer(RITA, by="ada")
    signed = await world.plane.signing_in.by_link(token)
    await world.plane.signing_in.set_password(RITA, GOOD, session=signed.session)
    key, _ = await world.plane.api_keys.make(RITA, "ci", ("see",), by=RITA)

    truth = world.store._truth
    rows = "".join(str(row[1]) for row in truth.rows.values())
    log = "".join(each.leaf.decode() + "".join(each.disclosures) for each in truth.entries)
    for secret in (token.partition(".")[2], signed.token.partition(".")[2], GOOD, key.partition(".")[2]):
        assert secret not in rows + log
    assert "rita" not in "".join(str(predicate(each)) for each in entries(world))


@pytest.mark.proves("access.on_record")
async def test_every_act_is_an_entry() -> None:
    """What lets somebody in, and what ends that, is in the log: what it is, and behind commitments whose and by whom."""
    world = await people()
    plane = world.plane
    signed = await by_link(world)
    await plane.signing_in.set_password(RITA, GOOD, session=signed.session)
    for _ in range(FREE_TRIES):
        with pytest.raises(NotSignedIn):
            await plane.signing_in.by_password("rita", "wrong and wrong", address=HERE)
    _, key = await plane.api_keys.make(RITA, "ci", ("see",), by=RITA)
    await plane.api_keys.revoke(key.id, by="ada")
    again = await by_link(world)
    await plane.sessions.sign_out(RITA, again.session.id)
    await plane.sessions.revoke(RITA, by="ada")

    assert phases(world) == [
        *("offered", "signed_in", "password_set", "locked", "key_made", "revoked"),
        *("offered", "signed_in", "signed_out", "revoked"),
    ]
    assert opened(entries(world)[-1]) == {"by": "ada", "person": "rita"}
    assert await audited(world.store, world.keys)


async def test_nobody_unknown_is_offered_a_link() -> None:
    """People are those of people.yaml."""
    world = await people()

    with pytest.raises(NotAllowed, match="not among the people"):
        await world.plane.signing_in.offer(Person("mallory"), by="ada")


@pytest.mark.proves("access.sessions_end")
async def test_a_session_is_new_at_every_sign_in() -> None:
    """Whatever cookie a browser came with, it leaves with another, and the old one stays what it was."""
    world = await people()
    first, second = await by_link(world), await by_link(world)

    assert first.token != second.token
    assert re.fullmatch(r"[0-9a-f]{32}\.[0-9a-f]{64}", first.token)
    for made_up in ("", ".", f"{handle_of('rita')}.{'0' * 64}", first.token.upper(), f"{first.token}0", "é" * 97):
        assert await world.plane.sessions.recognise(made_up) is None


@pytest.mark.proves("access.sessions_end")
async def test_a_session_ends_when_idle_and_when_old() -> None:
    """Twelve hours unused end it, and seven days however much it is used."""
    world = await people()
    idle, used = await by_link(world), await by_link(world)
    for _ in range(LASTS_MS // (11 * HOUR)):
        world.clock.advance(11 * HOUR)
        assert await world.plane.sessions.recognise(used.token)
    assert await world.plane.sessions.recognise(idle.token) is None
    assert 11 * HOUR < IDLE_MS == 12 * HOUR
    world.clock.advance(11 * HOUR)

    assert await world.plane.sessions.recognise(used.token) is None


async def test_the_last_use_is_written_only_now_and_then() -> None:
    """A request writes nothing unless five minutes have passed since the last one that did; a full disk keeps nobody out."""
    faults = Faults()
    world = await people(faults)
    signed = await by_link(world)
    before = faults.writes
    for _ in range(20):
        assert await world.plane.sessions.recognise(signed.token)
    assert faults.writes == before
    world.clock.advance(SEEN_MS + 1)
    faults.at[faults.writes + 1] = "not stored"

    assert await world.plane.sessions.recognise(signed.token)
    assert await world.plane.sessions.recognise(signed.token)
    assert (await login(world)).sessions[0].seen_at == world.clock.now()


@pytest.mark.proves("access.sessions_end")
async def test_who_holds_less_is_signed_out_everywhere() -> None:
    """A session ends in every process once its person lost a role, and does not come back with it."""
    world = await people()
    other = world.another("w2")
    signed = await by_link(world, ADA)
    world.people[ADA] = ("admin", "viewer")
    await leave(world, ADA, keeps=("viewer",))
    assert await other.sessions.recognise(signed.token) is None
    await leave(world, ADA, keeps=("admin",))

    assert await world.plane.sessions.recognise(signed.token) is None
    assert opened(entries(world)[-1]) == {"by": "interlock.people", "person": "ada"}


async def test_who_left_comes_in_by_no_way() -> None:
    """Out of people.yaml: session, link, password and key all open nothing."""
    world = await people()
    signed = await secured(world)
    token, _ = await world.plane.signing_in.offer(RITA, by="ada")
    key, _ = await world.plane.api_keys.make(RITA, "ci", ("see",), by=RITA)
    await leave(world, RITA)
    del signed

    for way in (
        world.plane.signing_in.by_link(token),
        world.plane.signing_in.by_password("rita", GOOD, address=HERE),
    ):
        with pytest.raises(NotSignedIn):
            await way
    assert await world.plane.api_keys.recognise(key) is None


async def test_a_password_lets_in_and_a_new_one_ends_all_else() -> None:
    """Setting a password ends every session but the one it was set in, and every link; who has one must say it."""
    world = await people()
    other = await by_link(world)
    link, _ = await world.plane.signing_in.offer(RITA, by="ada")
    mine = await world.plane.signing_in.by_link(link)
    waiting, _ = await world.plane.signing_in.offer(RITA, by="ada")
    await world.plane.signing_in.set_password(RITA, GOOD, session=mine.session)

    assert await world.plane.sessions.recognise(other.token) is None
    assert await world.plane.sessions.recognise(mine.token)
    with pytest.raises(NotSignedIn):
        await world.plane.signing_in.by_link(waiting)
    signed = await world.plane.signing_in.by_password("rita", GOOD, address=HERE)
    with pytest.raises(NotSignedIn, match="not your password"):
        await world.plane.signing_in.set_password(RITA, "another five words", session=signed.session)
    await world.plane.signing_in.set_password(RITA, "another five words", session=signed.session, current=GOOD)
    with pytest.raises(NotSignedIn):
        await world.plane.signing_in.by_password("rita", GOOD, address=HERE)


async def test_a_session_that_was_ended_meanwhile_sets_no_password() -> None:
    """Whoever is signed out while their new password is made into a digest, which takes a while, leaves the one there was."""
    world = await people()
    first = await by_link(world)
    await world.plane.signing_in.set_password(RITA, GOOD, session=first.session)
    stolen = await by_link(world)
    await world.plane.sessions.revoke(RITA, stolen.session.id, by="ada")

    with pytest.raises(NotSignedIn, match="session ended"):
        await world.plane.signing_in.set_password(RITA, "another five words", session=stolen.session)
    assert await world.plane.signing_in.by_password("rita", GOOD, address=HERE)


@pytest.mark.proves("access.asked_again")
async def test_what_outlasts_a_session_takes_somebody_who_was_there_lately() -> None:
    """Ten minutes after somebody came in, a session sets no first password and is not fresh; their password makes it so for
    ten minutes more, and each try at it counts as one at the door."""
    world = await people()
    insisting = world.plane.insisting
    signed = await by_link(world)
    world.clock.advance(FRESH_MS)
    with pytest.raises(NotSignedIn, match="some time ago"):
        await world.plane.signing_in.set_password(RITA, GOOD, session=signed.session)
    with pytest.raises(NotSignedIn, match="no password"):
        await insisting.prove(RITA, signed.session.id, GOOD)
    again = await secured(world)
    assert await insisting.is_fresh(RITA, again.id)
    world.clock.advance(FRESH_MS)
    with pytest.raises(NotSignedIn, match="some time ago"):
        await insisting.must_be_fresh(RITA, again.id)
    with pytest.raises(NotSignedIn):
        await insisting.prove(RITA, again.id, "wrong and wrong")
    assert (await login(world)).tries == 1
    await insisting.prove(RITA, again.id, GOOD)
    await insisting.must_be_fresh(RITA, again.id)
    assert (await login(world)).tries == 0
    for _ in range(FREE_TRIES):
        with pytest.raises(NotSignedIn):
            await insisting.prove(RITA, again.id, "wrong and wrong")

    with pytest.raises(RateExceeded):
        await insisting.prove(RITA, again.id, GOOD)
    with pytest.raises(RateExceeded):
        await world.plane.signing_in.by_password("rita", GOOD, address=HERE)
    assert not await insisting.is_fresh(RITA, "no session of hers")


@pytest.mark.proves("access.keys")
async def test_many_keys_made_at_once_are_no_more_than_there_may_be() -> None:
    """Twenty-five programs ask for a key at the same moment, through two processes: twenty get one."""
    world = await people()
    other = world.another("w2")

    made = await asyncio.gather(
        *((world.plane, other)[n % 2].api_keys.make(RITA, f"ci {n}", ("see",), by=RITA) for n in range(MOST_KEYS + 5)),
        return_exceptions=True,
    )

    assert sum(not isinstance(each, BaseException) for each in made) == MOST_KEYS
    assert all("20 keys already" in str(each) for each in made if isinstance(each, BaseException))
    assert len(await world.plane.api_keys.of(RITA)) == MOST_KEYS


@pytest.mark.parametrize("bad", ["short", "x" * 257, "aaaaaaaaaaaaaaaa", "rita-rita-rita", "interlockrita1"])
async def test_weak_passwords_are_not_taken(bad: str) -> None:
    """Too short, too long, too few characters, or little but a name."""
    world = await people()
    signed = await by_link(world)

    with pytest.raises(ContractError) as refused:
        await world.plane.signing_in.set_password(RITA, bad, session=signed.session)
    assert bad not in str(refused.value)


@pytest.mark.proves("access.throttled")
async def test_passwords_cannot_be_tried_for_long() -> None:
    """Five are free, then the account waits longer each time, in every process and after a restart; not even the right one
    counts meanwhile. A link still lets in, and starts anew."""
    world = await people()
    await secured(world)
    for _ in range(FREE_TRIES):
        with pytest.raises(NotSignedIn):
            await world.plane.signing_in.by_password("rita", "wrong and wrong", address=HERE)
    restarted = world.another("w2")
    with pytest.raises(RateExceeded):
        await restarted.signing_in.by_password("rita", GOOD, address="198.51.100.7")
    world.clock.advance(lock_after(FREE_TRIES))
    with pytest.raises(NotSignedIn):
        await restarted.signing_in.by_password("rita", "wrong again and again", address=HERE)
    world.clock.advance(lock_after(FREE_TRIES))
    with pytest.raises(RateExceeded):
        await world.plane.signing_in.by_password("rita", GOOD, address=HERE)

    await by_link(world)
    assert (await world.plane.signing_in.by_password("rita", GOOD, address=HERE)).person == RITA


@pytest.mark.proves("access.throttled")
async def test_tries_at_once_are_all_counted() -> None:
    """A hundred guesses at the same time, in two processes, get five looks at the password."""
    world = await people()
    await secured(world)
    other = world.another("w2")
    world.passwords.asked.clear()

    await asyncio.gather(
        *(
            plane.signing_in.by_password("rita", f"guess number {nth}", address=f"192.0.2.{nth}")
            for nth in range(20)
            for plane in (world.plane, other)
        ),
        return_exceptions=True,
    )

    assert len(world.passwords.asked) == FREE_TRIES


@pytest.mark.proves("access.names_not_told")
async def test_a_name_that_is_nobody_is_refused_as_a_real_one() -> None:
    """Real, without a password, or nobody: the same words, as many tries, as much hashing, and an answer on the same beat."""
    world = await people()
    await secured(world)
    seen = list[list[str]]()
    for name in ("rita", "ben", "mallory"):
        world.passwords.asked.clear()
        told = list[str]()
        for _ in range(FREE_TRIES + 1):
            began = world.clock.now()
            with pytest.raises(InterlockError) as refused:
                await world.plane.signing_in.by_password(name, "wrong and wrong", address=f"{name}.example")
            told.append(f"{refused.value.code}: {refused.value.detail}")
            assert (world.clock.now() - began) % ANSWER_MS == 0
        assert len(world.passwords.asked) == FREE_TRIES
        seen.append(told)

    assert seen[0] == seen[1] == seen[2]


async def test_a_locked_name_is_refused_on_the_same_beat() -> None:
    """A name that is locked is answered no sooner where it is nobody: looking a record up does not show in when it is refused."""
    world = await people()
    await secured(world)
    for name in ("rita", "mallory"):
        for _ in range(FREE_TRIES):
            with pytest.raises(NotSignedIn):
                await world.plane.signing_in.by_password(name, "wrong and wrong", address=f"{name}.example")
        began = world.clock.now()
        with pytest.raises(RateExceeded):
            await world.plane.signing_in.by_password(name, "wrong and wrong", address=f"{name}.example")
        assert world.clock.now() - began == ANSWER_MS


async def test_tries_at_once_from_one_address_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many names tried at once from one address no more are looked at than one by one; the right one costs nothing."""
    world = await people()
    await secured(world)
    world.passwords.asked.clear()
    at_once = world.passwords.told

    async def after_a_while(password: str, kept: str) -> Told:
        await asyncio.sleep(0)
        return await at_once(password, kept)

    monkeypatch.setattr(world.passwords, "told", after_a_while)
    tried = (
        world.plane.signing_in.by_password(f"name{nth}", "wrong and wrong", address=HERE)
        for nth in range(FROM_ONE_PLACE * 2)
    )
    told = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(each, NotSignedIn) for each in told) == FROM_ONE_PLACE
    assert len(world.passwords.asked) == FROM_ONE_PLACE

    for _ in range(FROM_ONE_PLACE + 1):
        await world.plane.signing_in.by_password("rita", GOOD, address="192.0.2.2")


async def test_one_address_cannot_try_every_name() -> None:
    """Wrong passwords from one place are counted whatever the names; of IPv6 a whole customer's network is one place."""
    world = await people()
    for nth in range(FROM_ONE_PLACE):
        with pytest.raises(NotSignedIn):
            await world.plane.signing_in.by_password(f"name{nth}", "wrong and wrong", address=f"2001:db8::{nth:x}")

    with pytest.raises(RateExceeded):
        await world.plane.signing_in.by_password("other", "wrong and wrong", address="2001:db8::ffff:1")
    with pytest.raises(NotSignedIn):
        await world.plane.signing_in.by_password("other", "wrong and wrong", address="2001:db8:1::1")


def test_locks_grow_and_end() -> None:
    """No lock is longer than a quarter of an hour, however many tries there were."""
    locks = [lock_after(tries) for tries in range(200)]
    assert locks == sorted(locks)
    assert locks[FREE_TRIES - 1] == 0
    assert max(locks) == LONGEST_LOCK_MS


async def test_a_password_kept_in_an_older_way_is_kept_anew() -> None:
    """After the parameters changed, the next sign-in stores it as they are now."""
    world = await people()
    await secured(world)
    world.passwords.form = "later"
    await world.plane.signing_in.by_password("rita", GOOD, address=HERE)

    assert (await login(world)).password.startswith("later:")


async def test_sessions_are_bounded_and_revoked_by_one_or_all() -> None:
    """The least used of too many goes; one is revoked by its name, or all at once; one that is not there is said to be none."""
    world = await people()
    signed = [await by_link(world) for _ in range(MOST_SESSIONS + 1)]
    assert await world.plane.sessions.recognise(signed[0].token) is None
    assert await world.plane.sessions.revoke(RITA, signed[1].session.id, by="ada") == 1
    with pytest.raises(NotFound):
        await world.plane.sessions.revoke(RITA, signed[1].session.id, by="ada")
    with pytest.raises(NotFound):
        await world.plane.sessions.revoke(BEN, signed[2].session.id, by="ada")

    assert await world.plane.sessions.revoke(RITA, by="ada") == MOST_SESSIONS - 1
    assert await world.plane.sessions.all() == []


@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.proves("access.faults")
async def test_each_write_that_fails(fault: Fault) -> None:
    """Whichever write of signing in fails, stored or not: nobody is let in without an entry, a link lets in at most once, and
    whoever was told that they are in is."""
    for nth in range(1, 9):
        faults = Faults()
        world = await people(faults)
        faults.at[faults.writes + nth] = fault
        told = list[str]()
        try:
            token, _ = await world.plane.signing_in.offer(RITA, by="ada")
            for _ in range(2):
                try:
                    told.append((await world.plane.signing_in.by_link(token)).token)
                except (NotSignedIn, StoreError):
                    continue
            signed = await by_link(world)
            await world.plane.signing_in.set_password(RITA, GOOD, session=signed.session)
            told.append((await world.plane.signing_in.by_password("rita", GOOD, address=HERE)).token)
        except StoreError:
            pass

        stored = await world.store.get(Login, handle_of("rita"))
        begun = [predicate(each) for each in entries(world) if each.phase == "signed_in"]
        links = [each["link"] for each in begun if "link" in each]
        assert len(links) == len(set(links))
        assert len(begun) >= len(stored.sessions if stored else ())
        if not phases(world).count("password_set"):
            assert all([await world.plane.sessions.recognise(each) for each in told])


@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_key_that_may_not_have_been_made(fault: Fault) -> None:
    """Making and revoking a key when the store fails: what was stored is told, what was not is not there."""
    faults = Faults()
    world = await people(faults)
    faults.at[faults.writes + 1] = fault
    try:
        text, _ = await world.plane.api_keys.make(RITA, "ci", ("see",), by=RITA)
    except StoreError:
        assert (fault, await world.plane.api_keys.all()) == ("not stored", [])
        return
    assert await world.plane.api_keys.recognise(text)
    (key,) = await world.plane.api_keys.all()
    faults.at[faults.writes + 1] = fault
    await world.plane.api_keys.revoke(key.id, by=RITA)
    assert await world.plane.api_keys.recognise(text) is None


@pytest.mark.proves("access.keys")
async def test_a_key_opens_what_its_scopes_and_roles_both_open() -> None:
    """A key never opens more than its person may by now; nobody makes one that opens more than they may."""
    world = await people()
    text, key = await world.plane.api_keys.make(RITA, "ci", ("decide", "see"), by=RITA, lasts_ms=DAY)
    held = await world.plane.api_keys.recognise(text)
    assert held is not None
    assert held.permissions == {"see", "decide"}
    with pytest.raises(NotAllowed, match="do not open"):
        await world.plane.api_keys.make(BEN, "ci", ("see", "stop"), by=BEN)
    await leave(world, RITA, keeps=("viewer",))
    less = await world.plane.api_keys.recognise(text)
    assert less is not None
    assert less.permissions == {"see"}
    used = await world.store.get(ApiKey, key.id)
    assert used is not None
    assert used.used_at == world.clock.now() - world.clock.now() % DAY

    world.clock.advance(DAY)
    assert await world.plane.api_keys.recognise(text) is None


@pytest.mark.proves("access.keys")
async def test_a_key_that_is_altered_or_revoked_opens_nothing() -> None:
    """Another's secret, one digit, a revoked key, and what is no key at all."""
    world = await people()
    first, key = await world.plane.api_keys.make(RITA, "one", ("see",), by=RITA)
    second, _ = await world.plane.api_keys.make(RITA, "two", ("see",), by=RITA)
    mixed = f"{first.partition('.')[0]}.{second.partition('.')[2]}"
    for wrong in ("", "il_", mixed, first[:-1], f"{first} ", first.upper(), "il_" + "é" * 97, first.replace("il_", "")):
        assert await world.plane.api_keys.recognise(wrong) is None
    with pytest.raises(NotFound):
        await world.plane.api_keys.revoke(key.id, by=BEN, owner=BEN)
    await world.plane.api_keys.revoke(key.id, by=RITA, owner=RITA)
    await world.plane.api_keys.revoke(key.id, by=RITA)

    assert await world.plane.api_keys.recognise(first) is None
    assert await world.plane.api_keys.recognise(second)


@pytest.mark.parametrize(
    ("label", "scopes", "lasts_ms"),
    [
        ("", ("see",), DAY),
        ("a\nb", ("see",), DAY),
        ("ci", (), DAY),
        ("ci", ("root",), DAY),
        ("ci", ("see",), 366 * DAY),
    ],
)
async def test_what_a_key_cannot_be(label: str, scopes: tuple[str, ...], lasts_ms: int) -> None:
    """Without a label, with one that cannot be printed, without a scope, with one there is not, for longer than a year."""
    world = await people()

    with pytest.raises(ContractError):
        await world.plane.api_keys.make(RITA, label, scopes, by=RITA, lasts_ms=lasts_ms)


async def test_an_identity_provider_names_one_person_once_and_for_all() -> None:
    """Whoever the provider names by another subject than before is not let in as the same person."""
    world = await people()
    signed = await world.plane.signing_in.by_provider(RITA, "https://idp.example 17")
    assert await world.plane.sessions.recognise(signed.token)

    with pytest.raises(NotSignedIn, match="somebody else"):
        await world.plane.signing_in.by_provider(RITA, "https://idp.example 18")
    assert msgspec.json.encode(await login(world)).count(b"idp.example") == 1
