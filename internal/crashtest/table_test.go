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

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
)

// victim is what dies.
type victim string

const (
	producer victim = "producer"           // killed
	worker   victim = "worker"             // killed; it dispatches, too
	frozen   victim = "worker, frozen"     // stopped, taken for dead, and going on when all is over
	kept     victim = "Redis"              // killed, and back with its data
	emptied  victim = "Redis, emptied"     // killed, and back without
	database victim = "database"           // killed, and back
	byWorker        = "while a worker"     // whom a server's death befalls
	byProd          = "while the producer" // as above
)

// kase is one row of the table.
type kase struct {
	victim  victim
	point   failpoint.Name
	passing int
	via     string

	by          string // of a server: who stands at the point when it dies
	first       string // the recipe's first step: quick unless set
	concurrency int
}

func (k kase) String() string {
	name := fmt.Sprintf("%s %s at %s", k.via, k.victim, k.point)
	if k.by == byProd {
		name += " of the producer"
	}
	if k.concurrency == 1 {
		name += ", one at a time"
	}
	return name
}

// cases is the whole product where it makes sense.
func cases() (all []kase) {
	for _, via := range []string{"bulk", "group"} {
		at := func(v victim, point failpoint.Name, passing int) *kase {
			all = append(all, kase{victim: v, point: point, passing: passing, via: via, by: byWorker})
			return &all[len(all)-1]
		}
		at(producer, failpoint.FilesRegistered, 1)
		at(producer, failpoint.Sealed, 1)
		for _, v := range []victim{worker, frozen, kept, emptied, database} {
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
				at(v, failpoint.SetTaken, 2)
				at(v, failpoint.SetReturned, 2)
			}
		}
		// With one batch at a time, the next is dequeued after the last was acknowledged.
		at(worker, failpoint.BatchDequeued, 4).concurrency = 1
		for _, v := range []victim{kept, emptied, database} {
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

// TestKilledAnywhere is the kill table: who dies, where, and by which way the
// files came. After each the same is true.
func TestKilledAnywhere(t *testing.T) {
	files, many := tree(t, 400), tree(t, 2600)
	outcomes := newOutcomes(t)
	room := make(chan struct{}, 8) // cases wait more than they work
	var running sync.WaitGroup
	for _, k := range cases() {
		room <- struct{}{}
		running.Go(func() {
			defer func() { <-room }()
			t.Run(k.String(), func(t *testing.T) {
				begun := time.Now()
				defer func() { outcomes.add(t, k, time.Since(begun)) }()
				if k.victim == producer {
					k.killProducer(t, many)
					return
				}
				k.play(t, files, 400)
			})
		})
	}
	running.Wait()
	outcomes.print()
}

// play runs a case in which a worker or a server dies.
func (k kase) play(t *testing.T, root string, files int64) {
	s, server := k.stage(t)
	recipe := s.recipe("recipe", k.firstStep())
	fault, marker := k.fault(s)
	var victim *process
	if k.by == byProd {
		victim = s.submit(fault, k.via, recipe, root)
	} else {
		p := s.submit("", k.via, recipe, root)
		if err := p.wait(); err != nil {
			t.Fatalf("submit: %v; it says\n%s", err, p.logText())
		}
		victim = s.worker("a", fault)
	}
	var left held
	switch k.victim {
	case worker:
		victim.awaitKilled()
		left = s.held()
	case frozen:
		victim.awaitStopped()
		left = s.held()
	default: // a server dies below
	}
	if server != nil {
		awaitMarker(t, marker, victim)
		server.Kill()
		testkit.Must(t, os.Remove(marker))
		server.Restart()
		if k.by == byProd {
			if err := victim.wait(); err != nil {
				t.Fatalf("the producer gave up: %v; it says\n%s", err, victim.logText())
			}
		}
	}
	s.learn()
	other := s.worker("b", "")
	other.awaitStarted()
	if !realTime() {
		s.age(left)
	}
	s.await()
	if k.victim == frozen {
		victim.signal(syscall.SIGCONT)
	}
	other.finish()
	if victim.name == "a" && k.victim != worker {
		victim.finish()
	}
	s.audit(files)
	s.settle()
}

// killProducer is about files that a dead producer has registered: they get
// their results. What it had not registered is nobody's.
func (k kase) killProducer(t *testing.T, root string) {
	s, _ := k.stage(t)
	w := s.worker("b", "")
	w.awaitStarted()
	fault, _ := k.fault(s)
	s.submit(fault, k.via, s.recipe("recipe", quick), root).awaitKilled()
	s.learn()
	s.awaitThat("everything registered has been processed", func(r row) bool { return r.files > 0 && r.finished == r.files })
	if k.point == failpoint.Sealed {
		s.await() // a worker that is stopped leaves the final step to others, and here is none
	}
	w.finish()
	r, err := s.row()
	testkit.Must(t, err)
	if k.point == failpoint.Sealed {
		s.audit(2600)
	} else {
		if r.state != "open" && r.state != "interrupted" {
			t.Errorf("the transfer is %+v, want it open", r)
		}
		s.auditRows(r.files)
		s.resume()
	}
	s.settle()
}

// resume goes on with what a dead producer has left, once it counts as dead.
func (s *stage) resume() {
	s.t.Helper()
	if _, err := s.db.ExecContext(s.t.Context(), "UPDATE transfers SET seen_at = seen_at - INTERVAL 5 MINUTE"); err != nil {
		s.t.Fatal(err)
	}
	cfg, err := config.Load(config.LoadOptions{Env: s.environment()})
	testkit.Must(s.t, err)
	b, err := baler.Open(s.t.Context(), cfg, baler.Options{Registry: builtin.Registry()})
	testkit.Must(s.t, err)
	defer b.Close()
	left, err := b.Transfer(s.t.Context(), s.transfer)
	if err == nil {
		_, err = b.ResumeSubmit(s.t.Context(), left, nil)
	}
	if err != nil {
		s.t.Fatalf("resume: %v", err)
	}
	w := s.worker("c", "")
	w.awaitStarted()
	s.await()
	w.finish()
	s.audit(2600)
}

func (k kase) firstStep() string {
	if k.first != "" {
		return k.first
	}
	return quick
}

// stage sets up the servers: a private one where it is to die.
func (k kase) stage(t *testing.T) (*stage, *testkit.Server) {
	t.Helper()
	var redisURL, mysqlURL string
	var server *testkit.Server
	switch k.victim {
	case kept, emptied:
		server = testkit.NewRedisServer(t, testkit.RedisOptions{Persist: k.victim == kept})
		redisURL, mysqlURL = server.URL(), testkit.MySQL(t)
	case database:
		server = testkit.NewMySQLServer(t)
		redisURL, mysqlURL = testkit.Redis(t), server.URL()
	default:
		redisURL, mysqlURL = testkit.Redis(t), testkit.MySQL(t)
	}
	s := newStage(t, redisURL, mysqlURL)
	s.concurrency = k.concurrency
	return s, server
}

// fault is what the victim's environment says.
func (k kase) fault(s *stage) (text, marker string) {
	switch k.victim {
	case frozen:
		return fmt.Sprintf("stop@%s:%d", k.point, k.passing), ""
	case worker, producer:
		return fmt.Sprintf("kill@%s:%d", k.point, k.passing), ""
	default: // a server dies while this process waits
		marker = filepath.Join(s.dir, "marker")
		return fmt.Sprintf("wait@%s:%d:%s", k.point, k.passing, marker), marker
	}
}

func awaitMarker(t *testing.T, marker string, p *process) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if _, err := os.Stat(marker); err != nil {
			return fmt.Errorf("%s has not come to its point: %w; its log:\n%s", p.name, err, p.logText())
		}
		return nil
	})
}

// outcomes collects what came of the cases.
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

func (o *outcomes) add(t *testing.T, k kase, took time.Duration) {
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
