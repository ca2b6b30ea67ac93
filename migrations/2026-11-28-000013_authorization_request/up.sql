-- What the authentication request asked to be told beyond its scope (OpenID Connect Core §5.5), in JSON; NULL for nothing.
ALTER TABLE authorizations ADD COLUMN request TEXT;
