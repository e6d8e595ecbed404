"""Whether an agent is there, and may act: asked wherever one begins something, in the same words."""

from interlock.domain.control import Control, Standing
from interlock.domain.errors import NotAllowed, NotFound
from interlock.domain.ids import AgentName
from interlock.domain.names import instead


def standing_of(agent: AgentName, control: Control) -> Standing:
    """Which version of `agent` is in force. Raises NotFound where none is."""
    found = control.agents.get(agent)
    if found is None:
        advice = instead(agent, control.agents, "bring one into force: `interlock apply`")
        raise NotFound(f"no agent `{agent}` is in force", next_step=advice)
    return found


def must_act(agent: AgentName, control: Control) -> None:
    """Raises NotAllowed where people suspended or retired `agent`."""
    state = control.state_of(agent)
    if state != "active":
        raise NotAllowed(f"agent `{agent}` is {state}", next_step=f"see why: `interlock agent show {agent}`")
