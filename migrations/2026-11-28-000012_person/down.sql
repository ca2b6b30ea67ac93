DROP TABLE pairwise_salt;
ALTER TABLE resource_servers DROP COLUMN claims;
ALTER TABLE users DROP COLUMN updated_at;
ALTER TABLE users DROP COLUMN attributes;
ALTER TABLE users DROP COLUMN person;
