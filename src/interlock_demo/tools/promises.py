"""What the shop's systems promise to whoever calls them twice, and how long they may take."""

import interlock

KEPT_BY_THE_SHOP = interlock.Keyed(retention_ms=30 * interlock.DAY)
"""The shop keeps every key, and the answer it got, with the row it made."""

KEPT_BY_PAYMENTS = interlock.Keyed(retention_ms=interlock.DAY)
"""The payment service promises to know a key for a day."""

TIMEOUT_MS = 3 * interlock.SECOND
"""Longer than the shop waits for its payment service, so that the tool and not the clock says what happened."""
