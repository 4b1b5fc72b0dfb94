-- How many containers of a service: what it is, is the same with more of them, and a rollback goes back to fewer all the same.
-- Absent in the revisions of before.
ALTER TABLE revision_services ADD COLUMN replicas INTEGER;
