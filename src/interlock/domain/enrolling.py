"""How a running instance asks for its credential: as whom, with which key, and by what it is to be recognised."""

from typing import Final

import msgspec

from interlock.domain.attesting import Method
from interlock.domain.ids import AgentName, Digest
from interlock.domain.jwk import Jwk
from interlock.domain.possession import Call
from interlock.domain.presented import called

LOCAL: Final[Method] = "local"
"""Attested by being in the process that holds the key folder: whoever can read it may be any agent."""
ENROL: Final = "interlock.enrol"
"""What stands for a tool in the proof of an enrolment."""


class Enrolling(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    agent: AgentName
    jwk: Jwk
    by: Method = LOCAL
    """The attestor that is to look at `evidence`."""
    evidence: str = ""
    """A secret of an attestor's: told to nobody."""
    credential: str = ""
    """To renew: the one that is held, instead of evidence."""
    proof: str = ""
    """That the key in `jwk` is held, over all of the above."""

    def __repr__(self) -> str:
        return f"Enrolling(agent={self.agent!r}, by={self.by!r}, instance={self.jwk.thumbprint!r})"

    def call(self, audience: str) -> Call:
        """What the proof is about."""
        asked = {"by": self.by, "credential": self.credential, "evidence": self.evidence, "key": self.jwk.x}
        return called(self.agent, ENROL, dict(asked), None, audience=audience)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a plane wants to see of an agent's instances."""

    audience: str
    """For whom proofs are made."""
    release: Digest
    """The agent's release in force, as the plane last saw it."""
