-- What counts once: proofs of possession that were used, each until it could not count any more.
CREATE TABLE spent (
    tenant INTEGER NOT NULL REFERENCES tenant,
    until INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (tenant, until, digest)
) STRICT, WITHOUT ROWID;
