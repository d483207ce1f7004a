// Package testkit gives tests real servers, faults to throw at them, and a check
// that nothing is left running.
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		t.Parallel()
//		redisURL, databaseURL := testkit.Redis(t), testkit.MySQL(t)
//		…
//	}
//
// Redis and MySQL give each test a database of its own, so tests may run in
// parallel. The servers are those named in BALER_TEST_REDIS_URL and
// BALER_TEST_MYSQL_URL (for a whole suite, the command with-servers starts both
// and names them), else throwaway ones that the test process starts when it
// first needs them and Main stops.
//
// A test that wants to kill, pause or restart a server takes a private one
// (NewRedisServer, NewMySQLServer); one that wants the network to misbehave puts
// a Proxy in front of any of them.
//
// A server named in the environment must be given over to tests: every Redis
// database but the first is emptied before a test gets it, and the MySQL account
// must be allowed to create and drop databases.
package testkit
