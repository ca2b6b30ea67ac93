DROP TABLE session_clients;
ALTER TABLE sessions DROP COLUMN browser;
ALTER TABLE sessions DROP COLUMN remembered;
ALTER TABLE sessions DROP COLUMN started_at;
