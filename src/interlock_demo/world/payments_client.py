"""How the shop speaks to its payment and mail service.

A refusal (4xx) means nothing happened. Anything else that goes wrong (no connection, no answer, 5xx) is left as the
`httpx` error it is: whoever called cannot know, and must not guess.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import TypeVar

import httpx
import msgspec

from interlock_demo.world.db import ShopRefusal
from interlock_demo.world.place import Place

ANSWER_S = 1.5
"""How long an answer may take."""
CONNECT_S = 1.2
"""How long a service that is being restarted is waited for."""

Answer = TypeVar("Answer", bound=msgspec.Struct)


class PaymentRefused(ShopRefusal):
    """The payment service declined."""


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """Money taken."""

    charge_id: str
    order_id: str
    amount_minor: int


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money given back."""

    refund_id: str
    order_id: str
    return_id: str
    amount_minor: int


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that was sent."""

    mail_id: str


@functools.cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=ANSWER_S, trust_env=False)  # a proxy of the machine has no business with the loopback


def post(place: Place, path: str, body: dict[str, object], key: str, answer: type[Answer]) -> Answer:
    """POST `body` under `key` and read the answer as `answer`."""
    headers = {"Idempotency-Key": key} if key else {}
    content = msgspec.json.encode(body, order="sorted")
    reply = _reached(lambda: _client().post(f"{place.payments_url()}{path}", content=content, headers=headers))
    if 400 <= reply.status_code < 500:
        raise PaymentRefused(str(reply.json()["error"]))
    reply.raise_for_status()
    return msgspec.json.decode(reply.content, type=answer)


def find(place: Place, path: str, key: str, answer: type[Answer]) -> Answer | None:
    """What happened under `key`, or None as far as the service knows now."""
    reply = _reached(lambda: _client().get(f"{place.payments_url()}{path}", params={"key": key}))
    if reply.status_code == 404:
        return None
    reply.raise_for_status()
    return msgspec.json.decode(reply.content, type=answer)


def _reached(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send, and while nobody listens try again: what was never sent can be sent again, and only that."""
    patience = time.monotonic() + CONNECT_S
    while True:
        try:
            return send()
        except httpx.ConnectError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.05)
