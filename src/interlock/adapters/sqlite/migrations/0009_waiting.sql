-- What people are to decide on is listed by its deadline, and asked for by role, agent and contract: all of that stands in
-- one index, so that a page of ten thousand that wait opens the rows of the page alone.
ALTER TABLE action ADD COLUMN deadline INTEGER; -- until when people may decide; NULL where nobody is asked
ALTER TABLE action ADD COLUMN asks TEXT; -- the roles whose word is still wanted, a JSON array; NULL where that is not known

-- What was held before falls due when it expires. Whose word it wants is known once it is saved again.
UPDATE action SET deadline = due_at WHERE state = 'held' AND due_at IS NOT NULL;

CREATE INDEX action_waiting ON action (tenant, deadline, id, agent, contract, asks) WHERE deadline IS NOT NULL;
