"""A shop on its morning, and the payment service as a real process beside it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

import interlock
from interlock_demo.world.place import SHOP_HOME, Place
from interlock_demo.world.process import PaymentProcess
from interlock_demo.world.seed import seed

MORNING = 1_772_000_000_000


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A freshly seeded shop."""
    shop = Place(folder=tmp_path)
    seed(shop, 7, MORNING)
    return shop


@pytest.fixture
def service(place: Place) -> Iterator[PaymentProcess]:
    """Its payment service, running."""
    with PaymentProcess(place) as process:
        yield process


@pytest.fixture
def lock(place: Place, service: PaymentProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[interlock.Client]:
    """The gate in memory, with the shop's own workspace in force."""
    monkeypatch.setenv(SHOP_HOME, str(place.folder))
    assert service.running
    with (
        resources.as_file(resources.files("interlock_demo") / "workspace") as workspace,
        interlock.open(f"memory:{workspace}") as client,
    ):
        yield client
