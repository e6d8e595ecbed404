"""Who made each call, as the log says it: what may stand there, whoever signed it.

The first entry of an action that an agent asked for names the instance, its credential, by what it was recognised, and a
digest of its proof. A proof is of one call, so no two actions have one; and who was recognised from outside was let in
before, on record, by a token that was offered before and that let in nobody else. So it is with people and their links.
"""

import re
from typing import Final, NamedTuple

import msgspec

from interlock.domain.attesting import METHODS
from interlock.domain.evidence import PREDICATE_BASE
from interlock.domain.login import WAYS
from interlock.domain.statement import Said

ACTION_TYPE: Final = f"{PREDICATE_BASE}/action/v1"
ACCESS_TYPE: Final = f"{PREDICATE_BASE}/access/v1"
ENROLMENT_TYPE: Final = f"{PREDICATE_BASE}/enrolment/v1"

_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"[!-~]{1,256}")
_FORMS: Final = (("instance", _THUMBPRINT), ("credential", _NAME), ("attested", _NAME), ("proof", _DIGEST))


class _Agent(msgspec.Struct, frozen=True):
    id: str


class _Enrolled(NamedTuple):
    instance: str
    agent: str
    attested: str


_agents: Final = msgspec.json.Decoder(_Agent)
_name: Final = msgspec.json.Decoder(str)


class Callers:
    """Follows them through the entries of a log, in order. 16 bytes are kept of each proof."""

    def __init__(self) -> None:
        self._proofs: set[bytes] = set()
        self._enrolled: set[_Enrolled] = set()
        self._offered: dict[str, str] = {}
        """The agent that each token which was not spent yet lets one be."""
        self._links: set[str] = set()
        """Those that were made for a person and not used yet."""

    def follow(self, kind: str, subject: str, said: Said) -> list[str]:
        """What is wrong with what an entry says of who called, or was let in."""
        if kind == ACCESS_TYPE:
            return self._access(subject.rpartition(":")[2], said)
        if kind == ENROLMENT_TYPE:
            return self._enrolment(subject.rpartition(":")[2], said)
        if kind != ACTION_TYPE or said.action_id is None:
            return []
        return wrong_form(said) or self._call(said)

    def _call(self, said: Said) -> list[str]:
        if said.proof is None:
            return []
        proof = bytes.fromhex(str(said.proof))[:16]
        if proof in self._proofs:
            return ["the proof of its call is that of another action"]
        self._proofs.add(proof)
        try:
            agent = _agents.decode(said.agent).id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ["it says who called, and not as which agent"]
        who = _Enrolled(str(said.instance), agent, str(said.attested))
        if who.attested != "local" and who not in self._enrolled:
            return ["whoever called was recognised from outside, by its own word, and was never let in"]
        return []

    def _access(self, name: str, said: Said) -> list[str]:
        if said.phase == "offered" and said.what == "link":
            self._links.add(name)
        if said.phase != "signed_in":
            return []
        if not any(said.way == each for each in WAYS):
            return ["it lets a person in by no way there is"]
        if said.way == "link" and str(said.link) not in self._links:
            return ["it lets a person in by a link that was not made, or was used before"]
        self._links.discard(str(said.link))
        return []

    def _enrolment(self, name: str, said: Said) -> list[str]:
        try:
            agent = _name.decode(said.agent)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ["it lets somebody in, and does not say as which agent"]
        if said.phase == "offered":
            self._offered[name] = agent
            return []
        who = _Enrolled(str(said.instance), agent, str(said.attested))
        if said.phase != "enrolled" or who.attested == "local" or not _is_known(who.attested):
            return ["it lets somebody in by no way there is"]
        if not _THUMBPRINT.fullmatch(who.instance):
            return ["it lets in who is no instance"]
        if who.attested == "bootstrap" and self._offered.pop(str(said.token), None) != agent:
            return ["it lets somebody in by a token that was not offered for that agent, or was spent before"]
        self._enrolled.add(who)
        return []


def wrong_form(said: Said) -> list[str]:
    """What is wrong in itself with what an action's entry says of who called."""
    there = [name for name, _ in _FORMS if getattr(said, name) is not None]
    if not there:
        return []
    for name, form in _FORMS:
        value = getattr(said, name)
        if not isinstance(value, str) or not form.fullmatch(value):
            return [f"what it says of who called is not what it must be: `{name}`"]
    if not _is_known(str(said.attested)):
        return ["whoever called was recognised by no way there is"]
    return [] if said.action_seq == 1 else ["it says who called, which only the first entry of an action does"]


def _is_known(attested: str) -> bool:
    return any(each == attested for each in METHODS)
