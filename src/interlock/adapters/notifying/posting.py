"""Messages over HTTP: Slack-compatible webhooks, and signed ones.

The signature is that of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, in the
header `webhook-signature` as `v1,<base64>`, beside `webhook-id` and `webhook-timestamp` (seconds). Redirects are not followed and
no proxy of the environment is used: a message goes to the host that was named, or nowhere.

Loaded by its name when the first message goes: the client takes as long to import as half of all else.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx

from interlock.adapters.addresses import is_safe
from interlock.adapters.notifying.secrets import secret_of
from interlock.domain.canonical import JsonValue
from interlock.domain.channel import Slack, Webhook
from interlock.domain.duration import SECOND
from interlock.domain.errors import NotDelivered
from interlock.domain.evidence import at
from interlock.domain.notification import LONGEST_WAIT, Message, Told

TIMEOUT_S: Final = 10.0
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  what the secret begins with, not one
_AGAIN: Final = frozenset({408, 425, 429})
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackNotifier:
    """An incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""

    def __init__(self, way: Slack, folder: Path, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._way = way
        self._folder = folder
        self._transport = transport

    async def send(self, message: Message, told: Told, now: int) -> None:
        """See `Notifier`."""
        del message, now
        url = secret_of(self._way.url, self._folder)
        if urlsplit(url).hostname != self._way.host:
            raise NotDelivered(f"the address is not at `{self._way.host}`", for_good=True)
        title, lines = told.title.translate(_ESCAPED), [line.translate(_ESCAPED) for line in told.lines]
        text = "\n".join([f"*{title}*", *lines, *([f"<{told.link}|Open it>"] if told.link else [])])
        blocks: list[JsonValue] = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
        body = json.dumps({"text": title, "blocks": blocks}, ensure_ascii=False).encode()
        await _post(url, body, {}, self._transport)


class WebhookNotifier:
    """A program that checks who speaks."""

    def __init__(self, way: Webhook, folder: Path, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._way = way
        self._folder = folder
        self._transport = transport

    async def send(self, message: Message, told: Told, now: int) -> None:
        """See `Notifier`."""
        body = json.dumps(_content(message, told), ensure_ascii=False).encode()
        timestamp = str(now // SECOND)
        headers = {
            "webhook-id": message.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(secret_of(self._way.secret, self._folder), message.id, timestamp, body),
        }
        await _post(self._way.url, body, headers, self._transport)


def signature(secret: str, name: str, timestamp: str, body: bytes) -> str:
    """`v1,<base64>` over all three, so that none of them can be put to another. Raises NotDelivered where `secret` is none."""
    key = secret.removeprefix(SECRET_PREFIX)
    try:
        raw = base64.b64decode(key, validate=True) if key != secret else secret.encode()
    except ValueError:
        raise NotDelivered(f"the secret begins with {SECRET_PREFIX}, and base64 does not follow") from None
    signed = hmac.new(raw, b".".join((name.encode(), timestamp.encode(), body)), sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def _content(message: Message, told: Told) -> dict[str, JsonValue]:
    content: dict[str, JsonValue] = {
        "id": message.id,
        "event": message.event,
        "at": at(message.made_at),
        "title": told.title,
        "lines": list(told.lines),
        "link": told.link,
        "critical": message.critical,
    }
    if message.counts:
        content["counts"] = {str(event): count for event, count in message.counts.items()}
    if message.action:
        content |= {
            "action": message.action,
            "contract": message.contract,
            "agent": message.agent,
            "risk": message.risk,
            "roles": list(message.roles),
            "deadline": None if message.deadline is None else at(message.deadline),
        }
    return content


async def _post(url: str, body: bytes, headers: Mapping[str, str], transport: httpx.AsyncBaseTransport | None) -> None:
    if not is_safe(url):
        raise NotDelivered("its address does not begin with https://", for_good=True)
    try:
        with anyio.fail_after(TIMEOUT_S):  # all of it: whoever answers a byte a second would keep us for ever
            async with (
                httpx.AsyncClient(
                    timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, transport=transport
                ) as client,
                client.stream(
                    "POST", url, content=body, headers={"content-type": "application/json", **headers}
                ) as answer,
            ):
                # What it says besides is not read: only whether it took the message.
                _must_have_taken(answer)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
        # The words of the client may hold the address, and that may be the secret.
        raise NotDelivered(f"it could not be reached: {type(error).__name__}") from None


def _must_have_taken(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    if answer.is_redirect:
        raise NotDelivered(f"it answers {answer.status_code}, and redirects are not followed", for_good=True)
    for_good = answer.is_client_error and answer.status_code not in _AGAIN
    raise NotDelivered(f"it answers {answer.status_code}", for_good=for_good, wait_ms=_wait(answer))


def _wait(answer: httpx.Response) -> int:
    said = answer.headers.get("retry-after", "")
    return min(int(said) * SECOND, LONGEST_WAIT) if said.isdecimal() and len(said) < 7 else 0
