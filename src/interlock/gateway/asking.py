"""Telling the person at the client that a call waits: for whom, until when and where; and whether they want to wait for it.

What they answer is about waiting alone. Who may agree to an action is the control plane's to say, and its record is what counts:
an answer to a client never agrees to anything.
"""

from datetime import UTC, datetime
from typing import Final, Literal

import mcp_types as types
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from pydantic import ValidationError

from interlock.domain.action import Action
from interlock.domain.approval import open_requirements, roles_for
from interlock.domain.names import listed

Choice = Literal["wait", "ticket", "withdraw"]
CHOICES: Final[tuple[Choice, ...]] = ("wait", "ticket", "withdraw")
_BY_WORD: Final[dict[str, Choice]] = {each: each for each in CHOICES}
NAME: Final = "interlock_waiting"
"""Under what the question stands in an answer of the newest version."""
ELICIT: Final = "interlock/elicit"
"""In `_meta` of a call: false, and nobody at the client is told."""
_MEMBER: Final = "then"
_FORM: Final[dict[str, object]] = {
    "type": "object",
    "properties": {
        _MEMBER: {
            "type": "string",
            "title": "Meanwhile",
            "description": "wait: for the answer; ticket: go on, and ask later; withdraw: take the call back",
            "enum": list(CHOICES),
        }
    },
    "required": [_MEMBER],
}


def question(action: Action, offered: types.ClientCapabilities | None, public_url: str) -> types.ElicitRequest | None:
    """What the person at the client is told of `action`, which is held; None where the client cannot tell them.

    A client that opens addresses is given that of the action in the console, where there is one; any other a form.
    """
    elicits = None if offered is None else offered.elicitation
    if elicits is None:
        return None
    words = _words(action)
    if elicits.url is not None and public_url:
        where = f"{public_url}/actions/{action.id}"
        return types.ElicitRequest(
            params=types.ElicitRequestURLParams(message=words, url=where, elicitation_id=action.id)
        )
    if elicits.form is None and elicits.url is not None:
        return None
    link = f" It is decided at {public_url}/actions/{action.id}." if public_url else ""
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=words + link, requested_schema=dict(_FORM)))


def chosen(answer: object) -> Choice:
    """What was answered; whoever said nothing of the kind waits."""
    if not isinstance(answer, types.ElicitResult) or answer.action != "accept" or answer.content is None:
        return "wait"
    said = answer.content.get(_MEMBER)
    return _BY_WORD.get(said, "wait") if isinstance(said, str) else "wait"


async def asked(session: object, request: types.ElicitRequest, related: types.RequestId | None) -> Choice:
    """Ask a client of the older versions. One that answers nothing of use waits."""
    if not isinstance(session, ServerSession) or not session.can_send_request:
        return "wait"
    try:
        answer = await session.send_request(
            request, types.ElicitResult, metadata=ServerMessageMetadata(related_request_id=related)
        )
    except (MCPError, ValidationError):
        return "wait"
    return chosen(answer)


def _words(action: Action) -> str:
    hold = action.hold
    if hold is None:
        return f"`{action.contract}` waits."
    roles = sorted(
        {role for need in open_requirements(hold, initiator=action.initiator) for role in roles_for(hold, need)}
    )
    until = datetime.fromtimestamp(hold.expires_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    why = f": {'; '.join(action.reasons)}" if action.reasons else ""
    return f"`{action.contract}` waits for a person's word{why}. It is asked of {listed(roles)}, until {until}."
