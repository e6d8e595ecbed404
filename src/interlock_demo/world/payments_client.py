"""How the shop speaks to its payment and mail service.

A refusal (4xx) means nothing happened. Anything else that goes wrong (no connection, no answer, 5xx) is left as the
`httpx` error it is: whoever called cannot know, and must not guess.
"""

from __future__ import annotations

import functools
from typing import TypeVar

import httpx
import msgspec

from interlock_demo.world.db import ShopRefusal
from interlock_demo.world.place import Place

TIMEOUT_S = 2.5

Answer = TypeVar("Answer", bound=msgspec.Struct)


class PaymentRefused(ShopRefusal):
    """The payment service declined."""


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    charge_id: str
    order_id: str
    amount_minor: int


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    refund_id: str
    order_id: str
    return_id: str
    amount_minor: int


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    mail_id: str


@functools.cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT_S, trust_env=False)  # a proxy of the machine has no business with the loopback


def post(place: Place, path: str, body: dict[str, object], key: str, answer: type[Answer]) -> Answer:
    """POST `body` under `key` and read the answer as `answer`."""
    headers = {"Idempotency-Key": key} if key else {}
    content = msgspec.json.encode(body, order="sorted")
    reply = _client().post(f"{place.payments_url()}{path}", content=content, headers=headers)
    if 400 <= reply.status_code < 500:
        raise PaymentRefused(str(reply.json()["error"]))
    reply.raise_for_status()
    return msgspec.json.decode(reply.content, type=answer)


def find(place: Place, path: str, key: str, answer: type[Answer]) -> Answer | None:
    """What happened under `key`, or None as far as the service knows now."""
    reply = _client().get(f"{place.payments_url()}{path}", params={"key": key})
    if reply.status_code == 404:
        return None
    reply.raise_for_status()
    return msgspec.json.decode(reply.content, type=answer)
