package crashtest

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// TestSoakOfKills runs transfers by group and by bulk for the duration in BALER_SOAK, while
// workers, servers and the network fail and recover at random, in real time. Then the
// faults stop, and each transfer must end as it would without them.
func TestSoakOfKills(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("BALER_SOAK"))
	if err != nil {
		t.Skip("takes minutes: set BALER_SOAK to a duration, as 10m, or run `make soak`")
	}
	k := newSoak(t)
	k.run(length)
	k.finishAll()
	k.report(length)
}

const (
	soakFiles   = 1500
	soakWorkers = 2
)

// soak is an environment in which every server, connection and process may fail.
type soak struct {
	*env
	redisServer, mysqlServer *testkit.PrivateServer
	redisProxy, mysqlProxy   *testkit.FaultyProxy
	root                     string
	recipes                  []string

	workers   []*process
	producer  *process
	started   int
	transfers []int64
	kills     map[string]int
	recovered []time.Duration // from each fault until files finish again
}

func newSoak(t *testing.T) *soak {
	k := &soak{
		redisServer: testkit.NewRedisServer(t, testkit.RedisOptions{Persist: true}), mysqlServer: testkit.NewMySQLServer(t),
		root: writeNumbered(t, soakFiles), workers: make([]*process, soakWorkers), kills: make(map[string]int),
	}
	k.redisProxy, k.mysqlProxy = testkit.Proxy(t, k.redisServer.URL()), testkit.Proxy(t, k.mysqlServer.URL())
	k.env = newEnv(t, k.redisServer.URL(), k.mysqlServer.URL())
	k.redisURL, k.mysqlURL = k.redisProxy.URL(), k.mysqlProxy.URL()
	k.recipes = []string{k.recipe("quick", quick), k.recipe("brief", brief)}
	return k
}

// run causes one fault after another for the given time.
func (k *soak) run(length time.Duration) {
	end := time.Now().Add(length)
	for time.Now().Before(end) {
		k.restartDead()
		k.sleep(time.Duration(500+rand.IntN(2500)) * time.Millisecond)
		before := k.finished()
		k.fault()
		begun := time.Now()
		for time.Since(begun) < 20*time.Second && k.finished() <= before && k.unfinished() > 0 {
			k.restartDead()
			k.sleep(50 * time.Millisecond)
		}
		if k.finished() > before {
			k.recovered = append(k.recovered, time.Since(begun))
		}
	}
}

// restartDead replaces dead workers, and starts a new transfer when the last one is
// nearly done.
func (k *soak) restartDead() {
	for i, w := range k.workers {
		if w == nil || w.dead() {
			k.workers[i] = k.worker(k.name("worker"), "")
		}
	}
	if (k.producer == nil || k.producer.dead()) && k.unfinished() < 3*soakFiles {
		k.producer = k.start(k.name("producer"), "", "submit",
			"--via", []string{"bulk", "group"}[rand.IntN(2)],
			"--recipe", k.recipes[rand.IntN(len(k.recipes))], k.root)
	}
}

func (k *soak) name(what string) string {
	k.started++
	return fmt.Sprintf("%s%d", what, k.started)
}

func (p *process) dead() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// sleep waits for a time. The soak test runs in real time, so it does not wait for an event.
func (k *soak) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-k.t.Context().Done():
	}
}

// fault causes one random fault.
func (k *soak) fault() {
	victim := k.workers[rand.IntN(len(k.workers))]
	proxy, to := k.redisProxy, "Redis"
	if rand.IntN(2) == 0 {
		proxy, to = k.mysqlProxy, "database"
	}
	faults := []struct {
		name string
		do   func()
	}{
		{"worker killed", victim.kill},
		{"all workers killed", func() {
			for _, w := range k.workers {
				w.kill()
			}
		}},
		{"producer killed", k.producer.kill},
		{"Redis killed", func() { k.redisServer.Kill(); k.redisServer.Restart() }},
		{"Redis emptied", func() { k.must(k.redis.FlushAll(k.t.Context()).Err()) }},
		{"database killed", func() { k.mysqlServer.Kill(); k.mysqlServer.Restart() }},
		{to + " slow", func() { proxy.Latency(200 * time.Millisecond); k.sleep(3 * time.Second); proxy.Clear() }},
		{to + " resets", func() { proxy.Reset(); k.sleep(time.Second); proxy.Clear() }},
		{to + " answers lost", func() { proxy.Timeout(500 * time.Millisecond); k.sleep(2 * time.Second); proxy.Clear() }},
		{to + " silent", func() { proxy.Silence(); k.sleep(4 * time.Second); proxy.Clear() }},
		{to + " cut off", func() { proxy.Down(); k.sleep(2 * time.Second); proxy.Up() }},
	}
	f := faults[rand.IntN(len(faults))]
	k.kills[f.name]++
	f.do()
}

func (k *soak) must(err error) {
	k.t.Helper()
	testkit.Must(k.t, err)
}

func (k *soak) number(query string) (n int64) {
	var found sql.NullInt64
	if err := k.db.QueryRowContext(k.t.Context(), query).Scan(&found); err != nil {
		return 0 // the database is not up yet, or has no tables yet
	}
	return found.Int64
}

func (k *soak) finished() int64 { return k.number("SELECT SUM(finished) FROM transfers") }

func (k *soak) unfinished() int64 { return k.number("SELECT SUM(files - finished) FROM transfers") }

// finishAll ends the faults, waits until all transfers have ended, and audits each.
func (k *soak) finishAll() {
	k.restartDead()
	<-k.producer.ended // it may have been killed or have given up: only the files that it registered count
	begun := time.Now()
	testkit.Eventually(k.t, 5*time.Minute, func() error {
		for i, w := range k.workers {
			if w.dead() {
				k.workers[i] = k.worker(k.name("worker"), "")
			}
		}
		if left, open := k.unfinished(), k.number("SELECT COUNT(*) FROM transfers WHERE state IN ('running', 'finalizing')"); left > 0 || open > 0 {
			return fmt.Errorf("%d files are not finished, %d transfers run; %s", left, open, k.ledger())
		}
		return nil
	})
	k.t.Logf("everything finished %.1fs after the last fault", time.Since(begun).Seconds())
	for _, w := range k.workers {
		w.awaitStarted()
		w.finish()
	}
	rows, err := k.db.QueryContext(k.t.Context(), "SELECT id FROM transfers ORDER BY id")
	k.must(err)
	defer rows.Close()
	for rows.Next() {
		var id int64
		k.must(rows.Scan(&id))
		k.transfers = append(k.transfers, id)
	}
	k.must(rows.Err())
	for _, k.id = range k.transfers {
		r, err := k.row()
		k.must(err)
		if r.files > 0 {
			k.auditRows(r.files)
		}
		if n := k.completions(k.id); n > 1 {
			k.t.Errorf("transfer %d was completed %d times", k.id, n)
		}
	}
	k.settle()
}

// completions counts in all logs how often a transfer was completed.
func (k *soak) completions(transfer int64) (n int) {
	logs, err := filepath.Glob(filepath.Join(k.dir, "*.log"))
	k.must(err)
	for _, log := range logs {
		text, err := os.ReadFile(log)
		k.must(err)
		n += strings.Count(string(text), fmt.Sprintf(`"msg":"transfer completed","transfer":%d}`, transfer))
	}
	return n
}

func (k *soak) report(length time.Duration) {
	files := k.number("SELECT SUM(files) FROM transfers")
	results := k.number("SELECT COUNT(*) FROM results")
	worst, sum := time.Duration(0), time.Duration(0)
	for _, d := range k.recovered {
		worst, sum = max(worst, d), sum+d
	}
	faults := 0
	for _, n := range k.kills {
		faults += n
	}
	k.t.Logf("%s of faults: %d transfers, %d files registered, %d results at two steps", length, len(k.transfers), files, results)
	k.t.Logf("%d faults: %v", faults, k.kills)
	doubled := k.number("SELECT COUNT(*) - COUNT(DISTINCT transfer_id, path) FROM files")
	k.t.Logf("%d files registered twice, %d results missing", doubled, 2*files-results)
	if n := len(k.recovered); n > 0 {
		mean := sum / time.Duration(n)
		k.t.Logf("files finished again after %s on average, %s at worst (seen %d times)",
			mean.Round(time.Millisecond), worst.Round(time.Millisecond), n)
	}
	if files == 0 || faults == 0 {
		k.t.Error("no fault was caused")
	}
}
