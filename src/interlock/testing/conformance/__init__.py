"""What every adapter of a port must do, written once: each adapter's own tests run these against a world of its own.

Nothing here knows a test framework: a promise is an async function that takes a `World` and raises when it is broken.
"""

from interlock.testing.conformance.store import SUITES
from interlock.testing.conformance.vault import PROMISES as VAULT
from interlock.testing.conformance.vault import VaultPromise
from interlock.testing.conformance.world import Both, Promise, World

__all__ = ["SUITES", "VAULT", "Both", "Promise", "VaultPromise", "World"]
