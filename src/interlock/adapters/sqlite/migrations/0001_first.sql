-- Times are UTC milliseconds. `body` is the whole record as JSON; the columns beside it are there to search and to read.
-- Every page that a commit touches is written and synced, so there are as few trees as the questions allow.

CREATE TABLE tenant (
    number  INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    log_key TEXT -- the public key its log began with
) STRICT;

CREATE TABLE document (
    tenant   INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE action (
    tenant          INTEGER NOT NULL,
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
CREATE INDEX action_open ON action (tenant, state, id)
WHERE state IN ('aborting', 'held', 'prepared', 'preparing', 'ready', 'undo_failed', 'undoing', 'unknown');
CREATE INDEX action_undoes ON action (tenant, undoes) WHERE undoes IS NOT NULL;

-- Which tasks ran under a release: the way from a release to its actions.
CREATE TABLE release_task (
    tenant  INTEGER NOT NULL,
    release TEXT    NOT NULL,
    task    TEXT    NOT NULL,
    PRIMARY KEY (tenant, release, task)
) STRICT, WITHOUT ROWID;

-- The log. `place` is the tenant's number times 2^40 plus the entry's index: one key, led by the tenant.
CREATE TABLE entry (
    place      INTEGER PRIMARY KEY,
    tenant     INTEGER GENERATED ALWAYS AS (place >> 40) VIRTUAL,
    idx        INTEGER GENERATED ALWAYS AS (place & 0xFFFFFFFFFF) VIRTUAL,
    stream     TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    action     TEXT,
    phase      TEXT    NOT NULL,
    leaf_hash  BLOB    NOT NULL,
    checkpoint TEXT, -- the signed note over the log up to and with this entry, where one was signed
    disclosed  TEXT, -- the clear text behind the leaf's commitments, a line each, until it is erased
    leaf       BLOB    NOT NULL
) STRICT;

CREATE INDEX entry_action ON entry (tenant, action) WHERE action IS NOT NULL;

-- Full tiles only; `root` is the tile's one hash in the level above.
CREATE TABLE tile (
    tenant INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    root   BLOB    NOT NULL,
    hashes BLOB    NOT NULL,
    PRIMARY KEY (tenant, level, n)
) STRICT, WITHOUT ROWID;

-- The log only grows, and of an entry only what was disclosed may go. Whoever can write the file can drop these:
-- they guard against mistakes, the signatures against the rest.
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
WHEN (NEW.place, NEW.stream, NEW.seq, NEW.action, NEW.phase, NEW.leaf_hash, NEW.checkpoint, NEW.leaf)
     IS NOT (OLD.place, OLD.stream, OLD.seq, OLD.action, OLD.phase, OLD.leaf_hash, OLD.checkpoint, OLD.leaf)
     OR (NEW.disclosed IS NOT NULL AND NEW.disclosed IS NOT OLD.disclosed)
BEGIN SELECT RAISE(ABORT, 'an entry never changes'); END;

CREATE TRIGGER entry_remains BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'an entry is never removed'); END;

CREATE TRIGGER tile_stays BEFORE UPDATE ON tile BEGIN SELECT RAISE(ABORT, 'a full tile never changes'); END;

CREATE TRIGGER tile_remains BEFORE DELETE ON tile BEGIN SELECT RAISE(ABORT, 'a tile is never removed'); END;

CREATE TRIGGER log_key_stays BEFORE UPDATE ON tenant WHEN OLD.log_key IS NOT NULL AND NEW.log_key IS NOT OLD.log_key
BEGIN SELECT RAISE(ABORT, 'a log keeps the key it began with'); END;
