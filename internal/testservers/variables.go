package testservers

// Variables that name servers given over to tests, to be used in place of
// throwaway ones.
const (
	RedisVariable = "BALER_TEST_REDIS_URL" // redis:// or rediss://
	MySQLVariable = "BALER_TEST_MYSQL_URL" // mysql://user:password@host:port, allowed to create databases
)
