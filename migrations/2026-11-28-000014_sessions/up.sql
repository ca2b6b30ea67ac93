-- A browser may keep a session when it is closed; each session knows when it began and, roughly, in which browser.
-- Those that are there now began, as far as anybody knows, when their user last proved who they are: that is what a
-- start of NULL means.
ALTER TABLE sessions ADD COLUMN started_at BIGINT;
ALTER TABLE sessions ADD COLUMN remembered BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE sessions ADD COLUMN browser TEXT;

-- Which clients got something in a session, and whether it told them who the user is, for as long as it lives: what they
-- got may be over and swept long before.
CREATE TABLE session_clients (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    knows_user BOOLEAN NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX session_clients_by_client ON session_clients (client_id);
INSERT INTO session_clients (session_id, client_id, knows_user)
SELECT DISTINCT session_id, client_id, TRUE FROM authorizations
WHERE session_id IN (SELECT id FROM sessions);
