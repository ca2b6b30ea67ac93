CREATE TABLE refresh_tokens_anew (
    hash TEXT PRIMARY KEY NOT NULL,
    authorization_id TEXT NOT NULL REFERENCES authorizations (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    successor_salt TEXT
);
INSERT INTO refresh_tokens_anew (hash, authorization_id, created_at, expires_at, used_at, successor_salt)
SELECT hash, authorization_id, created_at, expires_at, used_at, successor_salt FROM refresh_tokens
WHERE authorization_id IN (SELECT id FROM authorizations);
DROP TABLE refresh_tokens;
ALTER TABLE refresh_tokens_anew RENAME TO refresh_tokens;
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_by_authorization ON refresh_tokens (authorization_id);
