ALTER TABLE clients DROP COLUMN openid;
