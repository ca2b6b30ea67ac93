-- A successor follows from the used token and a key of the master key; what stays beside the token is that key's name, in
-- place of a sealed salt of 260 bytes.
ALTER TABLE refresh_tokens RENAME COLUMN successor_salt TO successor_key;
