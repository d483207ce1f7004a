package testservers

// The environment variables with the URLs of servers that tests use instead of
// temporary ones.
const (
	RedisVariable = "BALER_TEST_REDIS_URL" // redis:// or rediss://
	MySQLVariable = "BALER_TEST_MYSQL_URL" // mysql://user:password@host:port, allowed to create databases
)

// BrowserVariable names the program of a Chromium for tests in a browser.
const BrowserVariable = "BALER_TEST_CHROMIUM"
