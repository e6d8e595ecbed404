-- What is private is sealed under keys of the vault: `body` and the leaf keep what stays readable, `sealed` the rest.
-- In columns and indexes a caller's own words stand as marks of the vault, which say nothing to who lacks it.

ALTER TABLE tenant ADD COLUMN vault TEXT; -- the vault that has the keys
ALTER TABLE tenant ADD COLUMN swept INTEGER NOT NULL DEFAULT 0; -- 1 once nothing private stands in the clear

ALTER TABLE action ADD COLUMN sealed BLOB;
ALTER TABLE document ADD COLUMN sealed BLOB;
ALTER TABLE entry ADD COLUMN sealed BLOB;

-- The number of the key that something sealed needs stands in its bytes 2 to 9. Entries of actions are found by the action.
CREATE INDEX entry_key ON entry (tenant, substr(sealed, 2, 8)) WHERE action IS NULL AND sealed IS NOT NULL;

-- Of an entry the clear text may be sealed, and what is sealed may go. Nothing else.
DROP TRIGGER entry_stays;
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
WHEN (NEW.place, NEW.stream, NEW.seq, NEW.action, NEW.phase, NEW.leaf_hash, NEW.checkpoint, NEW.leaf)
     IS NOT (OLD.place, OLD.stream, OLD.seq, OLD.action, OLD.phase, OLD.leaf_hash, OLD.checkpoint, OLD.leaf)
     OR (NEW.disclosed IS NOT NULL AND NEW.disclosed IS NOT OLD.disclosed)
     OR (NEW.sealed IS NOT NULL AND NEW.sealed IS NOT OLD.sealed AND (OLD.disclosed IS NULL OR OLD.sealed IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'an entry never changes'); END;
