-- Client authentication by assertion, and back-channel logout.

-- A secret that authenticates assertions by a MAC is needed itself: sealed under the master key, and only where a client
-- authenticates so or reads its registration back.
ALTER TABLE client_secrets ADD COLUMN sealed TEXT;

-- Clients that are still to be told that a session ended. Users have no foreign key here: a user who is deleted is told of
-- as well.
CREATE TABLE logout_deliveries (
    id TEXT PRIMARY KEY NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX logout_deliveries_by_attempt ON logout_deliveries (next_attempt_at);
CREATE INDEX logout_deliveries_by_expiry ON logout_deliveries (expires_at);
CREATE INDEX logout_deliveries_by_client ON logout_deliveries (client_id);
