-- A browser may keep a session when it is closed; each session knows when it began and, roughly, in which browser.
-- Those that are there now began, as far as anybody knows, when their user last proved who they are: that is what a
-- start of NULL means.
ALTER TABLE sessions ADD COLUMN started_at BIGINT;
ALTER TABLE sessions ADD COLUMN remembered BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE sessions ADD COLUMN browser TEXT;
