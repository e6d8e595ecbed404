"""Every vault keeps every promise of the port `Vault`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.adapters.memory import MemoryVault
from interlock.adapters.sqlite import SqliteVault
from interlock.ports.vault import Vault
from interlock.testing.conformance import VAULT, VaultPromise


def in_memory(_: Path) -> Callable[[], Vault]:
    """The one there is."""
    vault = MemoryVault()
    return lambda: vault


def in_sqlite(folder: Path) -> Callable[[], Vault]:
    """Connections to one file."""

    def opened() -> Vault:
        vault = SqliteVault(folder / "keys.db", folder / "keys")
        vault.begin(None)
        return vault

    return opened


@pytest.mark.parametrize("make", [in_memory, in_sqlite])
@pytest.mark.parametrize("promise", VAULT, ids=lambda promise: promise.__name__)
@pytest.mark.proves("vault.keys")
def test_vault(make: Callable[[Path], Callable[[], Vault]], promise: VaultPromise, tmp_path: Path) -> None:
    """Keys are given once, open what they sealed, and are gone when they were shredded."""
    asyncio.run(promise(make(tmp_path)))
