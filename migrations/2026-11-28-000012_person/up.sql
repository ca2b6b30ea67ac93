-- What is known of a user, in JSON: the standard claims of OpenID Connect, and attributes for custom claims.
ALTER TABLE users ADD COLUMN person TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
