ALTER TABLE users DROP COLUMN updated_at;
ALTER TABLE users DROP COLUMN attributes;
ALTER TABLE users DROP COLUMN person;
