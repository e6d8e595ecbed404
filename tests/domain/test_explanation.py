"""How a decision followed, in sentences: one subject or many, a permit or what only looks like one."""

import pytest

from interlock.domain.explanation import combination
from interlock.domain.ids import Digest
from interlock.domain.policy import Opinions, Policy, Verdict, combine


def policy(name: str) -> Policy:
    """A permit, or a forbid whose outcome its name begins with."""
    verdict: dict[str, Verdict] = {"ask": "require_approval", "no": "deny", "hide": "shadow"}
    kind = verdict.get(name.partition(".")[0])
    if kind is None:
        return Policy(id=name, effect="permit", owner="o")
    return Policy(
        id=name, effect="forbid", owner="o", verdict=kind, approver="lead" if kind == "require_approval" else ""
    )


@pytest.mark.parametrize(
    ("satisfied", "said"),
    [
        (("may.a",), "`may.a` permits it, and no forbid is satisfied"),
        (("may.a", "may.b"), "`may.a`, `may.b` permit it, and no forbid is satisfied"),
        (("no.a", "may.a"), "`no.a` denies; a deny wins over the permit `may.a`"),
        (("no.a", "may.a", "ask.a"), "`no.a` denies; a deny wins over the permit `may.a` and what `ask.a` says"),
        (
            ("no.a", "no.b", "may.a", "may.b", "ask.a", "ask.b"),
            "`no.a`, `no.b` deny; a deny wins over the permits `may.a`, `may.b` and what `ask.a`, `ask.b` say",
        ),
        (("no.a", "ask.a"), "`no.a` denies; a deny wins over what `ask.a` says"),
        (("may.a", "ask.a"), "`may.a` permits it, but `ask.a` says require approval"),
        (("may.a", "ask.a", "ask.b"), "`may.a` permits it, but `ask.a`, `ask.b` say require approval"),
    ],
)
def test_a_sentence_names_each_policy_for_what_it_is(satisfied: tuple[str, ...], said: str) -> None:
    """Permits are called permits and nothing else is, and the verb fits how many there are."""
    policies = {name: policy(name) for name in satisfied}
    opinions = Opinions(satisfied=satisfied)
    decision = combine(opinions, policies, Digest("b" * 64))

    assert combination(opinions, policies, decision, decision)[0] == said
