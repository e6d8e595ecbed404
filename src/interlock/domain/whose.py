"""Whose word each field of an entry is, what stands behind each commitment, and what no entry asserts."""

from collections.abc import Mapping
from typing import Final, Literal

Grade = Literal[
    "gateway-observed",
    "agent-asserted",
    "initiator-asserted",
    "approver-asserted",
    "target-reported",
    "person-asserted",
    "issuer-asserted",
]
"""Whose word a field is. `initiator-asserted`: of the program that opened the task, for the one it works for.
`issuer-asserted`: of an identity provider or a trust domain."""

SAID_BY: Final[dict[str, Grade]] = {
    "confidence": "agent-asserted",
    "traceparent": "agent-asserted",
    "toolArgs": "agent-asserted",
    "askedArgs": "agent-asserted",
    "idempotencyKey": "agent-asserted",
    "justification": "agent-asserted",
    "kpi": "agent-asserted",
    "initiator": "initiator-asserted",
    "purpose": "initiator-asserted",
    "planSummary": "initiator-asserted",
    "givenTools": "initiator-asserted",
    "givenData": "initiator-asserted",
    "approvals": "approver-asserted",
    "approvers": "approver-asserted",
    "question": "approver-asserted",
    "handing": "approver-asserted",
    "answer": "agent-asserted",
    "facts": "target-reported",
    "effect": "target-reported",
    "toolResult": "target-reported",
    "error": "target-reported",
    "by": "person-asserted",
    "why": "person-asserted",
    "consents": "approver-asserted",
    "subject": "person-asserted",
    "names": "person-asserted",
    "workload": "issuer-asserted",
    "usage": "agent-asserted",
    "providerUsage": "target-reported",
    "answeredBy": "target-reported",
    "definition": "target-reported",
    "toolNamed": "target-reported",
}
"""By the name of a field of the predicate or of a commitment, of which none is both. All others are `gateway-observed`."""

OURS: Final = "interlock."
"""Names and reasons that begin so are of rules of ours. Other reasons are sentences, which may name a person."""


def spoken(private: Mapping[str, object]) -> dict[Grade, list[str]]:
    """Whose word each of the clear texts of an entry is that is no action's, where it is not our own."""
    found: dict[Grade, list[str]] = {}
    for name, value in private.items():
        ours = name == "by" and isinstance(value, str) and value.startswith(OURS)
        if name in SAID_BY and not ours:
            found.setdefault(SAID_BY[name], []).append(name)
    return found


COMMITTED: Final[dict[str, str]] = {
    "toolArgs": "the arguments, as they were bound to the contract and will be or were executed",
    "askedArgs": "the arguments as they were asked for, where binding made others of them",
    "nonce": "128 random bits of the gate's, which with tool, contract and `toolArgs` give `actionDigest`",
    "initiator": "on whose behalf",
    "purpose": "what the task is for",
    "planSummary": "the plan, as the program that opened the task summed it up",
    "givenTools": "the tools a task was given, with what their arguments may be; without it whatever its agent may use",
    "givenData": "the records a task was given, by kind; without it whatever its agent may touch",
    "idempotencyKey": "the key under which a repeat is the same action",
    "justification": "why, in the agent's words",
    "kpi": "what the agent says it will do to figures of the business: whole numbers by name",
    "facts": "what the contract's source of facts said when it was decided",
    "parsed": "what the contract's rules read out of arguments and facts",
    "budget": "each budget it reserved from, as it stood right after: `scope`, `unit`, `limit`, `reserved`, `spent`",
    "reasons": "the reasons, in words",
    "approvers": "name and note of the person whose word this is",
    "viewer": "the person who was shown it",
    "dossier": "all that the person was shown; with `nonce` its canonical form has the digest that their word names",
    "question": "a reviewer's question to the agent: its number, who asks, and the words",
    "answer": "the agent's answer: the number of the question, and the words",
    "handing": "who handed the question to whom, and the note; `back` where it was taken back",
    "toolResult": "what the tool gave back; where `output` stands beside it, what the agent got of that",
    "outputSalt": "128 random bits of the gate's, which with a result give `before` and `after` of `output`",
    "error": "what went wrong, as it was told",
    "note": "a note beside the outcome",
    "late": "whether it came after somebody else had taken over",
    "by": "who did it, as they said; `interlock.*` is a rule of the gate, and its own word",
    "why": "why, in their words",
    "failure": "how a task failed: the name of what ended it",
    "blockedWhy": "why undoing cannot go on",
    "changes": "what a publication changes, in words",
    "consents": "name and note of each person who consented",
    "worker": "the process: machine, number and a random end",
    "subject": "whose data is to be erased; gone with them",
    "names": "what a legal hold names",
    "person": "whose account it is: a link, session, password or key of theirs",
    "workload": "who an instance is, by the word of an identity provider or a trust domain",
    "usage": "of a use of a model: how many tokens it may take at most; once it ended, how many the program says it took",
    "countedUsage": "of a use of a model that Interlock asked: the tokens it counts by what was sent and wanted: at most; once "
    "it ended, all of these, or none",
    "providerUsage": "of a use of a model that Interlock asked: how many tokens its provider says it took",
    "prompt": "of a use of a model that Interlock asked: the digest and size of the question, and what was masked in it",
    "answeredBy": "of a use of a model that Interlock asked: what its answer says of itself: `model`, `finish` and the like",
    "delivered": "of a use of a model that Interlock asked: digest and size of what the agent was given, and how long it took",
    "cost": "of a use of a model: what these cost, with its `unit`",
    "definition": "what a server says of a tool, in its own words; nothing where that is long",
    "toolNamed": "what a server calls a tool that nobody accepted",
    "vigilance": "of an item known to be bad: which, what was wrong, and who noticed or did not",
}
"""What stands behind each commitment. Each is a salted digest (RFC 9901 section 4.2) of a clear text kept beside the log."""

DOES_NOT_ASSERT: Final = (
    "that the arguments are true",
    "that the target told the truth",
    "that nothing was done past the gate",
    "that its clock was right",
)
