-- What is known of a user, in JSON: the standard claims of OpenID Connect, and attributes for custom claims.
ALTER TABLE users ADD COLUMN person TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
-- Custom claims: from a name to where its value comes from, in JSON.
ALTER TABLE resource_servers ADD COLUMN claims TEXT NOT NULL DEFAULT '{}';
-- What pairwise subjects are made with; one row, made at the first start.
CREATE TABLE pairwise_salt (
    id BIGINT PRIMARY KEY NOT NULL,
    salt TEXT NOT NULL
);
