-- The life of a token: refresh within a grace, other formats of access tokens, API tokens, single access tokens revoked.

ALTER TABLE clients ADD COLUMN refresh_token_idle_ttl_s BIGINT;
ALTER TABLE clients ADD COLUMN refresh_reuse_grace_s BIGINT;
-- Origins of its web pages, beside those of its redirect URIs.
ALTER TABLE clients ADD COLUMN origins TEXT NOT NULL DEFAULT '';
-- The resource servers that it speaks for at the introspection endpoint.
ALTER TABLE clients ADD COLUMN introspects TEXT NOT NULL DEFAULT '';
-- What it may exchange for what (RFC 8693), in JSON.
ALTER TABLE clients ADD COLUMN exchange TEXT NOT NULL DEFAULT '[]';

-- The longest life of any token that the key may have signed. An hour was the longest without an override until now.
ALTER TABLE signing_keys ADD COLUMN longest_token_s BIGINT NOT NULL DEFAULT 3600;
ALTER TABLE signing_keys ADD COLUMN compromised_at BIGINT;

-- One that was found by others never counts again, even where the configuration file still declares it.
ALTER TABLE client_secrets ADD COLUMN leaked BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE resource_servers ADD COLUMN user_api_tokens BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resource_servers ADD COLUMN token_format TEXT NOT NULL DEFAULT 'jwt';
-- To which key and how its tokens are encrypted, in JSON.
ALTER TABLE resource_servers ADD COLUMN encryption TEXT;

-- Without the used token itself it says nothing about the successor that the two make.
ALTER TABLE refresh_tokens ADD COLUMN successor_salt TEXT;

-- Access tokens that verify but do not count any more. The revision is row 2 of config_revision at the time: whoever knows
-- the list up to a revision reads only what came after it.
INSERT INTO config_revision (id, revision) VALUES (2, 1);
CREATE TABLE denied_tokens (
    jti TEXT PRIMARY KEY NOT NULL,
    revision BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX denied_tokens_by_revision ON denied_tokens (revision);
CREATE INDEX denied_tokens_by_expiry ON denied_tokens (expires_at);

-- Access tokens whose claims stay here: the token itself is only a name and a secret.
CREATE TABLE opaque_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    hash TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    authorization_id TEXT REFERENCES authorizations (id) ON DELETE CASCADE,
    claims TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX opaque_tokens_by_expiry ON opaque_tokens (expires_at);
CREATE INDEX opaque_tokens_by_client ON opaque_tokens (client_id);
CREATE INDEX opaque_tokens_by_authorization ON opaque_tokens (authorization_id);

-- Tokens that a user, or a client as a service account, makes for scripts.
CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    hash TEXT NOT NULL,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT REFERENCES clients (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT,
    revoked_because TEXT
);
CREATE INDEX api_tokens_by_expiry ON api_tokens (expires_at);
CREATE INDEX api_tokens_by_user ON api_tokens (user_id);
CREATE INDEX api_tokens_by_client ON api_tokens (client_id);

-- What the sweeper looks for and nothing else: a redeemed code stays as long as its family, an API token may be revoked
-- long before its end.
DROP INDEX codes_by_expiry;
CREATE INDEX codes_unredeemed_by_expiry ON codes (expires_at) WHERE redeemed_at IS NULL;
CREATE INDEX api_tokens_by_revocation ON api_tokens (revoked_at) WHERE revoked_at IS NOT NULL;
