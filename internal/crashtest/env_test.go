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

// env is the environment of one case: a queue, a database, files and processes.
type env struct {
	t         testing.TB
	dir       string
	redisURL  string // as the processes see it
	mysqlURL  string
	redis     *redis.Client
	db        *sql.DB
	processes []*process

	concurrency int // of workers; 0: four

	movable string // a source whose files workers may remove; outside of dir, because scans leave dir out

	digests bool // the recipe's first step records digests

	more []string // variables of the processes' environment, which replace others

	transfer string // UUID
	id       int64
}

// newEnv makes an environment. The test's own queries go directly to the servers,
// even where the processes use a proxy.
func newEnv(t testing.TB, redisURL, mysqlURL string) *env {
	t.Helper()
	e := &env{t: t, dir: t.TempDir(), movable: t.TempDir(), redisURL: redisURL, mysqlURL: mysqlURL}
	o, err := redis.ParseURL(redisURL)
	testkit.Must(t, err)
	e.redis = redis.NewClient(o)
	e.db = openDatabase(t, mysqlURL)
	testkit.Must(t, os.Mkdir(e.outputs(), 0o700))
	t.Cleanup(func() { _ = errors.Join(e.redis.Close(), e.db.Close()) })
	return e
}

func openDatabase(t testing.TB, address string) *sql.DB {
	t.Helper()
	u, err := url.Parse(address)
	testkit.Must(t, err)
	c := mysql.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr, c.DBName, c.ParseTime = "tcp", u.Host, u.Path[1:], true
	c.Logger = &mysql.NopLogger{} // the tests kill servers, so its messages are of no use
	connector, err := mysql.NewConnector(c)
	testkit.Must(t, err)
	return sql.OpenDB(connector)
}

// outputs returns the folder where final steps may write.
func (e *env) outputs() string { return filepath.Join(e.dir, "outputs") }

// manifest returns the path of the manifest that the recipe's final step writes.
func (e *env) manifest() string { return filepath.Join(e.outputs(), e.transfer+".md5") }

// environment returns the environment of every process: short waits, small batches.
func (e *env) environment() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + e.dir, "TMPDIR=" + e.dir, "BALER_STATE_DIR=" + e.dir, "BALER_OUTPUTS=" + e.outputs() + ":" + e.movable, "BALER_ROOTS=" + strings.Join(testkit.Roots(), ":"),
		"BALER_REDIS_URL=" + e.redisURL, "BALER_DATABASE_URL=" + e.mysqlURL,
		"BALER_DISPATCH_LAG=2100ms", "BALER_DISPATCH_RESEND=1s", "BALER_DISPATCH_INTERVAL=50ms",
		"BALER_GROUP_GRACE=1s", "BALER_GROUP_MAX_DELAY=1s", "BALER_WORKER_GRACE=5s",
		fmt.Sprintf("BALER_WORKER_CONCURRENCY=%d", cmp.Or(e.concurrency, 4)),
		"BALER_LOG_LEVEL=info", "BALER_LOG_FORMAT=json",
	}, e.more...)
}

// recipe writes a recipe of two steps, the given first one and a fast one, and a
// final step.
func (e *env) recipe(name, first string) string {
	e.t.Helper()
	path := filepath.Join(e.dir, name+".yaml")
	first = strings.ReplaceAll(first, "OUTPUTS", e.outputs())
	text := "name: kill\nsteps:\n" + first + "  - name: second\n    handler: noop\n    batch: {max_items: 25}\n" +
		"finally:\n  - handler: manifest\n    with: {to: '" + e.outputs() + "/${transfer}.md5', algorithm: md5}\n"
	e.digests = first == quick
	testkit.Must(e.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const (
	quick = "  - name: first\n    handler: checksum\n    with: {algorithms: [md5]}\n    batch: {max_items: 25}\n"
	slow  = "  - name: first\n    handler: faulty\n    with: {pause: 30ms}\n    batch: {max_items: 25}\n"
	brief = "  - name: first\n    handler: faulty\n    with: {pause: 5ms}\n    batch: {max_items: 25}\n"
	plain = "  - name: first\n    handler: faulty\n    batch: {max_items: 25}\n"
)

// writeNumbered makes n small files and returns their folder.
func writeNumbered(t testing.TB, n int) string {
	t.Helper()
	root := t.TempDir()
	for i := range n {
		testkit.Must(t, os.WriteFile(filepath.Join(root, fmt.Sprintf("%05d", i)), []byte(fmt.Sprintf("file %d", i)), 0o600))
	}
	return root
}

// submit starts a producer.
func (e *env) submit(fault, via, recipe, root string) *process {
	e.t.Helper()
	return e.start("producer", fault, "submit", "--json", "--via", via, "--recipe", recipe, root)
}

// worker starts a worker.
func (e *env) worker(name, fault string) *process {
	e.t.Helper()
	return e.start(name, fault, "worker")
}

// awaitStarted waits until a worker has started.
func (p *process) awaitStarted() {
	p.t.Helper()
	testkit.Eventually(p.t, patience, func() error {
		if log, err := os.ReadFile(p.log); err != nil || !strings.Contains(string(log), `"worker started"`) {
			return fmt.Errorf("%s has not started; its log:\n%s", p.name, p.logText())
		}
		return nil
	})
}

// findTransfer waits until a producer has made its transfer, and stores its ID.
func (e *env) findTransfer() {
	e.t.Helper()
	testkit.Eventually(e.t, patience, func() error {
		err := e.db.QueryRowContext(e.t.Context(), "SELECT id, uuid FROM transfers ORDER BY id DESC LIMIT 1").Scan(&e.id, &e.transfer)
		if err != nil {
			return fmt.Errorf("no transfer yet: %w", err)
		}
		return nil
	})
}

// awaitCompleted waits for the end of the transfer.
func (e *env) awaitCompleted() {
	e.t.Helper()
	e.awaitThat("the transfer has ended", func(r row) bool { return r.state == "completed" })
}

// awaitThat waits until the transfer's row satisfies a condition.
func (e *env) awaitThat(what string, so func(r row) bool) {
	e.t.Helper()
	testkit.Eventually(e.t, patience, func() error {
		r, err := e.row()
		if err == nil && so(r) {
			return nil
		}
		if err == nil {
			err = errors.New("the row is")
		}
		return fmt.Errorf("%w %+v, but should be: %s; %s%s", err, r, what, e.ledger(), e.logs())
	})
}

// row is the row of the transfer.
type row struct {
	state           string
	files, finished int64
	ended           sql.NullTime
}

func (e *env) row() (r row, err error) {
	ctx, cancel := context.WithTimeout(e.t.Context(), 30*time.Second)
	defer cancel()
	err = e.db.QueryRowContext(ctx, "SELECT state, files, finished, ended_at FROM transfers WHERE id = ?", e.id).
		Scan(&r.state, &r.files, &r.finished, &r.ended)
	return r, err
}

// ledger describes the open batches, for a test that failed.
func (e *env) ledger() string {
	rows, err := e.db.QueryContext(e.t.Context(), "SELECT id, step_no, attempt, files, fencing_token, crashes, due_at FROM batches ORDER BY id LIMIT 30")
	if err != nil {
		return err.Error()
	}
	defer rows.Close()
	var text strings.Builder
	text.WriteString("open batches:")
	for rows.Next() {
		var id, step, attempt, token, crashes int64
		var files string
		var due time.Time
		if err := rows.Scan(&id, &step, &attempt, &files, &token, &crashes, &due); err != nil {
			return err.Error()
		}
		state := e.redis.HGet(e.t.Context(), fmt.Sprintf("asynq:{default}:t:%d", id), "state").Val()
		fmt.Fprintf(&text, "\n%d step %d attempt %d files %s fencing token %d crashes %d due %s, queue: %q",
			id, step, attempt, files, token, crashes, due.Format(time.StampMilli), state)
	}
	if err := rows.Err(); err != nil {
		return err.Error()
	}
	return text.String()
}

// logs returns the ends of all logs.
func (e *env) logs() string {
	var text strings.Builder
	for _, p := range e.processes {
		fmt.Fprintf(&text, "\n%s:\n%s", p.name, p.logText())
	}
	return text.String()
}

// deadlines has the members of the queue's sorted sets of deadlines, by key.
type deadlines map[string][]string

// held returns the deadlines of all entries in the queue that processes hold now, and ends
// those in the ledger. Call it after a process has died and before another one starts: then
// only dead processes hold any.
func (e *env) held() deadlines {
	e.t.Helper()
	testkit.Eventually(e.t, patience, func() error {
		_, err := e.db.ExecContext(e.t.Context(), "UPDATE batches SET held_until = NULL WHERE held_until IS NOT NULL")
		return err
	})
	held := make(deadlines)
	for _, key := range []string{"asynq:{default}:lease", "asynq:{default}:aggregation_sets"} {
		members, err := e.redis.ZRange(e.t.Context(), key, 0, -1).Result()
		testkit.Must(e.t, err)
		held[key] = members
	}
	return held
}

// age moves deadlines two minutes into the past.
func (e *env) age(held deadlines) {
	e.t.Helper()
	long := float64(time.Now().Add(-2 * time.Minute).Unix())
	for key, members := range held {
		for _, m := range members {
			testkit.Must(e.t, e.redis.ZAddXX(e.t.Context(), key, redis.Z{Score: long, Member: m}).Err())
		}
	}
	e.ageLedger()
}

// ageLedger makes batches and final steps due and ends the leader's lease.
func (e *env) ageLedger() {
	e.t.Helper()
	for _, statement := range []string{
		"UPDATE batches SET due_at = UTC_TIMESTAMP(6) WHERE due_at > UTC_TIMESTAMP(6)",
		"UPDATE leases SET until = UTC_TIMESTAMP(6)",
		"UPDATE finalize_steps SET due_at = UTC_TIMESTAMP(6) WHERE due_at > UTC_TIMESTAMP(6)",
	} {
		testkit.Eventually(e.t, patience, func() error { // workers write the same rows
			_, err := e.db.ExecContext(e.t.Context(), statement)
			return err
		})
	}
}

// realTime reports whether the tests wait for deadlines instead of moving them.
func realTime() bool { return os.Getenv("BALER_SOAK") != "" }

// client runs a command of the program that writes JSON lines, and returns them.
func (e *env) client(args ...string) []json.RawMessage {
	e.t.Helper()
	p := e.start("client", "", args...)
	if err := p.wait(); err != nil {
		e.t.Fatalf("baler %v: %v; its log:\n%s", args, err, p.logText())
	}
	var lines []json.RawMessage
	d := json.NewDecoder(&p.stdout)
	for d.More() {
		var line json.RawMessage
		if err := d.Decode(&line); err != nil {
			e.t.Fatalf("baler %v: %v", args, err)
		}
		lines = append(lines, slices.Clone(line))
	}
	return lines
}
