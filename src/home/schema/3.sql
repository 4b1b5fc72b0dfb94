-- Why, in the words of who asked for the revision; `reason` is what made it.
ALTER TABLE revisions ADD COLUMN why TEXT;
