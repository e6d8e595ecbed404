"""What was revoked: how long it is remembered, and in which words it refuses."""

from interlock.domain.revocation import Revocation, marks, refusal, remembered, revoked, with_one_more
from tests.domain.delegations import NOW, read, three


def revocation(name: str = "jti-2", until_at: int | None = None, since_at: int = NOW) -> Revocation:
    """A token that no longer counts."""
    return Revocation(kind="token", name=name, since_at=since_at, until_at=until_at)


def test_what_can_be_valid_no_more_falls_out_of_memory() -> None:
    """A revocation is remembered until its time, and one without a time until a person says otherwise."""
    orders = (revocation("a", NOW + 10), revocation("b"), revocation("c", NOW))

    assert [each.name for each in remembered(orders, NOW)] == ["a", "b"]
    assert [each.name for each in remembered(orders, NOW + 10)] == ["b"]


def test_revoking_twice_never_shortens_the_memory() -> None:
    """The same thing revoked again is there once, since the first time and for as long as either asks."""
    for first, second, kept in ((10, 20, 20), (20, 10, 20), (None, 10, None), (10, None, None)):
        ends = [None if each is None else NOW + each for each in (first, second, kept)]
        found = with_one_more((revocation(until_at=ends[0]),), revocation(until_at=ends[1], since_at=NOW + 1), NOW + 1)

        assert found == (revocation(until_at=ends[2]),)


def test_a_refusal_says_whether_it_was_this_token_or_one_above() -> None:
    """Whoever holds a chain is told that it was handed on from something revoked, not that it was itself revoked."""
    chain = read(three())
    above, own = revocation("jti-2"), revocation("jti-3")

    assert revoked((above,), marks(chain)) == above
    assert refusal(above, chain) == "the task token was revoked from which this one was handed on"
    assert refusal(own, chain) == "the task token was revoked"


def test_an_empty_release_is_no_mark() -> None:
    """What a token does not name cannot be revoked by not being named."""
    assert revoked((Revocation(kind="release", name="", since_at=NOW),), marks(read(three()))) is None
