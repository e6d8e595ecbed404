-- Words of people do not stand in the standing orders: why a brake was pulled, and by whom, is a record of its own, sealed.
-- Whatever stands there already is sealed when the store is next opened with its vault, and the file written anew.
UPDATE tenant SET swept = 0;

CREATE TRIGGER orders_say_no_words_first BEFORE INSERT ON document
WHEN NEW.kind = 'control' AND (SELECT vault FROM tenant WHERE number = NEW.tenant) IS NOT NULL
     AND EXISTS (SELECT 1 FROM json_each(NEW.body, '$.stops') WHERE json_extract(value, '$.why') IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what is private is sealed here: a newer version is at work'); END;

CREATE TRIGGER orders_say_no_words BEFORE UPDATE OF body ON document
WHEN NEW.kind = 'control' AND (SELECT vault FROM tenant WHERE number = NEW.tenant) IS NOT NULL
     AND EXISTS (SELECT 1 FROM json_each(NEW.body, '$.stops') WHERE json_extract(value, '$.why') IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what is private is sealed here: a newer version is at work'); END;
