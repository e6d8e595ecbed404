-- Times are UTC milliseconds. `body` is the whole record as JSON; the columns beside it are there to search and to read.

CREATE TABLE document (
    tenant   TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE action (
    tenant          TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    task            TEXT    NOT NULL,
    agent           TEXT    NOT NULL,
    release         TEXT    NOT NULL,
    contract        TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    undoes          TEXT,
    proposed_at     INTEGER NOT NULL,
    fingerprint     TEXT    NOT NULL,
    revision        INTEGER NOT NULL,
    state           TEXT    NOT NULL,
    place           TEXT    NOT NULL,
    due_at          INTEGER,
    owner           TEXT,
    lease_until     INTEGER,
    fence           INTEGER NOT NULL,
    ended_at        INTEGER,
    body            TEXT    NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, agent, idempotency_key)
) STRICT;

CREATE INDEX action_due ON action (tenant, place, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX action_task ON action (tenant, task, fingerprint);
CREATE INDEX action_release ON action (tenant, release);
CREATE INDEX action_undoes ON action (tenant, undoes) WHERE undoes IS NOT NULL;

-- Which log this is: the public key it began with.
CREATE TABLE log (
    tenant TEXT NOT NULL PRIMARY KEY,
    vkey   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    tenant    TEXT    NOT NULL,
    idx       INTEGER NOT NULL,
    stream    TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    action    TEXT,
    phase     TEXT    NOT NULL,
    leaf_hash BLOB    NOT NULL,
    leaf      BLOB    NOT NULL,
    PRIMARY KEY (tenant, idx)
) STRICT, WITHOUT ROWID;

CREATE INDEX entry_action ON entry (tenant, action) WHERE action IS NOT NULL;

-- The clear text behind an entry's commitments. Erasure removes rows here and nowhere else.
CREATE TABLE disclosure (
    tenant TEXT    NOT NULL,
    idx    INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    text   TEXT    NOT NULL,
    PRIMARY KEY (tenant, idx, n)
) STRICT, WITHOUT ROWID;

-- Full tiles only; `root` is the tile's one hash in the level above.
CREATE TABLE tile (
    tenant TEXT    NOT NULL,
    level  INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    root   BLOB    NOT NULL,
    hashes BLOB    NOT NULL,
    PRIMARY KEY (tenant, level, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
    tenant TEXT    NOT NULL,
    size   INTEGER NOT NULL,
    note   TEXT    NOT NULL,
    PRIMARY KEY (tenant, size)
) STRICT, WITHOUT ROWID;

-- The log only grows. Whoever can write the file can drop these: they guard against mistakes, the signatures against the rest.
CREATE TRIGGER log_stays BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'a log keeps the key it began with'); END;
CREATE TRIGGER log_remains BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'a log keeps the key it began with'); END;
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'an entry never changes'); END;
CREATE TRIGGER entry_remains BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'an entry is never removed'); END;
CREATE TRIGGER tile_stays BEFORE UPDATE ON tile BEGIN SELECT RAISE(ABORT, 'a full tile never changes'); END;
CREATE TRIGGER tile_remains BEFORE DELETE ON tile BEGIN SELECT RAISE(ABORT, 'a tile is never removed'); END;
CREATE TRIGGER checkpoint_stays BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END;
CREATE TRIGGER checkpoint_remains BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'a checkpoint is never removed'); END;
