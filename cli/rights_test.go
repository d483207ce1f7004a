package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/testkit"
)

// leastRights are a Redis and a MariaDB with the accounts of deploy/redis.acl and
// deploy/grants.sql and no others, but for the administrators that the test needs.
type leastRights struct {
	*testEnv

	redis                  *redis.Client // as administrator
	sql                    func(string)  // likewise
	migrating, working, ro string        // URLs of the database
	as                     func(url string) *testEnv
}

// usersFile is an ACL file with the account of deploy/redis.acl and an administrator.
func usersFile(s *testEnv) string {
	s.t.Helper()
	acl, err := os.ReadFile("../deploy/redis.acl")
	testkit.Must(s.t, err)
	return s.file("users.acl", strings.ReplaceAll(string(acl), "CHANGE-ME", "hush")+"user admin on >hush ~* &* +@all\n")
}

func newLeastRights(t *testing.T) leastRights {
	t.Helper()
	s := newTestEnv(t)
	file := usersFile(s)
	queue := testkit.NewRedisServer(t, testkit.RedisOptions{Args: []string{"--aclfile", file}})
	address, err := url.Parse(queue.URL())
	testkit.Must(t, err)
	address.User = url.UserPassword("baler", "hush")
	s.env = append(s.env, "BALER_REDIS_URL="+address.String(), "BALER_ROOTS="+s.dir)

	database := testkit.NewMySQLServer(t)
	admin := testkit.Database(t, database.URL())
	l := leastRights{testEnv: s, redis: testkit.RedisClient(t, queue.URL(), func(o *redis.Options) { o.Username, o.Password = "admin", "hush" })}
	l.sql = func(statement string) {
		t.Helper()
		_, err := admin.ExecContext(t.Context(), statement)
		testkit.Must(t, err)
	}
	grants, err := os.ReadFile("../deploy/grants.sql")
	testkit.Must(t, err)
	var text strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(string(grants), "baler@'%'", "working@'%'")) { // baler is the administrator here
		if !strings.HasPrefix(line, "--") {
			text.WriteString(line)
		}
	}
	for statement := range strings.SplitSeq(text.String(), ";\n") {
		if strings.TrimSpace(statement) != "" {
			l.sql(statement)
		}
	}
	account := func(name, password string) string {
		u, err := url.Parse(database.URL())
		testkit.Must(t, err)
		u.User = url.UserPassword(name, password)
		return u.String()
	}
	l.migrating, l.working, l.ro = account("baler_migrate", "CHANGE-ME-1"), account("working", "CHANGE-ME-2"), account("baler_read", "CHANGE-ME-3")
	l.as = func(url string) *testEnv {
		e := *s
		e.env = append(append([]string{}, s.env...), "BALER_DATABASE_URL="+url)
		return &e
	}
	return l
}

// With the least rights that are documented, everything works.
func TestLeastRights(t *testing.T) {
	t.Parallel()
	l := newLeastRights(t)
	s := l.as(l.working)
	contains(t, "a table that is not there", s.must(exitError, "status").stderr, "CREATE command denied", "run 'baler migrate' with an account", "deploy/grants.sql")
	l.as(l.migrating).must(exitOK, "migrate")
	s.must(exitOK, "doctor")

	for i := range 30 {
		s.file(fmt.Sprintf("in/%d.txt", i), "alpha")
	}
	_, stderr, stop := s.start("worker")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "worker started") })
	for _, via := range []string{"bulk", "group"} {
		s.must(exitFailures, "submit", "--wait", "--missing-ok", "--recipe", "checksum", "--via", via, s.path("in"), s.path("late.txt"))
	}
	s.must(exitFailures, "retry", "--wait", "latest") // it is still not there
	s.must(exitOK, "queue", "pause", "default")
	id := strings.TrimSpace(s.must(exitOK, "submit", "--via", "group", "--recipe", "checksum", s.path("in")).stdout)
	for _, args := range []string{
		"pause " + id, "resume " + id, "limit --in-flight 4 --files-per-second 1000", "queue resume default", "status --watch " + id,
		"limit --in-flight none", "reconcile", "workers", "queue list", "deadletters", "results " + id, "doctor", "delete " + id,
	} {
		s.must(exitOK, strings.Fields(args)...)
	}
	s.health()
	l.refusedNothing()
	if r := stop(); r.code != exitOK {
		t.Errorf("the worker ended with %d:\n%s", r.code, r.stderr)
	} else if strings.Contains(r.stderr, "level=WARN") || strings.Contains(r.stderr, "level=ERROR") {
		t.Errorf("the worker warns:\n%s", r.stderr)
	}

	reader := l.as(l.ro)
	reader.must(exitOK, "status")
	reader.must(exitOK, "results", "1")
	reader.health()
	contains(t, "a reader that writes", reader.must(exitError, "pause", "1").stderr+reader.must(exitError, "delete", "1").stderr, "denied", "grant this account")
}

// With the least rights, everything works in a Redis cluster too, and doctor names each right that
// only a cluster needs.
func TestLeastRightsInACluster(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	cluster := testkit.NewRedisClusterWithACL(t, usersFile(s), url.UserPassword("admin", "hush"))
	s.env = append(s.env, "BALER_REDIS_URL="+strings.Replace(cluster.URL, "//", "//baler:hush@", 1), "BALER_ROOTS="+s.dir)
	s.must(exitOK, "migrate")
	s.must(exitOK, "doctor")
	for i := range 30 {
		s.file(fmt.Sprintf("in/%d.txt", i), "alpha")
	}
	_, stderr, stop := s.start("worker", "--queues", "default=1,night=1")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "worker started") })
	for _, queue := range []string{"default", "night"} {
		for _, via := range []string{"bulk", "group"} {
			s.must(exitFailures, "submit", "--wait", "--missing-ok", "--recipe", "checksum", "--queue", queue, "--via", via, s.path("in"), s.path("late.txt"))
		}
	}
	s.must(exitOK, "queue", "pause", "night")
	id := strings.TrimSpace(s.must(exitOK, "submit", "--via", "group", "--recipe", "checksum", "--queue", "night", s.path("in")).stdout)
	for _, args := range []string{
		"pause " + id, "resume " + id, "queue resume night", "status --watch " + id, "reconcile", "workers", "queue list", "deadletters", "doctor", "delete " + id,
	} {
		s.must(exitOK, strings.Fields(args)...)
	}
	s.health()
	for _, entry := range cluster.Refused() {
		t.Errorf("Redis refused %s because of the %s", entry.Object, entry.Reason)
	}
	if r := stop(); r.code != exitOK {
		t.Errorf("the worker ended with %d:\n%s", r.code, r.stderr)
	} else if strings.Contains(r.stderr, "level=WARN") || strings.Contains(r.stderr, "level=ERROR") {
		t.Errorf("the worker warns:\n%s", r.stderr)
	}
	for _, right := range []string{"command", "cluster|slots", "cluster|nodes", "cluster|info", "cluster|keyslot"} {
		cluster.SetUser("baler", "-"+right)
		contains(t, "doctor without "+right, s.must(exitError, "doctor", "--json").stdout, "+"+right)
		cluster.SetUser("baler", "+"+right)
	}
}

// health starts serve, and expects it to be ready and to show its pages.
func (s *testEnv) health() {
	s.t.Helper()
	stdout, stderr, stop := s.start("serve", "--listen", "127.0.0.1:0")
	defer stop()
	var address string
	testkit.Eventually(s.t, time.Minute, func() error {
		address = strings.TrimSpace(stdout.String())
		if !strings.HasPrefix(address, "http://") {
			return fmt.Errorf("no address yet: %s", stderr.String())
		}
		return nil
	})
	for _, page := range []string{"/healthz", "/readyz", "/metrics", "/", "/v1/transfers", "/workers", "/audit", "/schedules",
		"/monitor/api/queues", "/monitor/api/queues/default", "/monitor/api/queues/default/groups",
		"/monitor/api/queues/default/active_tasks", "/monitor/api/queues/default/pending_tasks",
		"/monitor/api/queues/default/scheduled_tasks", "/monitor/api/queues/default/retry_tasks",
		"/monitor/api/queues/default/archived_tasks", "/monitor/api/queues/default/completed_tasks",
		"/monitor/api/queue_stats", "/monitor/api/servers", "/monitor/api/scheduler_entries", "/monitor/api/redis_info",
	} {
		if status, body, err := fetch(address + page); err != nil || status != http.StatusOK {
			s.t.Errorf("%s: %d %s %v", page, status, body, err)
		}
	}
}

// refusedNothing fails the test when Redis has refused a command. asynq does not report every refusal: without a
// right, its monitor shows servers that run nothing.
func (l leastRights) refusedNothing() {
	l.t.Helper()
	refused, err := l.redis.ACLLog(l.t.Context(), 100).Result()
	testkit.Must(l.t, err)
	for _, entry := range refused {
		l.t.Errorf("Redis refused %s because of the %s", entry.Object, entry.Reason)
	}
}

// Each right of deploy/grants.sql is needed: without it, doctor or migrate fails.
func TestEachGrantIsNeeded(t *testing.T) {
	t.Parallel()
	l := newLeastRights(t)
	migrating := l.as(l.migrating)
	for _, right := range []string{"CREATE", "INSERT", "SELECT"} {
		l.sql("REVOKE " + right + " ON baler.* FROM baler_migrate@'%'")
		contains(t, "migrate without "+right, migrating.must(exitError, "migrate").stderr, right+" command denied", "deploy/grants.sql")
		l.sql("GRANT " + right + " ON baler.* TO baler_migrate@'%'")
	}
	migrating.must(exitOK, "migrate")
	working := l.as(l.working)
	for _, right := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
		l.sql("REVOKE " + right + " ON baler.* FROM working@'%'")
		contains(t, "doctor without "+right, working.must(exitError, "doctor", "--json").stdout, right+" command denied", "deploy/grants.sql")
		l.sql("GRANT " + right + " ON baler.* TO working@'%'")
	}
	testkit.Must(t, l.redis.Do(t.Context(), "ACL", "SETUSER", "baler", "-zcard", "-llen").Err())
	contains(t, "doctor without two commands", working.must(exitError, "doctor", "--json").stdout, "this account lacks +llen +zcard", "ACL SETUSER baler")
	image, err := os.ReadFile(filepath.Join("..", "Dockerfile"))
	testkit.Must(t, err)
	contains(t, "the image's health check", string(image), `CMD ["/usr/local/bin/baler", "doctor"]`)
}
