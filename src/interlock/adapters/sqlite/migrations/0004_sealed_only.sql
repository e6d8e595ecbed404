-- A process of an earlier version that had the file open before it was sealed still writes in the clear, and over what is
-- sealed: where a vault has the keys, it is refused. Whoever seals gives a new sealed part with every body.

CREATE TRIGGER action_is_sealed BEFORE INSERT ON action
WHEN NEW.sealed IS NULL AND (SELECT vault FROM tenant WHERE number = NEW.tenant) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what is private is sealed here: a newer version is at work'); END;

CREATE TRIGGER action_stays_sealed BEFORE UPDATE OF body ON action
WHEN OLD.sealed IS NOT NULL AND NEW.sealed IS OLD.sealed AND NEW.body IS NOT OLD.body
BEGIN SELECT RAISE(ABORT, 'what is private is sealed here: a newer version is at work'); END;

CREATE TRIGGER document_stays_sealed BEFORE UPDATE OF body ON document
WHEN OLD.sealed IS NOT NULL AND NEW.sealed IS OLD.sealed AND NEW.body IS NOT OLD.body
BEGIN SELECT RAISE(ABORT, 'what is private is sealed here: a newer version is at work'); END;

CREATE TRIGGER entry_is_sealed BEFORE INSERT ON entry
WHEN NEW.disclosed IS NOT NULL AND (SELECT vault FROM tenant WHERE number = NEW.place >> 40) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what is private is sealed here: a newer version is at work'); END;
