-- Tasks inside others, and uses of models, are looked at when their time has come.
CREATE INDEX document_due ON document (tenant, kind, body ->> 'due_at')
WHERE kind IN ('task', 'use') AND body ->> 'due_at' IS NOT NULL;
