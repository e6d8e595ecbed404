"""Every way of making more of a task than was handed on, tried on the real gate, and probes that others' gates let through."""

from typing import Any

import pytest

from interlock.adapters.keys import fresh
from interlock.domain.action import Action
from interlock.domain.ids import TaskId
from interlock.domain.jwk import thumbprint
from interlock.domain.presented import REFUSALS, called
from interlock.domain.spiffe import plane_id
from interlock.domain.task import Task
from interlock.domain.token import hash_of
from interlock.sdk.handing import Tokens
from tests.domain.delegations import altered, forged, parts
from tests.services.handing import DOMAIN, Key, Program, chain_of, ready

pytestmark = [pytest.mark.anyio, pytest.mark.proves("lend.attacks")]

EVE = Key("eve")


def refused(action: Action) -> str:
    """Why it was refused, by code: in words, and without anything of what was presented."""
    assert action.state == "refused", action
    code = action.reasons[0].removeprefix("interlock.")
    if code in REFUSALS:
        assert REFUSALS[code].words in action.reasons[1]
    return code


class Three:
    """A task that went from one to another to a third: up to 9, up to 5, up to 3."""

    def __init__(self) -> None:
        self.one: Program
        self.two: Program
        self.three: Program
        self.task: Task
        self.tokens: Tokens
        self.chain: tuple[str, ...]

    @property
    def leaf(self) -> dict[str, Any]:
        """The claims of the last token."""
        return parts(self.chain[-1])[1]

    async def begin(self) -> "Three":
        """Hand it on twice."""
        world, self.one, self.two, task = await ready()
        self.three = Program(world, "third")
        nine = {"thing.put": {"n": {"constraint_type": "range", "min": 0, "max": 9}}, "thing.drop": {}}
        inner, tokens = await self.two.connection.accepted(await self.one.hand(task, self.two, nine))
        five: Any = {"thing.put": {"n": {"constraint_type": "range", "min": 0, "max": 5}}}
        text = await self.two.hand(inner, self.three, five, tokens=tokens)
        self.task, self.tokens = await self.three.connection.accepted(text)
        self.chain = chain_of(text)
        return self

    async def tried(self, *chain: str, key: Key | None = None, **arguments: Any) -> str:
        """Why a call under these tokens is refused; it names the last as whoever made it would."""
        token = parts(chain[-1])[1].get("jti", "") if chain and chain[-1].count(".") == 2 else ""
        return refused(await self.three.present(self.task, chain, token=token, key=key, **arguments))

    async def signed_again(self, **claims: Any) -> str:
        """Why the chain with other claims in its last token, properly signed by the second, is refused."""
        return await self.tried(*self.chain[:2], altered(self.chain[2], self.two.key.signing, **claims))

    def granting(self, **arguments: Any) -> list[dict[str, Any]]:
        """What the last token grants, with other constraints; a tool beside where `drop` says so."""
        return [{"type": "attenuating_agent_token", "tools": {"thing.put": arguments}}]


async def test_an_honest_call_of_the_third_is_let_in() -> None:
    """What the attacks below change is let in as it was made."""
    three = await Three().begin()
    assert (await three.three.propose(three.task, three.tokens, n=5)).state == "done"
    honest = await three.three.present(three.task, three.chain, token=three.leaf["jti"], n=5)
    assert honest.state == "dispatching"


async def test_more_than_was_given_is_refused_though_properly_signed() -> None:
    """1 to 8: a wider range, another tool, value or argument, a longer life, more depth, another parent."""
    three = await Three().begin()
    exp = three.leaf["exp"]
    wide = {"constraint_type": "range", "min": 0, "max": 10}

    assert await three.signed_again(authorization_details=three.granting(n=wide)) == "token_widened"
    other = [{"type": "attenuating_agent_token", "tools": {"thing.put": {"n": wide}, "shop.more": {}}}]
    assert await three.signed_again(authorization_details=other) == "token_widened"
    one_of = {"constraint_type": "one_of", "values": [1, 10]}
    assert await three.signed_again(authorization_details=three.granting(n=one_of)) == "token_widened"
    assert await three.signed_again(authorization_details=three.granting()) == "token_widened"
    assert await three.signed_again(exp=exp + 1, iat=exp - 10) == "token_widened"
    assert await three.signed_again(del_max_depth=8) == "token_depth"
    assert await three.signed_again(del_depth=1) == "token_depth"
    again = chain_of(await three.one.hand(await three.one.world.task(), three.two, opened=False))
    assert await three.tried(*again, three.chain[2]) == "token_broken_link"


async def test_handing_on_too_often_is_refused() -> None:
    """6: a fourth holder, whatever depth it claims."""
    three = await Three().begin()
    child = {
        **three.leaf,
        "iss": "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + three.three.key.thumbprint,
        "par_hash": hash_of(three.chain[2].rpartition(".")[0].encode()),
    }
    assert (
        await three.tried(*three.chain, forged({**child, "del_depth": 3}, three.three.key.signing)) == "token_malformed"
    )
    assert await three.tried(*three.chain, forged({**child, "del_depth": 2}, three.three.key.signing)) == "token_depth"


async def test_other_keys_and_missing_links_are_refused() -> None:
    """9 to 12: a foreign key, a token left out, a root of one's own, another's key; a garbage signature is none."""
    three = await Three().begin()
    one, two, last = three.chain
    root = parts(one)[1]

    assert await three.tried(one, two, altered(last, EVE.signing)) == "token_broken_link"
    kid = thumbprint(three.two.key.public)
    assert await three.tried(one, two, forged(three.leaf, EVE.signing, kid=kid)) == "token_signature"
    assert await three.tried(one, last) == "token_broken_link"
    assert await three.tried(two, last) == "token_untrusted"
    assert await three.tried(last) == "token_untrusted"
    assert await three.tried(forged({**root, "task": three.task.id}, EVE.signing)) == "token_untrusted"
    own = forged({**root, "task": three.task.id}, EVE.signing, kid=parts(one)[0]["kid"])
    assert await three.tried(own) == "token_signature"
    assert await three.tried(one, two, last, key=EVE) == "proof_signature"
    for garbage in ("garbage", "", "A" * 86):
        assert await three.tried(one, two, f"{last.rpartition('.')[0]}.{garbage}") in (
            "token_malformed",
            "token_signature",
        )


async def test_a_credential_signs_no_token_and_a_token_is_no_credential() -> None:
    """The key that signs credentials and roots signs each under its own name: one in the other's place is refused."""
    three = await Three().begin()
    credential = await three.three.invitation()
    assert await three.tried(credential) == "token_malformed"
    wanted = called(three.task.id, "thing.put", {"n": 1}, None, audience=plane_id(DOMAIN))
    proof = three.three.proof(wanted)
    assert await three.tried(*three.chain[:2], proof) == "token_malformed"


async def test_calls_beyond_the_last_token_are_refused() -> None:
    """13 to 15: over the limit, true for 1; what is more or of another type than the contract has is refused before."""
    three = await Three().begin()
    put = three.three.propose
    assert refused(await put(three.task, three.tokens, n=6)) == "task"
    assert refused(await put(three.task, three.tokens, n=True)) == "arguments"
    assert refused(await put(three.task, three.tokens, n="5")) == "arguments"
    assert refused(await put(three.task, three.tokens, n=5, force=True)) == "arguments"
    assert refused(await put(three.task, three.tokens, "thing.drop", n=1)) == "task"


async def test_proofs_of_other_calls_and_used_ones_are_refused() -> None:
    """16 and 17: for other arguments, another tool, task or token, and the same one again, also in another process."""
    three = await Three().begin()
    token, audience = three.leaf["jti"], plane_id(DOMAIN)
    others = (
        called(three.task.id, "thing.put", {"n": 2}, None, audience=audience, token=token),
        called(three.task.id, "thing.drop", {"n": 1}, None, audience=audience, token=token),
        called(TaskId("another"), "thing.put", {"n": 1}, None, audience=audience, token=token),
        called(three.task.id, "thing.put", {"n": 1}, None, audience=audience, token=parts(three.chain[1])[1]["jti"]),
        called(three.task.id, "thing.put", {"n": 1}, None, audience=audience),
    )
    for other in others:
        proof = three.three.proof(other)
        assert refused(await three.three.present(three.task, three.chain, proof=proof, n=1)) == "proof_other"

    good = three.three.proof(called(three.task.id, "thing.put", {"n": 1}, None, audience=audience, token=token))
    first = await three.three.present(three.task, three.chain, proof=good, n=1)
    assert first.state == "dispatching"
    assert refused(await three.three.present(three.task, three.chain, proof=good, n=1)) == "proof_replayed"
    three.three.process = three.three.world.another("later")
    assert refused(await three.three.present(three.task, three.chain, proof=good, n=1)) == "proof_replayed"


@pytest.mark.parametrize("alg", ["none", "HS256", "EdDSA", "ES256", ""])
async def test_other_algorithms_are_refused(alg: str) -> None:
    """19: no other algorithm than the one, at the root and below."""
    three = await Three().begin()
    one, two, _ = three.chain
    assert await three.tried(forged(parts(one)[1], EVE.signing, alg=alg)) == "token_malformed"
    assert await three.tried(one, two, forged(three.leaf, three.two.key.signing, alg=alg)) == "token_malformed"


async def test_what_is_too_long_is_refused_unread() -> None:
    """A chain of more tokens, or longer, than there can be is refused by its length."""
    three = await Three().begin()
    assert await three.tried(*three.chain * 4) == "token_depth"
    assert await three.tried("x" * 20_000) == "token_malformed"
    assert await three.tried(*("x" * 9_000,) * 8) == "presented_size"
    assert refused(await three.three.present(three.task, ("é.é.é",))) == "token_malformed"


async def test_a_token_of_another_control_plane_is_refused() -> None:
    """Signed by another installation's key, or for another plane or tenant, it is none of ours."""
    three = await Three().begin()
    other = fresh("test/log/identity")
    claims = {**parts(three.chain[0])[1], "task": three.task.id}
    assert await three.tried(forged(claims, other)) == "token_untrusted"


def test_every_refusal_is_told() -> None:
    """Each code has words, and what to do."""
    assert [code for code, said in REFUSALS.items() if not (said.words and said.next)] == []
