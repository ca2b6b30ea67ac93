ALTER TABLE refresh_tokens RENAME COLUMN successor_key TO successor_salt;
