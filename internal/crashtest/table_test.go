package crashtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
)

// victim is the process or server that dies.
type victim string

const (
	producer  victim = "producer"           // killed
	worker    victim = "worker"             // killed; it also dispatches
	frozen    victim = "worker, frozen"     // stopped, taken for dead, and continued after the transfer has ended
	restarted victim = "Redis"              // killed, and restarted with its data
	emptied   victim = "Redis, emptied"     // killed, and restarted without its data
	database  victim = "database"           // killed, and restarted
	byWorker         = "while a worker"     // is at the failpoint when a server dies
	byProd           = "while the producer" // as above
)

// crashCase is one row of the table.
type crashCase struct {
	victim  victim
	point   failpoint.Name
	passing int
	via     string

	by          string // when a server dies: the process that is at the point
	first       string // the recipe's first step: quick unless set
	concurrency int
}

func (k crashCase) String() string {
	name := fmt.Sprintf("%s %s at %s", k.via, k.victim, k.point)
	if k.by == byProd {
		name += " of the producer"
	}
	if k.concurrency == 1 {
		name += ", one at a time"
	}
	return name
}

// cases returns every meaningful combination of way, victim and failpoint.
func cases() (all []crashCase) {
	for _, via := range []string{"bulk", "group"} {
		at := func(v victim, point failpoint.Name, passing int) *crashCase {
			all = append(all, crashCase{victim: v, point: point, passing: passing, via: via, by: byWorker})
			return &all[len(all)-1]
		}
		at(producer, failpoint.FilesInserted, 1)
		at(producer, failpoint.FilesRegistered, 1)
		at(producer, failpoint.Sealed, 1)
		for _, v := range []victim{worker, frozen, restarted, emptied, database} {
			at(v, failpoint.LedgerWritten, 1)
			at(v, failpoint.BatchEnqueued, 5)
			at(v, failpoint.BatchDequeued, 3)
			at(v, failpoint.HandlerHalfway, 30)
			at(v, failpoint.SomeResultsCommitted, 1).first = slow
			at(v, failpoint.BatchClosed, 3)
			at(v, failpoint.NextStepEnqueued, 3)
			at(v, failpoint.FinalStepRan, 1)
			at(v, failpoint.Completed, 1)
			if via == "group" {
				at(v, failpoint.SetTaken, 1)
				at(v, failpoint.SetReturned, 1)
			}
		}
		// With one batch at a time, the next is dequeued after the last was acknowledged.
		at(worker, failpoint.BatchDequeued, 4).concurrency = 1
		for _, v := range []victim{restarted, emptied, database} {
			at(v, failpoint.FilesInserted, 1).by = byProd
			at(v, failpoint.FilesRegistered, 1).by = byProd
			at(v, failpoint.Sealed, 1).by = byProd
			if via == "group" {
				at(v, failpoint.TaskEnqueued, 100).by = byProd
			}
		}
		if via == "group" {
			at(producer, failpoint.TaskEnqueued, 100)
		}
	}
	return all
}

// TestKilledAnywhere kills each victim at each failpoint, for transfers submitted in
// each way, and makes the same assertions after every case.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	files, many := writeNumbered(t, 400), writeNumbered(t, 2600)
	outcomes := newOutcomes(t)
	slots := make(chan struct{}, 8) // cases mostly wait, so many run at once
	var running sync.WaitGroup
	for _, k := range cases() {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			t.Run(k.String(), func(t *testing.T) {
				begun := time.Now()
				defer func() { outcomes.add(t, k, time.Since(begun)) }()
				if k.victim == producer {
					k.killProducer(t, many)
					return
				}
				k.killWorkerOrServer(t, files, 400)
			})
		})
	}
	running.Wait()
	outcomes.print()
}

// killWorkerOrServer runs a case in which a worker or a server dies.
func (k crashCase) killWorkerOrServer(t *testing.T, root string, files int64) {
	e, server := k.setUp(t)
	k.killIn(t, e, server, root, files)
}

// killIn runs such a case in an environment.
func (k crashCase) killIn(t *testing.T, e *env, server *testkit.PrivateServer, root string, files int64) {
	t.Helper()
	recipe := e.recipe("recipe", k.firstStep())
	fault, marker := k.fault(e)
	var victim *process
	if k.by == byProd {
		victim = e.submit(fault, k.via, recipe, root)
	} else {
		p := e.submit("", k.via, recipe, root)
		if err := p.wait(); err != nil {
			t.Fatalf("submit: %v; its log:\n%s", err, p.logText())
		}
		victim = e.worker("a", fault)
	}
	var left deadlines
	switch k.victim {
	case worker:
		victim.awaitKilled()
		left = e.held()
	case frozen:
		victim.awaitStopped()
		left = e.held()
	default: // a server dies below
	}
	if server != nil {
		awaitMarker(t, marker, victim)
		server.Kill()
		testkit.Must(t, os.Remove(marker))
		server.Restart()
		if k.by == byProd {
			if err := victim.wait(); err != nil {
				t.Fatalf("the producer gave up: %v; its log:\n%s", err, victim.logText())
			}
		}
	}
	e.findTransfer()
	other := e.worker("b", "")
	other.awaitStarted()
	if !realTime() {
		e.age(left)
	}
	e.awaitCompleted()
	if k.victim == frozen {
		victim.signal(syscall.SIGCONT)
	}
	other.finish()
	if victim.name == "a" && k.victim != worker {
		victim.finish()
	}
	e.auditTransfer(files)
	e.settle()
}

// killProducer runs a case in which the producer dies. The files that it registered
// get their results; the others get them when the submission is resumed.
func (k crashCase) killProducer(t *testing.T, root string) {
	e, _ := k.setUp(t)
	w := e.worker("b", "")
	w.awaitStarted()
	fault, _ := k.fault(e)
	e.submit(fault, k.via, e.recipe("recipe", quick), root).awaitKilled()
	e.findTransfer()
	e.awaitThat("everything registered has been processed", func(r row) bool {
		return (r.files > 0 || k.point == failpoint.FilesInserted) && r.finished == r.files
	})
	if k.point == failpoint.Sealed {
		e.awaitCompleted() // no other worker would run the final step after this one has stopped
	}
	w.finish()
	r, err := e.row()
	testkit.Must(t, err)
	if k.point == failpoint.Sealed {
		e.auditTransfer(2600)
	} else {
		if r.state != "open" && r.state != "interrupted" {
			t.Errorf("the transfer is %+v, want it open", r)
		}
		e.auditRows(r.files)
		e.resume()
	}
	e.settle()
}

// resume makes the producer count as dead, and resumes its submission.
func (e *env) resume() {
	e.t.Helper()
	if _, err := e.db.ExecContext(e.t.Context(), "UPDATE transfers SET seen_at = seen_at - INTERVAL 5 MINUTE"); err != nil {
		e.t.Fatal(err)
	}
	if p := e.start("producer", "", "submit", "--resume", e.transfer); p.wait() != nil {
		e.t.Fatalf("resume: the log:\n%s", p.logText())
	}
	w := e.worker("c", "")
	w.awaitStarted()
	e.awaitCompleted()
	w.finish()
	e.auditTransfer(2600)
}

func (k crashCase) firstStep() string {
	if k.first != "" {
		return k.first
	}
	return quick
}

// setUp makes the environment, with a private server if the case kills it.
func (k crashCase) setUp(t *testing.T) (*env, *testkit.PrivateServer) {
	t.Helper()
	var redisURL, mysqlURL string
	var server *testkit.PrivateServer
	switch k.victim {
	case restarted, emptied:
		server = testkit.NewRedisServer(t, testkit.RedisOptions{Persist: k.victim == restarted})
		redisURL, mysqlURL = server.URL(), testkit.MySQL(t)
	case database:
		server = testkit.NewMySQLServer(t)
		redisURL, mysqlURL = testkit.Redis(t), server.URL()
	default:
		redisURL, mysqlURL = testkit.Redis(t), testkit.MySQL(t)
	}
	e := newEnv(t, redisURL, mysqlURL)
	e.concurrency = k.concurrency
	return e, server
}

// fault returns the failpoint setting of the victim, and the file that it writes
// when it waits at the failpoint.
func (k crashCase) fault(e *env) (text, marker string) {
	switch k.victim {
	case frozen:
		return fmt.Sprintf("stop@%s:%d", k.point, k.passing), ""
	case worker, producer:
		return fmt.Sprintf("kill@%s:%d", k.point, k.passing), ""
	default: // a server dies while this process waits
		marker = filepath.Join(e.dir, "marker")
		return fmt.Sprintf("wait@%s:%d:%s", k.point, k.passing, marker), marker
	}
}

func awaitMarker(t *testing.T, marker string, p *process) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if _, err := os.Stat(marker); err != nil {
			return fmt.Errorf("%s has not reached its failpoint: %w; its log:\n%s", p.name, err, p.logText())
		}
		return nil
	})
}

// outcomes collects the outcomes of the cases for a table in the log.
type outcomes struct {
	t    *testing.T
	mu   sync.Mutex
	text strings.Builder
	w    *tabwriter.Writer
}

func newOutcomes(t *testing.T) *outcomes {
	o := &outcomes{t: t}
	o.w = tabwriter.NewWriter(&o.text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(o.w, "\nWAY\tVICTIM\tPOINT\tPASSING\tOUTCOME\tTOOK")
	return o
}

func (o *outcomes) add(t *testing.T, k crashCase, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	outcome := "kept"
	if t.Failed() {
		outcome = "BROKEN"
	}
	who := string(k.victim)
	if k.by == byProd {
		who += " under the producer"
	}
	fmt.Fprintf(o.w, "%s\t%s\t%s\t%d\t%s\t%.1fs\n", k.via, who, k.point, k.passing, outcome, took.Seconds())
}

func (o *outcomes) print() {
	if err := o.w.Flush(); err != nil {
		o.t.Error(err)
	}
	o.t.Log(o.text.String())
}
