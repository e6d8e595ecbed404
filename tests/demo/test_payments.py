"""The payment and mail service, as its callers meet it: over HTTP, in a process of its own, killed at bad moments."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from interlock_demo.world.db import reading
from interlock_demo.world.payments import Faults
from interlock_demo.world.place import Place
from interlock_demo.world.process import PaymentProcess

REFUND = {"order_id": "ORD-0001", "return_id": "RET-0001", "amount_minor": 500, "currency": "EUR"}


def post(place: Place, path: str, body: object, key: str = "") -> httpx.Response:
    """One request to the service."""
    headers = {"Idempotency-Key": key} if key else {}
    return httpx.post(place.payments_url() + path, json=body, headers=headers, timeout=5, trust_env=False)


def rows(place: Place, table: str) -> list[dict[str, object]]:
    """Every row of a table of the payment service."""
    with reading(place.payments_db) as conn:
        return [dict(row) for row in conn.execute(f"SELECT * FROM {table}")]


def figures(place: Place) -> dict[str, int]:
    """Calls and effects, as the service counts them."""
    answer: dict[str, int] = httpx.get(f"{place.payments_url()}/figures", trust_env=False).json()
    return answer


def test_a_key_gets_its_first_answer_again(place: Place, service: PaymentProcess) -> None:
    """The same key with the same body is one refund, however often it is asked for, and whoever else asks in between."""
    first = post(place, "/refunds", REFUND, "k1")
    post(place, "/refunds", REFUND | {"amount_minor": 1}, "k2")
    again = post(place, "/refunds", REFUND, "k1")

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert figures(place) | {"refunds": 2, "refunds_calls": 3} == figures(place)


def test_one_key_from_many_callers_at_once_is_one_refund(place: Place, service: PaymentProcess) -> None:
    """Twenty callers with one key get one answer."""
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(post, place, "/refunds", REFUND, "k1") for _ in range(20)]

    assert len({answer.result().json()["refund_id"] for answer in answers}) == 1
    assert figures(place)["refunds"] == 1


def test_a_key_is_not_for_another_request(place: Place, service: PaymentProcess) -> None:
    """The same key with another body, or for another kind of request, is declined with 422 and changes nothing."""
    post(place, "/refunds", REFUND, "k1")
    other_body = post(place, "/refunds", REFUND | {"amount_minor": 501}, "k1")
    other_path = post(place, "/charges", {"order_id": "ORD-0001", "amount_minor": 5, "currency": "EUR"}, "k1")

    assert (other_body.status_code, other_path.status_code) == (422, 422)
    assert len(rows(place, "refunds")) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/refunds", REFUND | {"amount_minor": 10_000_000}, 409),
        ("/refunds", REFUND | {"amount_minor": 0}, 400),
        ("/refunds", REFUND | {"amount_minor": 1.5}, 400),
        ("/refunds", REFUND | {"order_id": "ORD-9999"}, 409),
        ("/refunds", REFUND | {"surprise": 1}, 400),
        ("/refunds", "not an object", 400),
        ("/refunds/cancel", {"refund_id": "re_000009"}, 409),
        ("/charges", {"order_id": "ORD-0001", "amount_minor": -5, "currency": "EUR"}, 400),
        ("/charges/void", {"charge_id": "ch_999999"}, 409),
        ("/nowhere", {}, 404),
    ],
)
def test_what_cannot_be_is_declined_and_changes_nothing(
    place: Place, service: PaymentProcess, path: str, body: object, status: int
) -> None:
    """More than was charged, nothing at all, half a cent, unknown orders and fields: a 4xx, and no row."""
    before = rows(place, "charges"), rows(place, "refunds")
    reply = post(place, path, body, "k1")

    assert reply.status_code == status
    assert reply.json()["error"]
    assert (rows(place, "charges"), rows(place, "refunds")) == before


def test_a_payment_without_a_key_is_declined(place: Place, service: PaymentProcess) -> None:
    """No key, no payment."""
    assert post(place, "/refunds", REFUND).status_code == 400
    assert rows(place, "refunds") == []


def test_a_refund_is_cancelled_once(place: Place, service: PaymentProcess) -> None:
    """A refund is cancelled under one key: asked again, the same answer; under another key there is nothing left."""
    refund_id = post(place, "/refunds", REFUND, "k1").json()["refund_id"]
    first, again, other = (post(place, "/refunds/cancel", {"refund_id": refund_id}, key) for key in ("c1", "c1", "c2"))

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert first.json() == again.json()
    assert [row["status"] for row in rows(place, "refunds")] == ["cancelled"]


def test_mail_honours_no_key(place: Place, service: PaymentProcess) -> None:
    """Each request is one more mail, with a key or without."""
    letter = {"recipient": "ana@example.com", "subject": "Hello", "body": "."}
    for _ in range(3):
        assert post(place, "/mail", letter, "k1").status_code == 202

    assert figures(place) | {"mails": 3, "mails_calls": 3} == figures(place)


def test_looking_up_a_key(place: Place, service: PaymentProcess) -> None:
    """A key that had an effect is found with its answer; one that had none, or was declined, is not."""
    done = post(place, "/refunds", REFUND, "k1").json()
    post(place, "/refunds", REFUND | {"amount_minor": 10_000_000}, "k2")
    found = {
        key: httpx.get(f"{place.payments_url()}/refunds", params={"key": key}, trust_env=False)
        for key in ("k1", "k2", "k3")
    }

    assert found["k1"].json() == done
    assert (found["k2"].status_code, found["k3"].status_code) == (404, 404)


def test_dying_between_effect_and_answer_loses_nothing(place: Place, service: PaymentProcess) -> None:
    """SIGKILL after the effect and before the answer: the caller hears nothing, and asking again gets the one refund."""
    service.misbehave(Faults(crash_after_effects=2))
    post(place, "/refunds", REFUND, "k1")
    with pytest.raises(httpx.TransportError):
        post(place, "/refunds", REFUND, "k2")
    service.wait()
    service.start()
    again = post(place, "/refunds", REFUND, "k2")

    assert again.status_code == 201
    assert [row["key"] for row in rows(place, "refunds")] == ["k1", "k2"]
    assert figures(place)["refunds_calls"] == 3


@pytest.mark.proves("demo.payments_survive_kill")
def test_killed_at_any_moment_under_load(place: Place, service: PaymentProcess) -> None:
    """Callers who repeat a key until they are answered get exactly one refund each, while the service is killed four times."""
    stop = time.monotonic() + 30

    def refund(count: int) -> str:
        body = REFUND | {"amount_minor": 1, "return_id": f"RET-{count:04d}"}
        while time.monotonic() < stop:
            try:
                return str(post(place, "/refunds", body, f"k{count}").json()["refund_id"])
            except httpx.TransportError:
                time.sleep(0.02)
        raise AssertionError("never answered")

    killed = threading.Event()

    def killer() -> None:
        for _ in range(4):
            time.sleep(0.15)
            service.kill()
            service.start()
        killed.set()

    with ThreadPoolExecutor(9) as pool:
        pool.submit(killer)
        answers = list(pool.map(refund, range(240)))

    assert killed.wait(30)
    assert len(set(answers)) == 240
    assert sorted(str(row["key"]) for row in rows(place, "refunds")) == sorted(f"k{count}" for count in range(240))
