-- The least rights of Baler's accounts on MySQL or MariaDB. Run it once as an administrator,
-- with other passwords, and name the hosts that Baler runs on instead of '%':
--
--   mysql < deploy/grants.sql
--
-- A MariaDB may have accounts without a name, such as ''@'localhost'. They take the place of these
-- accounts on the server's own host, and their password is wrong: drop them (mariadb-secure-installation).
CREATE DATABASE IF NOT EXISTS baler CHARACTER SET utf8mb4;

-- For 'baler migrate', at each new version; also for 'baler load --create'.
CREATE USER IF NOT EXISTS baler_migrate@'%' IDENTIFIED BY 'CHANGE-ME-1';
GRANT CREATE, INSERT, SELECT ON baler.* TO baler_migrate@'%';
-- While 'baler migrate --from' copies another database, the account needs ALTER and DELETE, too.

-- For everything else.
CREATE USER IF NOT EXISTS baler@'%' IDENTIFIED BY 'CHANGE-ME-2';
GRANT SELECT, INSERT, UPDATE, DELETE ON baler.* TO baler@'%';

-- For commands that only read, such as status and results, and for a dashboard that only displays.
CREATE USER IF NOT EXISTS baler_read@'%' IDENTIFIED BY 'CHANGE-ME-3';
GRANT SELECT ON baler.* TO baler_read@'%';
