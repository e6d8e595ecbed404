"""Finding agents: by who answers for them, cohort, state, contract, or any word of their files."""

import msgspec

from interlock.domain.agent import OFFICES, Agent
from interlock.domain.record import plain


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which agents: every field that says something narrows. `owner` is a person or a role, `text` any words of the file."""

    owner: str = ""
    tag: str = ""
    state: str = ""
    capability: str = ""
    text: str = ""

    def fits(self, agent: Agent, state: str) -> bool:
        """Whether `agent`, which stands as `state` says, is meant."""
        words = self.text.casefold().split()
        return (
            (not self.owner or self.owner in {agent.owners.of(office) for office in OFFICES})
            and (not self.tag or self.tag in agent.tags)
            and (not self.state or self.state == state)
            and (not self.capability or self.capability in agent.capabilities)
            and (not words or _holds(agent, words))
        )


def _holds(agent: Agent, words: list[str]) -> bool:
    """Whether every one of `words` stands somewhere in the file. A prompt is behaviour, not description: it is left out."""
    behaviour = msgspec.structs.replace(agent.behaviour, prompt="")
    text = msgspec.json.encode(plain(msgspec.structs.replace(agent, behaviour=behaviour))).decode().casefold()
    return all(word in text for word in words)
