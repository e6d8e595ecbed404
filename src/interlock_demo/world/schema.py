"""The tables of the shop. Money is integer minor units of EUR, times are UTC milliseconds.

`stock_moves`, `ledger` and the documents (orders, returns, exchanges, credits) are written in the same transaction as the
figure they explain; `interlock_demo.invariants` recomputes each figure from them.
"""

from __future__ import annotations

SHOP = """
CREATE TABLE suppliers (
    supplier_id TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    city        TEXT NOT NULL,
    lead_days   INTEGER NOT NULL CHECK (lead_days > 0)
) STRICT;

CREATE TABLE products (
    sku           TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    category      TEXT NOT NULL,
    flagship      INTEGER NOT NULL CHECK (flagship IN (0, 1)),
    supplier_id   TEXT NOT NULL REFERENCES suppliers,
    cost_minor    INTEGER NOT NULL CHECK (cost_minor > 0),
    floor_minor   INTEGER NOT NULL CHECK (floor_minor >= 0),    -- 0 outside the flagship range: no floor
    price_minor   INTEGER NOT NULL CHECK (price_minor > 0),
    price_version INTEGER NOT NULL DEFAULT 1                    -- counts every change of the price
) STRICT;

CREATE TABLE price_changes (
    change_id     TEXT PRIMARY KEY,                             -- the caller's key
    sku           TEXT NOT NULL REFERENCES products,
    was_minor     INTEGER NOT NULL,
    now_minor     INTEGER NOT NULL,
    price_version INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE stock (
    sku      TEXT PRIMARY KEY REFERENCES products,
    opening  INTEGER NOT NULL CHECK (opening >= 0),             -- counted before the day began
    on_hand  INTEGER NOT NULL CHECK (on_hand >= 0),
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved BETWEEN 0 AND on_hand)
) STRICT;

CREATE TABLE stock_moves (
    move_id  INTEGER PRIMARY KEY,
    sku      TEXT NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL,                                  -- signed: in is positive
    kind     TEXT NOT NULL,
    document TEXT NOT NULL,
    moved_at INTEGER NOT NULL,
    UNIQUE (kind, document, sku)
) STRICT;

CREATE TABLE weekly_sales (
    sku   TEXT NOT NULL REFERENCES products,
    week  INTEGER NOT NULL,                                     -- 1 is last week
    units INTEGER NOT NULL CHECK (units >= 0),
    PRIMARY KEY (sku, week)
) STRICT, WITHOUT ROWID;

CREATE TABLE purchase_orders (
    po_id           TEXT PRIMARY KEY,
    reference       TEXT NOT NULL UNIQUE,                       -- the buyer's own number
    sku             TEXT NOT NULL REFERENCES products,
    supplier_id     TEXT NOT NULL REFERENCES suppliers,
    quantity        INTEGER NOT NULL CHECK (quantity > 0),
    unit_cost_minor INTEGER NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('placed', 'cancelled')),
    placed_at       INTEGER NOT NULL
) STRICT;

CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL UNIQUE,
    city        TEXT NOT NULL
) STRICT;

CREATE TABLE promotions (
    promotion_id TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    per_mille    INTEGER NOT NULL CHECK (per_mille BETWEEN 1 AND 900)
) STRICT;

CREATE TABLE reservations (
    reservation_id TEXT PRIMARY KEY,
    customer_id    TEXT NOT NULL REFERENCES customers,
    sku            TEXT NOT NULL REFERENCES products,
    quantity       INTEGER NOT NULL CHECK (quantity > 0),
    status         TEXT NOT NULL CHECK (status IN ('held', 'released', 'bought')),
    reserved_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE orders (
    order_id       TEXT PRIMARY KEY,
    customer_id    TEXT NOT NULL REFERENCES customers,
    promotion_id   TEXT REFERENCES promotions,
    reservation_id TEXT REFERENCES reservations,                -- what it was made of; past orders have none
    goods_minor    INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL,
    total_minor    INTEGER NOT NULL CHECK (total_minor = goods_minor - discount_minor),
    status         TEXT NOT NULL CHECK (status IN ('delivered', 'placed', 'cancelled')),
    placed_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE order_lines (
    order_id       TEXT NOT NULL REFERENCES orders,
    line_no        INTEGER NOT NULL,
    sku            TEXT NOT NULL REFERENCES products,
    quantity       INTEGER NOT NULL CHECK (quantity > 0),
    unit_minor     INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL,                            -- this line's share of the order's promotion
    PRIMARY KEY (order_id, line_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE returns (
    return_id       TEXT PRIMARY KEY,
    order_id        TEXT NOT NULL,
    line_no         INTEGER NOT NULL,
    reason          TEXT NOT NULL,
    replacement_sku TEXT REFERENCES products,                   -- set when the customer wants an exchange
    refund_minor    INTEGER NOT NULL CHECK (refund_minor >= 0), -- money owed to the customer
    credit_minor    INTEGER NOT NULL CHECK (credit_minor >= 0), -- promotional credit owed to the customer
    status          TEXT NOT NULL CHECK (status IN ('accepted', 'withdrawn')),
    accepted_at     INTEGER NOT NULL,
    FOREIGN KEY (order_id, line_no) REFERENCES order_lines
) STRICT;
CREATE UNIQUE INDEX a_line_comes_back_once ON returns (order_id, line_no) WHERE status = 'accepted';

CREATE TABLE credits (
    credit_id    TEXT PRIMARY KEY,
    return_id    TEXT NOT NULL REFERENCES returns,
    customer_id  TEXT NOT NULL REFERENCES customers,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    status       TEXT NOT NULL CHECK (status IN ('granted', 'revoked')),
    granted_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE exchanges (
    exchange_id TEXT PRIMARY KEY,
    return_id   TEXT NOT NULL REFERENCES returns,
    sku         TEXT NOT NULL REFERENCES products,
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    status      TEXT NOT NULL CHECK (status IN ('shipped', 'recalled')),
    shipped_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE ledger (
    entry_id     INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL CHECK (kind IN ('charge', 'charge_voided', 'refund', 'refund_cancelled')),
    payment_id   TEXT NOT NULL,                                 -- the payment service's number
    order_id     TEXT NOT NULL REFERENCES orders,
    return_id    TEXT REFERENCES returns,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    booked_at    INTEGER NOT NULL,
    UNIQUE (kind, payment_id)                                   -- booking twice books once
) STRICT;

CREATE TABLE answers (
    key    TEXT PRIMARY KEY,                                    -- a caller's key and the answer it got
    body   TEXT NOT NULL,
    answer TEXT NOT NULL
) STRICT;
"""

PAYMENTS = """
CREATE TABLE IF NOT EXISTS charges (
    charge_id    TEXT PRIMARY KEY,
    key          TEXT NOT NULL UNIQUE,
    order_id     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('taken', 'voided')),
    taken_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS charges_by_order ON charges (order_id);

CREATE TABLE IF NOT EXISTS refunds (
    refund_id    TEXT PRIMARY KEY,
    key          TEXT NOT NULL UNIQUE,
    order_id     TEXT NOT NULL,
    return_id    TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency     TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('issued', 'cancelled')),
    issued_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS refunds_by_order ON refunds (order_id);

CREATE TABLE IF NOT EXISTS mails (
    mail_id   TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    subject   TEXT NOT NULL,
    body      TEXT NOT NULL,
    sent_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS answers (
    key    TEXT PRIMARY KEY,
    path   TEXT NOT NULL,
    body   TEXT NOT NULL,
    status INTEGER NOT NULL,
    answer TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS calls (
    call_id   INTEGER PRIMARY KEY,                              -- every call that reached the service, effect or not
    path      TEXT NOT NULL,
    key       TEXT NOT NULL,
    called_at INTEGER NOT NULL
) STRICT;
"""
