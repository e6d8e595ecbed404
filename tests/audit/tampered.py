"""Logs that only somebody with the gate's key could have written: each says what cannot be, and where."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from interlock.adapters.keys import SigningKey, fresh
from interlock.domain import dsse
from interlock.domain.canonical import encode
from interlock.domain.note import signature_line
from interlock.domain.vigilance import mark_of
from tests.audit.ledger import GATE, IDENTITY, LOG, ORIGIN, Form, Ledger

Tamper: TypeAlias = Callable[[Ledger], object]

NEED: dict[str, Any] = {"binding": "x", "requirements": [{"role": "lead", "quorum": 2, "policy": "p"}]}


GOES_ON = {
    "binding": "x",
    "requirements": [{"role": "lead", "quorum": 1, "policy": "p"}, {"role": "cook", "quorum": 1, "policy": "q"}],
    "steps": [
        {"at": "2026-01-01T00:00:00.000Z", "what": "escalate", "role": "boss", "policy": "p"},
        {"at": "2099-01-01T00:00:00.000Z", "what": "escalate", "role": "head", "policy": "p"},
    ],
}
"""A question that goes on to others, one of them long after these entries."""


LENDS: dict[str, Any] = {
    "binding": "x",
    "requirements": [{"role": "lead", "quorum": 2, "policy": "p", "delegate": ["anyone"]}],
}
"""A question that may be handed on."""
KEY: Final = "0f" * 32
OPENED: Final = {"opens": KEY}


def word(binding: str = "x", role: str = "lead", verdict: str = "approve") -> dict[str, Any]:
    """One person's word."""
    return {"verdict": verdict, "binding": binding, "roles": [role]}


def held(ledger: Ledger, *words: dict[str, Any], hold: Any = NEED, state: str = "ready") -> None:
    """An action that people were asked about, and what came of it with these words."""
    ledger.put("decided", action="b", state="held", body={"hold": hold})
    ledger.put("approved", action="b", state=state, body={"approvals": [*words]})


def ways(path: tuple[str, ...]) -> Tamper:
    """An action that is in these states, one after the other, with an intent where it is dispatching."""

    def tamper(ledger: Ledger) -> None:
        for state in path:
            ledger.put("dispatching" if state == "dispatching" else "outcome", action="b", state=state)

    return tamper


def rewritten(*steps: str, to: Any, remove: bool = False) -> Form:
    """A Statement with another value at a place of it, or none."""

    def form(said: dict[str, Any]) -> bytes:
        place: Any = said
        for step in steps[:-1]:
            place = place[step]
        if remove:
            del place[steps[-1]]
        else:
            place[steps[-1]] = to
        return encode(said)

    return form


def put(**given: Any) -> Tamper:
    """One more fact, of a task unless said otherwise."""
    said = {"phase": "opened", "subject": "task"} | given
    return lambda ledger: ledger.put(**said)


def signed(body: bytes, *keys: SigningKey) -> str:
    """A note over `body`."""
    lines = [signature_line(ORIGIN, key.verifier.key_id(), key.sign(body)) for key in keys]
    return (body + b"\n" + b"".join(lines)).decode()


def anchored(note: Callable[[Ledger], Any], phase: str = "anchored", subject: str = "anchor", **body: Any) -> Tamper:
    """An anchor that holds this as its checkpoint."""

    def tamper(ledger: Ledger) -> None:
        held = note(ledger)
        said = {"checkpoint": held.decode() if isinstance(held, bytes) else held, "cosignatures": 0} | body
        ledger.put(phase, subject, body={name: value for name, value in said.items() if value is not None})

    return tamper


def own(ledger: Ledger) -> str:
    """The log's own checkpoint so far."""
    return ledger.checkpoint().decode()


def another(ledger: Ledger) -> str:
    """A checkpoint of the same size by the same key, over something else."""
    lines = ledger.checkpoint().split(b"\n")
    return signed(b"\n".join([*lines[:2], b64encode(bytes(32)), b""]), LOG)


def of_nothing(ledger: Ledger) -> str:
    """A checkpoint of no entries, with a root that is not the empty tree's."""
    del ledger
    return signed(b"%b\n0\n%b\n" % (ORIGIN.encode(), b64encode(bytes(32))), LOG)


def to_come(ledger: Ledger) -> str:
    """A checkpoint of more entries than there are."""
    lines = ledger.checkpoint().split(b"\n")
    return signed(b"\n".join([lines[0], b"%d" % (len(ledger.rows) + 1), lines[2], b""]), LOG)


def of_another_log(ledger: Ledger) -> str:
    """A checkpoint of a log of another name, by the same key."""
    body = b"other/log\n" + ledger.checkpoint().split(b"\n", 1)[1].split(b"\n\n")[0] + b"\n"
    return signed(body, LOG)


def rotated(role: str, *, change: dict[str, Any], key: Callable[[], SigningKey] | None = None) -> Tamper:
    """A change of keys that does not say what it must; the old key signs on."""

    def tamper(ledger: Ledger) -> None:
        log, gate = ledger.log, ledger.gate
        ledger.rotate(
            role, key() if key is not None else fresh(ORIGIN if role == "log" else f"{ORIGIN}/{role}"), **change
        )
        ledger.log, ledger.gate = log, gate

    return tamper


def retired(whose: str, which: Callable[[Ledger], SigningKey], **change: Any) -> Tamper:
    """A key is declared lost after one rotation of the gate's key."""

    def tamper(ledger: Ledger) -> None:
        ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
        body = {"role": whose, "key": which(ledger).verifier.vkey(), "since": 1, "reason": "compromised"} | change
        ledger.put("retired", "key", body={name: value for name, value in body.items() if value is not None})

    return tamper


def erased(**body: Any) -> Tamper:
    """An erasure that says this of itself."""
    return put(phase="erased", subject="erasure", body={"part": 1, "keys": {}, "covers": ""} | body)


def by_who_was_replaced(ledger: Ledger) -> None:
    """An entry that the gate's old key signs."""
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.gate = GATE
    ledger.act("b")


def anchored_by_who_was_replaced(ledger: Ledger) -> None:
    """A checkpoint of behind a change of the log's key, by the key before."""
    ledger.rotate("log", fresh(ORIGIN))
    ledger.act("b")
    anchored(lambda it: it.checkpoint(signer=LOG).decode())(ledger)


def after_handing_over(ledger: Ledger) -> None:
    """One more entry in the stream of a process that handed its key over."""
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.put("opened", "task", stream="handover-5")


def gate_as_identity(ledger: Ledger) -> None:
    """The gate's key is said to have been that of credentials, and replaced."""
    ledger.identity = GATE
    ledger.rotate("identity", fresh(f"{ORIGIN}/gate"))


def another_identity(ledger: Ledger) -> None:
    """The identity key is replaced, and then once more the first."""
    ledger.rotate("identity", fresh(f"{ORIGIN}/identity"))
    ledger.identity = IDENTITY
    ledger.rotate("identity", fresh(f"{ORIGIN}/identity"))


CALLER: dict[str, Any] = {"instance": "I" * 43, "credential": "c-1", "attested": "local", "proof": "e" * 64}
"""What an honest first entry says of who called."""
ENROLLED: dict[str, Any] = {
    "agent": "ag",
    "instance": "I" * 43,
    "attested": "oidc",
    "expiresAt": "2027-01-15T08:00:00.000Z",
}


def calls(ledger: Ledger, action: str, **change: Any) -> None:
    """An action is denied; its entry says who called."""
    body = {"agent": {"id": "ag", "release": "r"}} | CALLER | change
    said = {name: value for name, value in body.items() if value is not None}
    ledger.put("decided", action=action, state="denied", body=said)


def lets_in(ledger: Ledger, phase: str = "enrolled", **change: Any) -> None:
    """Somebody is let in, or a token is offered for that."""
    body = {name: value for name, value in (ENROLLED | change).items() if value is not None}
    ledger.put(phase, "enrolment", body=body)


def called(**change: Any) -> Tamper:
    """An action whose entry says this of who called."""
    return lambda ledger: calls(ledger, "b", **change)


def enrolled(phase: str = "enrolled", **change: Any) -> Tamper:
    """An entry that says this of who was let in."""
    return lambda ledger: lets_in(ledger, phase, **change)


def called_twice(ledger: Ledger) -> None:
    """Two actions have one proof."""
    calls(ledger, "b")
    calls(ledger, "c", credential="c-2")


def let_in_as_another(ledger: Ledger) -> None:
    """An instance is let in as one agent, and calls as another."""
    lets_in(ledger, agent="other")
    calls(ledger, "b", attested="oidc")


def called_later(ledger: Ledger) -> None:
    """The second entry of an action says who called."""
    ledger.put("decided", action="b", state="ready")
    ledger.put("dispatching", action="b", state="dispatching", body=CALLER)


def token_spent_twice(ledger: Ledger) -> None:
    """One token lets two in."""
    lets_in(ledger, "offered")
    token = token_of(ledger)
    lets_in(ledger, attested="bootstrap", token=token)
    lets_in(ledger, attested="bootstrap", token=token, instance="J" * 43)


def token_of_another(ledger: Ledger) -> None:
    """A token that was offered for one agent lets one in as another."""
    lets_in(ledger, "offered", agent="other")
    lets_in(ledger, attested="bootstrap", token=token_of(ledger))


def signs_in(ledger: Ledger, **said: Any) -> None:
    """A person is let in."""
    ledger.put("signed_in", "access", body={"what": "session", "until": "2027-01-15T08:00:00.000Z", **said})


def link_used_twice(ledger: Ledger) -> None:
    """One link lets somebody in, and once more."""
    ledger.put("offered", "access", body={"what": "link"})
    link = token_of(ledger)
    signs_in(ledger, way="link", link=link)
    signs_in(ledger, way="link", link=link)


def signed_in(**said: Any) -> Tamper:
    """An entry that says this of a person who was let in."""
    return lambda ledger: signs_in(ledger, **said)


def token_of(ledger: Ledger) -> str:
    """The id of the token that was offered last."""
    payload = json.loads(dsse.parse(ledger.rows[-1].leaf).payload)
    name: str = payload["subject"][0]["name"]
    return name.rpartition(":")[2]


def back_to_the_first(ledger: Ledger) -> None:
    """The gate's key is replaced by another, and that by the first."""
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.rotate("gate", GATE)


def _stepped(*steps: tuple[str, str, dict[str, Any]]) -> Tamper:
    def tamper(ledger: Ledger) -> None:
        for phase, state, body in steps:
            ledger.put(phase, action="b", state=state, body=body)

    return tamper


def _shuffled(said: dict[str, Any]) -> bytes:
    return json.dumps(dict(reversed(said.items())), separators=(",", ":")).encode()


def _spaced(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True).encode()


def _twice(said: dict[str, Any]) -> bytes:
    return encode(said).replace(b'"phase":"opened"', b'"phase":"closed","phase":"opened"')


def known_bad(*after: tuple[str, str, dict[str, Any]], proof: str | None = None) -> Tamper:
    """An item marked as known to be bad, or with another proof, that people are asked about, and these entries of it."""

    def tamper(ledger: Ledger) -> None:
        body = {"agent": {"id": "ag", "release": "r"}, "hold": NEED} | CALLER | {"proof": proof or mark_of(KEY)}
        ledger.put("decided", action="b", state="held", body=body)
        for phase, state, said in after:
            ledger.put(phase, action="b", state=state, body=said)

    return tamper


def known_bad_and_heard_of(ledger: Ledger) -> None:
    """One that is over, and of which something is said afterwards."""
    known_bad(("voided", "voided", OPENED))(ledger)
    ledger.put("outcome", action="b", state="voided", seq=0)


_PATHS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("refused", "denied", "shadowed"), ()),
    **dict.fromkeys(("rejected", "expired", "voided"), ("held",)),
    **dict.fromkeys(("failed", "unknown", "done"), ("dispatching",)),
    "prepared": ("preparing",),
    "undoing": ("dispatching", "done"),
    "undone": ("dispatching", "done", "undoing"),
}
"""How an action comes to be in these states."""
_MAY = {
    ("unknown", "dispatching"),
    ("unknown", "done"),
    *(("prepared", each) for each in ("dispatching", "done", "unknown")),
}
_IMPOSSIBLE = {
    f"{before} and then {after}": (*path, before, after)
    for before, path in _PATHS.items()
    for after in ("held", "dispatching", "done")
    if after != before and (before, after) not in _MAY
}

TAMPERED: dict[str, Tamper] = {
    **{name: ways(path) for name, path in _IMPOSSIBLE.items()},
    # -- trails
    "no state": ways(("",)),
    "a state that there is not": ways(("magic",)),
    "new once more": ways(("new",)),
    "done at once": ways(("done",)),
    "undone at once": ways(("undoing",)),
    "done without an intent": ways(("ready", "done")),
    "unknown without an intent": ways(("ready", "unknown")),
    "an intent in its words alone": ways(("preparing", "prepared", "done")),
    "another's intent": _stepped(("dispatching", "dispatching", {}), ("outcome", "done", {}), ("outcome", "held", {})),
    "a fact left out": put(phase="dispatching", subject="action", action="b", state="dispatching", seq=2),
    "a fact numbered backwards": put(phase="dispatching", subject="action", action="b", state="dispatching", seq=-1),
    "a fact told twice": put(phase="outcome", subject="action", action="a-1", state="done", seq=2),
    "about one action, of another": put(
        phase="dispatching", subject="action", action="b", state="dispatching", seq=1,
        form=rewritten("subject", to=[{"name": "urn:interlock:action:c", "digest": {"sha256": "d" * 64}}]),
    ),
    # -- agreement
    "too few": lambda ledger: held(ledger, word()),
    "too few of the role": lambda ledger: held(ledger, word(), word(role="cook")),
    "a word for something else": lambda ledger: held(ledger, word(), word("y")),
    "a word for something else that is not needed": lambda ledger: held(ledger, word(), word(), word("y")),
    "a no counted as a yes": lambda ledger: held(ledger, word(), word(verdict="reject")),
    "nobody was asked": _stepped(("decided", "ready", {}), ("approved", "dispatching", {"approvals": [word()]})),
    "one word after the other, too few": _stepped(
        ("decided", "held", {"hold": NEED}), ("approved", "held", {"approvals": [word()]}),
        ("dispatching", "dispatching", {}),
    ),
    "too few before it is prepared": _stepped(("decided", "held", {"hold": NEED}), ("approved", "preparing", {})),
    "words for what was asked before": _stepped(
        ("decided", "held", {"hold": NEED}), ("approved", "held", {"approvals": [word(), word()]}),
        ("modified", "held", {"hold": NEED | {"binding": "z"}}), ("approved", "ready", {"approvals": [word("z")]}),
    ),
    "asked and answered at once, too few": _stepped(
        ("decided", "held", {"hold": NEED}), ("approved", "ready", {"hold": NEED, "approvals": [word()]})
    ),
    "escalated to nobody": _stepped(
        ("decided", "held", {"hold": GOES_ON}), ("escalated", "held", {"walked": 1}),
        ("approved", "ready", {"approvals": [word(role="cook"), word(role="head")]}),
    ),
    "an answer of who was not asked yet": _stepped(
        ("decided", "held", {"hold": GOES_ON}), ("approved", "ready", {"approvals": [word(role="cook"), word(role="boss")]})
    ),
    "the escalation of another policy": _stepped(
        ("decided", "held", {"hold": GOES_ON}), ("escalated", "held", {"walked": 1}),
        ("approved", "ready", {"approvals": [word(), word(role="boss")]}),
    ),
    "escalated before its time": _stepped(("decided", "held", {"hold": GOES_ON}), ("escalated", "held", {"walked": 2})),
    "escalated further than there is": _stepped(("decided", "held", {"hold": GOES_ON}), ("escalated", "held", {"walked": 3})),
    "escalated and taken back": _stepped(
        ("decided", "held", {"hold": GOES_ON}), ("escalated", "held", {"walked": 1}), ("escalated", "held", {"walked": 0}),
    ),
    "escalated by a word": _stepped(("decided", "held", {"hold": GOES_ON}), ("escalated", "held", {"walked": "1"})),
    "escalated by yes": _stepped(("decided", "held", {"hold": GOES_ON}), ("escalated", "held", {"walked": True})),
    "a step that is none": lambda ledger: held(ledger, hold=GOES_ON | {"steps": [7]}),
    "a step of a policy that is none": lambda ledger: held(
        ledger, hold=GOES_ON | {"steps": [{"at": "2026", "what": "escalate", "policy": 7}]}
    ),
    "words that were used up": _stepped(
        ("decided", "held", {"hold": NEED}), ("approved", "ready", {"approvals": [word(), word()]}),
        ("decided", "held", {"hold": NEED}), ("approved", "ready", {"approvals": [word()]}),
    ),
    "the hold is no object": lambda ledger: held(ledger, hold=1),
    "the hold has no binding": lambda ledger: held(ledger, hold={"requirements": []}),
    "the hold asks nothing": lambda ledger: held(ledger, hold={"binding": "x"}),
    "the hold asks for a list": lambda ledger: held(ledger, hold={"binding": "x", "requirements": {}}),
    "the hold asks for text": lambda ledger: held(ledger, hold={"binding": "x", "requirements": ["lead"]}),
    "the hold asks for half a person": lambda ledger: held(
        ledger, hold={"binding": "x", "requirements": [{"role": "lead", "quorum": "2"}]}
    ),
    "the hold asks for no role": lambda ledger: held(
        ledger, hold={"binding": "x", "requirements": [{"role": 7, "quorum": 0}]}
    ),
    "words that are none": _stepped(("decided", "held", {"hold": NEED}), ("approved", "held", {"approvals": "yes"})),
    "a word that is text": _stepped(("decided", "held", {"hold": NEED}), ("approved", "held", {"approvals": ["yes"]})),
    "a word without a verdict": _stepped(
        ("decided", "held", {"hold": NEED}), ("approved", "held", {"approvals": [{"binding": "x", "roles": []}]})
    ),
    "a word without a binding": _stepped(
        ("decided", "held", {"hold": NEED}), ("approved", "held", {"approvals": [{"verdict": "approve", "roles": []}]})
    ),
    "a word of a role that is no list": _stepped(
        ("decided", "held", {"hold": NEED}), ("approved", "held", {"approvals": [word() | {"roles": "lead"}]})
    ),
    "a word in a role that was not handed on": lambda ledger: held(
        ledger, word() | {"lent": ["lead"]}, word(), hold=LENDS
    ),
    "a word in a role that may not be handed on": _stepped(
        ("decided", "held", {"hold": NEED}), ("delegated", "held", {}),
        ("approved", "ready", {"approvals": [word(), word() | {"lent": ["lead"]}]}),
    ),
    "a word in a role that may be handed to others only": _stepped(
        ("decided", "held", {"hold": {"binding": "x", "requirements": [NEED["requirements"][0] | {"delegate": ["boss"]}]}}),
        ("delegated", "held", {}), ("approved", "ready", {"approvals": [word(), word() | {"lent": ["lead"]}]}),
    ),
    "a role lent to no list": _stepped(
        ("decided", "held", {"hold": LENDS}), ("approved", "held", {"approvals": [word() | {"lent": "lead"}]})
    ),
    "whom it may be handed to is no list": lambda ledger: held(
        ledger, hold={"binding": "x", "requirements": [NEED["requirements"][0] | {"delegate": "anyone"}]}
    ),
    # -- known to be bad
    "known to be bad, and carried out": known_bad(
        ("approved", "ready", {"approvals": [word(), word()]}), ("dispatching", "dispatching", {}), ("outcome", "failed", OPENED)
    ),
    "known to be bad, and cleared": known_bad(
        ("approved", "ready", {"approvals": [word(), word()]}), ("voided", "voided", OPENED)
    ),
    "known to be bad, and still asked about": known_bad(("approved", "held", OPENED | {"approvals": [word()]})),
    "called known to be bad afterwards": known_bad(("rejected", "rejected", OPENED), proof="e" * 64),
    "known to be bad by another key": known_bad(("voided", "voided", {"opens": "1" * 64})),
    "known to be bad by no text": known_bad(("voided", "voided", {"opens": 7})),
    "known to be bad, and nobody asked": put(phase="decided", subject="action", action="b", state="denied", body=OPENED),
    "known to be bad, and heard of afterwards": known_bad_and_heard_of,
    # -- streams
    "a place left out": put(skip=1),
    "another before it": put(form=rewritten("predicate", "stream", "prev", to="00" * 32)),
    "opened twice": lambda ledger: [ledger.put("opened", "run", stream="x") for _ in range(2)],
    "closed with another count": put(phase="closed", subject="run", body={"entries": 9}),
    "closed without a count": put(phase="closed", subject="run"),
    "after the end": lambda ledger: [ledger.put("closed", "run", stream="x", body={"entries": n}) for n in (1, 2)],
    "after handing over": after_handing_over,
    # -- how it is written
    "floats": put(body={"n": 1}, form=lambda said: encode(said).replace(b'"n":1', b'"n":1.5')),
    "an integer that not every program can hold": put(
        body={"n": 1}, form=lambda said: encode(said).replace(b'"n":1', b'"n":90071992547409930')
    ),
    "keys out of order": put(form=_shuffled),
    "spaces": put(form=_spaced),
    "a key given twice": put(form=_twice),
    "no JSON": put(form=lambda said: encode(said)[:-1]),
    "a list": put(form=lambda _: b"[]"),
    "another type": put(form=rewritten("_type", to="https://in-toto.io/Statement/v0.1")),
    "another's predicate": put(form=rewritten("predicateType", to="https://slsa.dev/provenance/v1")),
    "no subject": put(form=rewritten("subject", to=[])),
    "two subjects": put(form=rewritten("subject", to=[{"name": "a", "digest": {"sha256": "d"}}] * 2)),
    "a subject without a digest": put(form=rewritten("subject", to=[{"name": "a"}])),
    "a subject of another digest": put(form=rewritten("subject", to=[{"name": "a", "digest": {"sha1": "d"}}])),
    "no phase": put(form=rewritten("predicate", "phase", to=None, remove=True)),
    "no stream": put(form=rewritten("predicate", "stream", to=None, remove=True)),
    "a place in text": put(form=rewritten("predicate", "stream", "seq", to="6")),
    "no time": put(form=rewritten("predicate", "times", to={})),
    "a time elsewhere": put(form=rewritten("predicate", "times", "observedAt", to="2027-01-15T08:06:00+01:00")),
    "a time nowhere": put(form=rewritten("predicate", "times", "observedAt", to="2027-01-15T08:06:00")),
    "a day that there is not": put(form=rewritten("predicate", "times", "observedAt", to="2027-02-30T08:06:00Z")),
    "an action without a name": put(action="", state="denied"),
    "an action without a number": put(
        action="b", state="denied", form=rewritten("predicate", "actionSeq", to=None, remove=True)
    ),
    "an action with a number in text": put(
        action="b", state="denied", form=rewritten("predicate", "actionSeq", to="1")
    ),
    "a commitment to a number": put(form=rewritten("predicate", "commitments", to={"toolArgs": 1})),
    "commitments in a list": put(form=rewritten("predicate", "commitments", to=[])),
    # -- keys
    "introduced again": put(
        phase="introduced", subject="key", body={"log": LOG.verifier.vkey(), "gate": GATE.verifier.vkey()}
    ),
    "something else of a key": put(phase="opened", subject="key"),
    "replaces without the old key's word": rotated("gate", change={"endorsement": b64encode(bytes(64)).decode()}),
    "replaces without the new key's word": rotated("gate", change={"possession": b64encode(bytes(64)).decode()}),
    "replaces with a word that is none": rotated("log", change={"endorsement": "?"}),
    "replaces who was not there": rotated("log", change={"replaces": fresh(ORIGIN).verifier.vkey()}),
    "replaces by what is no key": rotated("log", change={"key": "nobody"}),
    "replaces by itself": rotated("gate", change={}, key=lambda: GATE),
    "replaces by one of another name": rotated("gate", change={}, key=lambda: fresh("other/gate")),
    "replaces the log's key by the gate's": rotated(
        "log", change={}, key=lambda: SigningKey(ORIGIN, bytes([7]) * 32)
    ),
    "replaces nobody's key": rotated("gate", change={"role": "cook"}),
    "replaces the identity key without its word": rotated("identity", change={"endorsement": b64encode(bytes(64)).decode()}),
    "replaces the identity key by nobody's word": rotated("identity", change={"possession": ""}),
    "replaces the identity key by the gate's": rotated(
        "identity", change={}, key=lambda: SigningKey(f"{ORIGIN}/identity", bytes([7]) * 32)
    ),
    "replaces the identity key by itself": rotated("identity", change={}, key=lambda: IDENTITY),
    "replaces as identity key what is none": rotated("identity", change={"replaces": "nobody"}),
    "replaces as identity key the gate's": gate_as_identity,
    "replaces another identity key than that in force": another_identity,
    "an identity key in force is lost": retired("identity", lambda _: IDENTITY),
    "back to the first": back_to_the_first,
    "signed by who was replaced": by_who_was_replaced,
    "a key in force is lost": retired("gate", lambda ledger: ledger.gate),
    "a key of nobody is lost": retired("gate", lambda _: fresh(f"{ORIGIN}/gate")),
    "a key is lost, nobody knows when": retired("gate", lambda _: GATE, since=None),
    "a key is lost in time to come": retired("gate", lambda _: GATE, since=99),
    "a key is lost before time": retired("gate", lambda _: GATE, since=-1),
    "a key is lost, of nobody": retired("gate", lambda _: GATE, role=None),
    "a key of the other role is lost": retired("log", lambda _: GATE),
    # -- who called
    "called by no instance": called(instance="x"),
    "called with a proof that is none": called(proof="F" * 64),
    "called without a proof": called(proof=None),
    "called by whom nobody knows how": called(attested="hearsay"),
    "called with a credential that is a number": called(credential=7),
    "called with nothing but a proof": called(instance=None, credential=None, attested=None),
    "called as no agent": called(agent=None),
    "called twice with one proof": called_twice,
    "called from outside without being let in": called(attested="oidc"),
    "called as another agent than was let in": let_in_as_another,
    "called later than it is asked": called_later,
    "let in by being there": enrolled(attested="local"),
    "let in without an instance": enrolled(instance=1),
    "let in as nobody": enrolled(agent=None),
    "let in by a token that nobody offered": enrolled(attested="bootstrap", token="t-9"),  # noqa: S106  its id
    "let in by a token twice": token_spent_twice,
    "let in by a token of another agent": token_of_another,
    "let in, or not": enrolled(phase="considered"),
    "a person let in by a link twice": link_used_twice,
    "a person let in by a link that nobody made": signed_in(way="link", link="l-9"),
    "a person let in by no way there is": signed_in(way=["link"]),
    # -- anchors
    "anchors nothing": anchored(lambda _: "x"),
    "anchors no text": anchored(lambda _: 1),
    "anchors another past": anchored(another),
    "anchors another nothing": anchored(of_nothing),
    "anchors another log": anchored(of_another_log),
    "anchors what is to come": anchored(to_come),
    "anchors what a stranger signed": anchored(lambda it: it.checkpoint(signer=fresh(ORIGIN)).decode()),
    "anchors what the key before signed": anchored_by_who_was_replaced,
    "anchors without a count": anchored(own, cosignatures=None),
    "anchors with a time stamp that is none": anchored(own, timestamp="?"),
    "anchors under another word": anchored(own, phase="opened"),
    "something else anchors": anchored(own, subject="task"),
    # -- erasures
    "erased in part of text": erased(part="1"),
    "erased what is a list": erased(covers=[]),
    "erased what comes": erased(covers="99"),
    "erased itself": erased(covers="5"),
    "erased backwards": erased(covers="3-2"),
    "erased in words": erased(covers="all"),
    "erased by a list of keys": erased(keys=[]),
    "erased by numbers": erased(keys={"000000000000": 1}),
}  # fmt: skip
