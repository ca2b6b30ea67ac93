-- Clients that registered themselves (RFC 7591), each with the token that manages it (RFC 7592).
CREATE TABLE registrations (
    client_id TEXT PRIMARY KEY NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    -- It is told again whenever the client asks for its registration; sealed under the master key.
    sealed_secret TEXT,
    -- What the client said of itself and only gets told again, in JSON.
    metadata TEXT NOT NULL,
    -- The initial access token that let it in; nothing where anybody may register.
    initial_token TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    -- Until when it has to be used; nothing once it was.
    unused_until BIGINT,
    token_revoked_at BIGINT
);
CREATE INDEX registrations_unused ON registrations (unused_until) WHERE unused_until IS NOT NULL;

-- What lets a client register itself where not everybody may.
CREATE TABLE initial_access_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    max_uses BIGINT,
    uses BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX initial_access_tokens_by_expiry ON initial_access_tokens (expires_at);
