"""Where a shop lives: one folder with its database, the payment service's database and that service's address.

Tools run in several processes (an agent, a worker). Each finds the shop by the environment variable `SHOP_HOME`, and reads
the address anew for every call, so a payment service that comes back on another port is found at once.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

SHOP_HOME = "SHOP_HOME"


class ShopNotFound(Exception):
    """No shop where one was expected; the words say what to do."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one shop."""

    folder: Path

    @property
    def shop_db(self) -> Path:
        """The shop's own database."""
        return self.folder / "shop.db"

    @property
    def payments_db(self) -> Path:
        """The payment service's database."""
        return self.folder / "payments.db"

    @property
    def address_file(self) -> Path:
        """Where the payment service says how to reach it."""
        return self.folder / "payments.url"

    def payments_url(self) -> str:
        """The payment service's base address, without a slash at its end."""
        try:
            return self.address_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise ShopNotFound(f"the payment service of `{self.folder}` has not been started yet") from None


def here() -> Place:
    """The shop this process works for."""
    home = os.environ.get(SHOP_HOME)
    if not home:
        raise ShopNotFound(f"set `{SHOP_HOME}` to the folder of a shop")
    return Place(folder=Path(home))
