-- What is inside a task is found for undoing all of it, however long ago it was closed.
CREATE INDEX document_parent ON document (tenant, body ->> 'parent')
WHERE kind = 'task' AND body ->> 'parent' IS NOT NULL;
