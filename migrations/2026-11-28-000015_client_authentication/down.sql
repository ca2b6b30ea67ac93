DROP TABLE logout_deliveries;
ALTER TABLE client_secrets DROP COLUMN sealed;
