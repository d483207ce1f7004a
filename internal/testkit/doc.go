// Package testkit gives tests real servers, network faults, files, and a check
// that no goroutine remains.
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		t.Parallel()
//		redisURL, databaseURL := testkit.Redis(t), testkit.MySQL(t)
//		…
//	}
//
// Redis, MySQL and SQLite give each test a database of its own, so tests may run in
// parallel. EachDatabase runs a test on MySQL and on SQLite. The servers are those in
// BALER_TEST_REDIS_URL and BALER_TEST_MYSQL_URL; for a whole suite, the command with-servers
// starts both and sets the variables. Without these variables the test process starts its
// own servers when it first needs them, and Main stops them.
//
// A test that kills, pauses or restarts a server uses a private one
// (NewRedisServer, NewMySQLServer). A test of network faults puts a Proxy in front
// of any server.
//
// A server named in the environment must be for tests only: every Redis database except the
// first is emptied before a test gets it, and the MySQL account must have the right to
// create and drop databases.
package testkit
