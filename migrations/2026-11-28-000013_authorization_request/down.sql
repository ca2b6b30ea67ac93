ALTER TABLE authorizations DROP COLUMN request;
