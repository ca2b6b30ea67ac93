-- What a client says of itself for OpenID Connect (Dynamic Client Registration 1.0 §2), in JSON.
ALTER TABLE clients ADD COLUMN openid TEXT NOT NULL DEFAULT '{}';
