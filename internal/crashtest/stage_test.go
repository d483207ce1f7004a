package crashtest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/testkit"
)

// stage is what one case plays on: a queue, a database, files and processes.
type stage struct {
	t         testing.TB
	dir       string
	redisURL  string // as the processes see it
	mysqlURL  string
	redis     *redis.Client
	db        *sql.DB
	processes []*process

	concurrency int // of workers; 0: four

	digests bool // the recipe's first step gives every file one

	transfer string // UUID
	id       int64
}

// newStage sets up a stage. The test's own questions go straight to the
// servers, whatever stands between them and the processes.
func newStage(t testing.TB, redisURL, mysqlURL string) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir(), redisURL: redisURL, mysqlURL: mysqlURL}
	o, err := redis.ParseURL(redisURL)
	testkit.Must(t, err)
	s.redis = redis.NewClient(o)
	s.db = openDatabase(t, mysqlURL)
	testkit.Must(t, os.Mkdir(s.outputs(), 0o700))
	t.Cleanup(func() { _ = errors.Join(s.redis.Close(), s.db.Close()) })
	return s
}

func openDatabase(t testing.TB, address string) *sql.DB {
	t.Helper()
	u, err := url.Parse(address)
	testkit.Must(t, err)
	c := mysql.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr, c.DBName, c.ParseTime = "tcp", u.Host, u.Path[1:], true
	c.Logger = &mysql.NopLogger{} // servers are killed here all the time
	connector, err := mysql.NewConnector(c)
	testkit.Must(t, err)
	return sql.OpenDB(connector)
}

// outputs is where final steps may write.
func (s *stage) outputs() string { return filepath.Join(s.dir, "outputs") }

// manifest is what the recipe's final step writes.
func (s *stage) manifest() string { return filepath.Join(s.outputs(), s.transfer+".md5") }

// environment is that of every process: short waits, small batches.
func (s *stage) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + s.dir, "BALER_STATE_DIR=" + s.dir, "BALER_OUTPUTS=" + s.outputs(),
		"BALER_REDIS_URL=" + s.redisURL, "BALER_DATABASE_URL=" + s.mysqlURL,
		"BALER_DISPATCH_LAG=2100ms", "BALER_DISPATCH_RESEND=1s", "BALER_DISPATCH_INTERVAL=50ms",
		"BALER_GROUP_GRACE=1s", "BALER_GROUP_MAX_DELAY=1s", "BALER_WORKER_GRACE=5s",
		fmt.Sprintf("BALER_WORKER_CONCURRENCY=%d", cmp.Or(s.concurrency, 4)),
		"BALER_LOG_LEVEL=info", "BALER_LOG_FORMAT=json",
	}
}

// recipe writes a recipe of two steps, of which the first takes its time if
// asked to, and a final step.
func (s *stage) recipe(name, first string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name+".yaml")
	text := "name: kill\nsteps:\n" + first + "  - name: second\n    handler: noop\n    batch: {max_items: 25}\n" +
		"finally:\n  - handler: manifest\n    with: {to: '" + s.outputs() + "/${transfer}.md5', algorithm: md5}\n"
	s.digests = first == quick
	testkit.Must(s.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const (
	quick = "  - name: first\n    handler: checksum\n    with: {algorithms: [md5]}\n    batch: {max_items: 25}\n"
	slow  = "  - name: first\n    handler: faulty\n    with: {pause: 30ms}\n    batch: {max_items: 25}\n"
	brief = "  - name: first\n    handler: faulty\n    with: {pause: 5ms}\n    batch: {max_items: 25}\n"
	plain = "  - name: first\n    handler: faulty\n    batch: {max_items: 25}\n"
)

// tree makes n small files and returns their folder.
func tree(t testing.TB, n int) string {
	t.Helper()
	root := t.TempDir()
	for i := range n {
		testkit.Must(t, os.WriteFile(filepath.Join(root, fmt.Sprintf("%05d", i)), []byte(fmt.Sprintf("file %d", i)), 0o600))
	}
	return root
}

// submit starts a producer.
func (s *stage) submit(fault, via, recipe, root string) *process {
	s.t.Helper()
	return s.start("producer", fault, "submit", "--json", "--via", via, "--recipe", recipe, root)
}

// worker starts a worker.
func (s *stage) worker(name, fault string) *process {
	s.t.Helper()
	return s.start(name, fault, "worker")
}

// awaitStarted returns when a worker works.
func (p *process) awaitStarted() {
	p.t.Helper()
	testkit.Eventually(p.t, patience, func() error {
		if log, err := os.ReadFile(p.log); err != nil || !strings.Contains(string(log), `"worker started"`) {
			return fmt.Errorf("%s has not started; its log:\n%s", p.name, p.logText())
		}
		return nil
	})
}

// learn finds the transfer that a producer has begun.
func (s *stage) learn() {
	s.t.Helper()
	testkit.Eventually(s.t, patience, func() error {
		err := s.db.QueryRowContext(s.t.Context(), "SELECT id, uuid FROM transfers ORDER BY id DESC LIMIT 1").Scan(&s.id, &s.transfer)
		if err != nil {
			return fmt.Errorf("no transfer yet: %w", err)
		}
		return nil
	})
}

// await waits for the end of the transfer.
func (s *stage) await() {
	s.t.Helper()
	s.awaitThat("the transfer has ended", func(r row) bool { return r.state == "completed" })
}

// awaitThat waits for the transfer's row to be so.
func (s *stage) awaitThat(what string, so func(r row) bool) {
	s.t.Helper()
	testkit.Eventually(s.t, patience, func() error {
		r, err := s.row()
		if err == nil && so(r) {
			return nil
		}
		if err == nil {
			err = errors.New("it is")
		}
		return fmt.Errorf("%w %+v, and not: %s; %s%s", err, r, what, s.ledger(), s.logs())
	})
}

// row is what a transfer says of itself.
type row struct {
	state           string
	files, finished int64
	ended           sql.NullTime
}

func (s *stage) row() (r row, err error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	err = s.db.QueryRowContext(ctx, "SELECT state, files, finished, ended_at FROM transfers WHERE id = ?", s.id).
		Scan(&r.state, &r.files, &r.finished, &r.ended)
	return r, err
}

// ledger describes the open batches, for a test that failed.
func (s *stage) ledger() string {
	rows, err := s.db.QueryContext(s.t.Context(), "SELECT id, step_no, attempt, files, fencing_token, crashes, due_at FROM batches ORDER BY id LIMIT 30")
	if err != nil {
		return err.Error()
	}
	defer rows.Close()
	var text strings.Builder
	text.WriteString("open batches:")
	for rows.Next() {
		var id, step, attempt, delivery, lost int64
		var files string
		var due time.Time
		if err := rows.Scan(&id, &step, &attempt, &files, &delivery, &lost, &due); err != nil {
			return err.Error()
		}
		state := s.redis.HGet(s.t.Context(), fmt.Sprintf("asynq:{default}:t:%d", id), "state").Val()
		fmt.Fprintf(&text, "\n%d step %d attempt %d files %s delivery %d lost %d due %s, queue: %q",
			id, step, attempt, files, delivery, lost, due.Format(time.StampMilli), state)
	}
	if err := rows.Err(); err != nil {
		return err.Error()
	}
	return text.String()
}

// logs are the ends of all logs.
func (s *stage) logs() string {
	var text strings.Builder
	for _, p := range s.processes {
		fmt.Fprintf(&text, "\n%s:\n%s", p.name, p.logText())
	}
	return text.String()
}

// held are the deadlines in the queue, by the key that keeps them.
type held map[string][]string

// held notes who holds what. Taken when a process has died, and before another
// one starts, it is what only the dead hold.
func (s *stage) held() held {
	s.t.Helper()
	h := make(held)
	for _, key := range []string{"asynq:{default}:lease", "asynq:{default}:aggregation_sets"} {
		members, err := s.redis.ZRange(s.t.Context(), key, 0, -1).Result()
		testkit.Must(s.t, err)
		h[key] = members
	}
	return h
}

// age moves deadlines two minutes into the past.
func (s *stage) age(h held) {
	s.t.Helper()
	long := float64(time.Now().Add(-2 * time.Minute).Unix())
	for key, members := range h {
		for _, m := range members {
			testkit.Must(s.t, s.redis.ZAddXX(s.t.Context(), key, redis.Z{Score: long, Member: m}).Err())
		}
	}
	s.ageLedger()
}

// ageLedger makes batches and final steps due and ends the election.
func (s *stage) ageLedger() {
	s.t.Helper()
	for _, statement := range []string{
		"UPDATE batches SET due_at = UTC_TIMESTAMP(6) WHERE due_at > UTC_TIMESTAMP(6)",
		"UPDATE leases SET until = UTC_TIMESTAMP(6)",
		"UPDATE finalize_steps SET due_at = UTC_TIMESTAMP(6) WHERE due_at > UTC_TIMESTAMP(6)",
	} {
		testkit.Eventually(s.t, patience, func() error { // workers write the same rows
			_, err := s.db.ExecContext(s.t.Context(), statement)
			return err
		})
	}
}

// realTime reports whether deadlines are waited for.
func realTime() bool { return os.Getenv("BALER_SOAK") != "" }

// client runs a command of the program that answers in JSON lines.
func (s *stage) client(args ...string) []json.RawMessage {
	s.t.Helper()
	p := s.start("client", "", args...)
	if err := p.wait(); err != nil {
		s.t.Fatalf("baler %v: %v; it says\n%s", args, err, p.logText())
	}
	var lines []json.RawMessage
	d := json.NewDecoder(&p.stdout)
	for d.More() {
		var line json.RawMessage
		if err := d.Decode(&line); err != nil {
			s.t.Fatalf("baler %v: %v", args, err)
		}
		lines = append(lines, slices.Clone(line))
	}
	return lines
}
