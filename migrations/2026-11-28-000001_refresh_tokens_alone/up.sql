-- Each refresh writes one row here. A foreign key and the index that a cascade needs would be one more tree to change and
-- one more row to look up for each; a token whose authorization is gone is refused all the same and ends with its own date.

CREATE TABLE refresh_tokens_anew (
    hash TEXT PRIMARY KEY NOT NULL,
    authorization_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    successor_salt TEXT
);
INSERT INTO refresh_tokens_anew (hash, authorization_id, created_at, expires_at, used_at, successor_salt)
SELECT hash, authorization_id, created_at, expires_at, used_at, successor_salt FROM refresh_tokens;
DROP TABLE refresh_tokens;
ALTER TABLE refresh_tokens_anew RENAME TO refresh_tokens;
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
