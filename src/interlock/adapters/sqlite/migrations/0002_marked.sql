-- Entries about keys, anchors and erasures are few, and are looked for by themselves.
CREATE INDEX entry_marked ON entry (tenant, phase)
WHERE phase IN ('introduced', 'rotated', 'retired', 'anchored', 'erased');
