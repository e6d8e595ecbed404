"""One action as an agent audit record: draft-gilda-audit-agent-audit-record, one in-toto Statement for an action's entries.

https://datatracker.ietf.org/doc/draft-gilda-audit-agent-audit-record/ : seventeen members, of which a reader derives again what
can be derived. It is a view for programs that read that format; each is made from the entries alone, and names them.

No member of the draft may be absent. Where Interlock has nothing to say, the weakest value stands, and `doesNotAssert` says so.
"""

from hashlib import sha256
from typing import Final

from interlock.domain.account import Told, listed, within
from interlock.domain.canonical import JsonValue, digest, encode
from interlock.domain.evidence import STATEMENT_TYPE, at
from interlock.domain.predicate import Observed, agreement

PREDICATE: Final = "https://probityai.github.io/agent-evidence-vectors/predicate/v1/agent-audit-record"
"""The type its conformance corpus gives such records; the draft itself names none."""
NOTHING: Final = sha256(b"").hexdigest()
"""What stands where the draft wants a digest of something that there is not."""
_UNSAID: Final = (
    "on whose behalf it was done: that stands behind a commitment in the entries",
    "that the agent proved who it is: it holds no credential here",
    "anything of the agent's network: the weakest posture stands where nobody assessed one",
    "whether it was undone later",
)
_ASKED: Final = frozenset({"require_approval", "escalate"})
_LET: Final = frozenset({"ready", "preparing", "prepared", "dispatching"})
"""States that only what was permitted gets into, people's words included."""
_KEYS: Final = ("agent", "correlation", "decision", "delegation", "posture", "remediation", "resource")


class AuditRecord:
    """The record of one action, as its entries pass in the order of the log."""

    def __init__(self, first: Told, leaf: bytes) -> None:
        self._first = self._last = first
        self._digest = self._decided_at = ""
        self._decision: object = None
        self._let = False
        self._begun: tuple[str, str] = (first.at, sha256(leaf).hexdigest())
        """When what was there before the effect was said, and the digest of the entry that said it."""
        self._ended: tuple[str, str] | None = None
        self._observed: Observed = "none"
        self.take(first, leaf)

    def take(self, told: Told, leaf: bytes) -> None:
        """Add what one more entry says. What was only overheard, beside the numbered facts, adds nothing."""
        if not told.seq:
            return
        said, self._last = told.predicate, told
        self._digest = str(within(said, "actionDigest")) or self._digest
        if within(said, "decision"):
            self._decision, self._decided_at, self._let = within(said, "decision"), told.at, False
        self._let = self._let or told.state in _LET
        if told.phase == "dispatching":
            self._begun, self._ended, self._observed = (told.at, sha256(leaf).hexdigest()), None, "unknown"
        observed = within(said, "effect", "observed")
        if observed in ("occurred", "none", "unknown"):
            self._ended, self._observed = (told.at, sha256(leaf).hexdigest()), observed

    def payload(self, origin: str, issued_at: int) -> bytes:
        """The Statement in canonical JSON, to be signed."""
        predicate = self._predicate(origin, issued_at)
        correlation = f"urn:interlock:action:{self._first.action}"
        interval = within(predicate, "effect", "interval")
        return encode(
            {
                "_type": STATEMENT_TYPE,
                "subject": [
                    {"name": correlation, "digest": {"sha256": within(predicate, "decision", "requestDigest")}},
                    {"name": f"{correlation}/after", "digest": {"sha256": within(interval, "afterRoot")}},
                ],
                "predicateType": PREDICATE,
                "predicate": predicate,
            }
        )

    def _predicate(self, origin: str, issued_at: int) -> dict[str, JsonValue]:
        said, action = self._first.predicate, self._first.action
        resource = self._resource()
        requested = {"action": "call", "resourceId": resource["id"], "resourceKind": "tool"}
        if "argumentsDigest" in resource:
            requested["argumentsDigest"] = resource["argumentsDigest"]
        request = digest(requested)
        reported = self._reported()
        chain = list[JsonValue](map(str, listed(said, "delegation")))
        return {
            "recordId": f"urn:interlock:audit-record:{action}:{self._last.entry}",
            "tier": "voluntary",
            "hashAlgorithm": "sha256",
            "agent": {
                "id": f"urn:interlock:agent:{within(said, 'agent', 'id') or 'unsaid'}",
                "credentialDigest": NOTHING,
                "authentication": "none",
                "signers": [],
            },
            "delegation": {
                "subject": "none",
                "subjectKind": "none",
                "authorityDigest": digest(
                    {
                        "delegation": chain,
                        "release": str(within(said, "agent", "release")),
                        "task": str(within(said, "taskId")),
                    }
                ),
            },
            "resource": resource,
            "decision": {
                "action": "call",
                "requestDigest": request,
                "reported": reported,
                "decisionPointId": f"urn:interlock:log:{origin}",
                "policyDigest": str(within(self._decision, "policyDigest")) or NOTHING,
                "reportedAt": self._decided_at or self._first.at,
            },
            "effect": self._effect(request),
            "agreement": agreement(permitted=reported != "deny", observed=self._observed),
            "correlation": {"id": f"urn:interlock:action:{action}", "scope": "producer", "timeBasis": "asserted"},
            "posture": {
                "reported": "unsafe_bypass_egress",
                "reportedDigest": NOTHING,
                "observed": "unsafe_bypass_egress",
                "observedDigest": NOTHING,
                "assessedAt": self._first.at,
                "agreement": "agree",
            },
            "remediation": [],
            "observation": {"vantage": "self", "coverage": {"scopeComplete": False, "gaps": []}},
            "fieldEvidence": dict[str, JsonValue](dict.fromkeys(_KEYS, "producer-asserted")),
            "doesNotAssert": [*map(str, listed(said, "doesNotAssert")), *_UNSAID],
            "issuedAt": at(issued_at),
            "evaluation": self._evaluation(),
        }

    def _resource(self) -> dict[str, JsonValue]:
        """The tool, and the digest that holds its arguments: with a nonce, so that it cannot be guessed back to them."""
        tool: dict[str, JsonValue] = {
            "kind": "tool",
            "id": str(within(self._first.predicate, "resource", "id")) or "unsaid",
        }
        if self._digest:
            return {**tool, "binding": "digest-bound", "argumentsDigest": self._digest}
        return {**tool, "binding": "not-bindable"}

    def _reported(self) -> str:
        """What was decided, people's words included."""
        verdict = within(self._decision, "reported")
        if verdict == "allow":
            return "permit"
        return "permit-with-conditions" if verdict == "oblige" or (verdict in _ASKED and self._let) else "deny"

    def _effect(self, request: str) -> dict[str, JsonValue]:
        """What was observed, as the draft has it: a write from one state to another, each the digest of an entry."""
        opened, before = self._begun
        sealed, after = self._ended or (self._last.at, self._begun[1])
        scope = f"/actions/{self._first.action}"
        writes: list[JsonValue] = []
        if self._observed == "none":
            after = before
        else:
            writes = [
                {
                    "path": f"{scope}/effect",
                    "preStateDigest": before,
                    "postStateDigest": after,
                    "requestDigest": request if self._observed == "occurred" else "unattributed",
                    "inScope": True,
                }
            ]
        interval: dict[str, JsonValue] = {
            "beforeRoot": before,
            "afterRoot": after,
            "baseResolution": "supplied",
            "openedAt": opened,
            "sealedAt": sealed,
        }
        return {"observed": self._observed, "interval": interval, "pathScope": [scope], "writes": writes}

    def _evaluation(self) -> dict[str, JsonValue]:
        """Whether policy could be asked. It was read in the very commit that recorded the decision: its age is none."""
        if not self._decision:
            return {"status": "evaluated", "inputs": []}
        source: dict[str, JsonValue] = {"input": "policy-source", "maxAge": 0}
        if within(self._decision, "evaluation", "status") == "not-evaluated":
            inputs: list[JsonValue] = [{**source, "lastResult": "none"}]
            return {"status": "not-evaluated", "inputs": inputs, "unavailableInput": ["policy-source"]}
        return {"status": "evaluated", "inputs": [{**source, "lastResult": self._decided_at}]}
