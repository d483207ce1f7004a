package testservers

// The environment variables with the URLs of servers that tests use instead of
// temporary ones.
const (
	RedisVariable = "BALER_TEST_REDIS_URL" // redis:// or rediss://
	MySQLVariable = "BALER_TEST_MYSQL_URL" // mysql://user:password@host:port, allowed to create databases
)

// MySQLProgramVariable names the program that temporary MySQL servers run, such as
// /usr/sbin/mysqld where MariaDB is installed too. Tests that kill or configure a server
// of their own use it, even if MySQLVariable names a server.
const MySQLProgramVariable = "BALER_TEST_MYSQLD"

// BrowserVariable names the program of a Chromium for tests in a browser.
const BrowserVariable = "BALER_TEST_CHROMIUM"
