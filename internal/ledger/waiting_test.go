package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestWaitingFor(t *testing.T) {
	t.Parallel()
	worker := func(name, queue string, desired tasks.DesiredState, handlers ...string) tasks.Worker {
		return tasks.Worker{Name: name, Handlers: handlers, Slots: 2, Queues: []string{queue}, DesiredState: desired}
	}
	able := worker("a", "q", "", "checksum", "finalizer:manifest")
	held := func(transfer int64, queue, by string, n int) HeldBatches { return HeldBatches{transfer, queue, by, n} }
	running := func(change func(*tasks.Transfer)) *tasks.Transfer {
		tr := &tasks.Transfer{
			ID: 1, UUID: "u", State: tasks.StateRunning, Queue: "q", Files: 2, Finished: 1,
			Sources: []string{"/in"},
			Steps:   []tasks.StepProgress{{Handler: "checksum", Selected: 2, Counts: tasks.Counts{Succeeded: 1}}},
		}
		if change != nil {
			change(tr)
		}
		return tr
	}
	state := func(s tasks.State) *tasks.Transfer { return running(func(t *tasks.Transfer) { t.State = s }) }
	finalizing := func(state tasks.FinalizeState) *tasks.Transfer {
		return running(func(t *tasks.Transfer) {
			t.State, t.Finished = tasks.StateFinalizing, 2
			t.Finalizers = []tasks.FinalizeStep{{Handler: "other", State: tasks.FinalizeDone}, {Handler: "manifest", State: state}}
		})
	}
	twoSteps := running(func(t *tasks.Transfer) {
		t.Steps = []tasks.StepProgress{{Handler: "scan", Selected: 2}, {Handler: "checksum", Selected: 1}}
	})
	unrouted := running(func(t *tasks.Transfer) { t.Steps[0].Selected = 1 })
	crew := func(ws ...tasks.Worker) Surroundings { return Surroundings{Workers: ws} }
	limit := func(scope tasks.Scope, name string, n int, h ...HeldBatches) Surroundings {
		return Surroundings{Workers: []tasks.Worker{able}, Limits: []tasks.Limit{{Scope: scope, Name: name, InFlight: n}}, Held: h}
	}

	silent := func(s Surroundings, seconds int64) Surroundings {
		s.Now = time.Unix(1000+seconds, 0)
		return s
	}
	open := func(change func(*tasks.Transfer)) *tasks.Transfer {
		t := running(change)
		t.State, t.SeenAt = tasks.StateOpen, time.Unix(1000, 0).UTC()
		return t
	}
	slow := func(name string, took time.Duration) tasks.Worker {
		w := worker(name, "q", "", "checksum")
		w.WriteTime = took
		return w
	}
	retrying := func(r Retry) Surroundings {
		return Surroundings{Now: time.Unix(1000, 0), Workers: []tasks.Worker{able}, Retries: map[int64]Retry{1: r}}
	}
	dispatched := running(func(t *tasks.Transfer) { t.Cursor = 2 })
	throttled := func(by string) Surroundings {
		w := able
		w.Throttled = []string{by}
		return Surroundings{Workers: []tasks.Worker{w}, Limits: []tasks.Limit{
			{Scope: tasks.ScopeAll, FilesPerSecond: 5}, {Scope: tasks.ScopeQueue, Name: "low", FilesPerSecond: 3},
			{Scope: tasks.ScopeQueue, Name: "q", FilesPerSecond: 2.5}, {Scope: tasks.ScopeTransfer, Name: "u", FilesPerSecond: 1},
		}}
	}

	for _, c := range []struct {
		name     string
		around   Surroundings
		transfer *tasks.Transfer
		want     string
	}{
		{"it goes on", crew(able), running(nil), ""},
		{"completed", crew(), state(tasks.StateCompleted), ""},
		{
			"the disk is full", Surroundings{Workers: []tasks.Worker{able}, WriteError: errors.New("the disk is full")}, running(nil),
			"the database, which fails: the disk is full",
		},
		{"canceled", crew(), state(tasks.StateCanceled), ""},
		{
			"bad rows", crew(able), running(func(t *tasks.Transfer) { t.PausedAt, t.Trouble = time.Unix(1, 0), "files is -1" }),
			"a person to correct its rows and resume it",
		},
		{"paused", crew(), running(func(t *tasks.Transfer) { t.PausedAt = time.Unix(1, 0) }), "a person to resume it"},
		{"interrupted", crew(able), state(tasks.StateInterrupted), "its producer, which was interrupted, to register the rest of its files"},
		{
			"interrupted list", crew(able), running(func(t *tasks.Transfer) { t.State, t.Sources = tasks.StateInterrupted, nil }),
			"its producer, which was interrupted: the same list again, with 'baler submit --resume u -', registers the rest",
		},
		{
			"interrupted server", crew(able), running(func(t *tasks.Transfer) { t.State, t.ByServer = tasks.StateInterrupted, true }),
			"a server, 'baler serve', to register the rest of its files: the one that did so was interrupted",
		},
		{"silent for 30 s", silent(crew(), 30), open(nil), "a worker with the handler checksum: no worker is running"},
		{"silent for longer", silent(crew(), 31), open(nil), "its producer, which was interrupted, to register the rest of its files"},
		{"a client that is silent", silent(crew(able), 31), open(func(t *tasks.Transfer) { t.ByRequests = true }), ""},
		{
			"a client that is silent, with nothing to do", silent(crew(able), 31),
			open(func(t *tasks.Transfer) { t.ByRequests, t.Finished = true, 2 }),
			"its client to add files, or to seal it with POST /v1/transfers/u/seal: none has come since 1970-01-01T00:16:40Z",
		},
		{
			"a client, with nothing to do", silent(crew(able), 30),
			open(func(t *tasks.Transfer) { t.ByRequests, t.Finished = true, 2 }),
			"its client to add files, or to seal it with POST /v1/transfers/u/seal",
		},
		{
			"still registering", crew(able), running(func(t *tasks.Transfer) { t.State, t.Finished = tasks.StateOpen, 2 }),
			"its producer, which still registers files",
		},
		{"registering with files to do", crew(able), state(tasks.StateOpen), ""},
		{"no worker", crew(), running(nil), "a worker with the handler checksum: no worker is running"},
		{"no worker for files that are not dispatched", crew(), unrouted, "a worker with the handler checksum: no worker is running"},
		{"files that are not dispatched", crew(able), unrouted, ""},
		{"no worker has the handler", crew(worker("a", "q", "", "noop")), running(nil), "a worker with the handler checksum: no live worker has it"},
		{"another step goes on", crew(able), twoSteps, ""},
		{"no step goes on", crew(worker("a", "q", "", "noop")), twoSteps, "a worker with the handler scan: no live worker has it"},
		{"wrong queue", crew(worker("a", "low", "", "checksum")), running(nil), "a worker of queue q: no live worker takes batches from it"},
		{
			"queue and handler apart", crew(worker("a", "low", "", "checksum"), worker("b", "q", "", "noop")), running(nil),
			"a worker of queue q with the handler checksum: no live worker has both",
		},
		{"Redis away", Surroundings{Workers: []tasks.Worker{able}, QueueFault: "does not answer"}, running(nil), "Redis, which does not answer"},
		{
			"queue paused", Surroundings{Workers: []tasks.Worker{able}, PausedQueues: []string{"low", "q"}}, running(nil),
			"a person to resume queue q, which is paused",
		},
		{"another queue paused", Surroundings{Workers: []tasks.Worker{able}, PausedQueues: []string{"low"}}, running(nil), ""},
		{
			"workers paused", crew(worker("a", "q", tasks.WorkerPaused, "checksum"), worker("b", "q", tasks.WorkerDraining, "checksum")), running(nil),
			"a person to resume a worker: all with the handler checksum on queue q are paused or drain",
		},
		{"one worker paused", crew(worker("b", "q", tasks.WorkerPaused, "checksum"), able), running(nil), ""},
		{"limit", limit(tasks.ScopeAll, "", 1, held(2, "low", "b", 1)), running(nil), "other batches to end: the limit of 1 at once is reached"},
		{"limit with room", limit(tasks.ScopeAll, "", 2, held(2, "low", "b", 1)), running(nil), ""},
		{"limit of rate", limit(tasks.ScopeAll, "", 0, held(2, "low", "b", 1)), running(nil), ""},
		{
			"limit of the queue", limit(tasks.ScopeQueue, "q", 1, held(2, "q", "b", 1)), running(nil),
			"other batches to end: the limit of 1 at once in queue q is reached",
		},
		{"limit of another queue", limit(tasks.ScopeQueue, "low", 1, held(2, "low", "b", 1)), running(nil), ""},
		{"limit that it uses itself", limit(tasks.ScopeAll, "", 1, held(1, "q", "a", 1)), running(nil), ""},
		{"limit of rate reached", throttled("all "), running(nil), "its turn: the limit of 5 files per second is reached"},
		{"limit of rate in the queue reached", throttled("queue q"), running(nil), "its turn: the limit of 2.5 files per second in queue q is reached"},
		{"limit of rate of another queue reached", throttled("queue low"), running(nil), ""},
		{"limit of rate of the transfer reached", throttled("transfer u"), running(nil), "its turn: the limit of 1 files per second of this transfer is reached"},
		{"limit that is gone", throttled("transfer v"), running(nil), ""},
		{
			"no free slot", Surroundings{Workers: []tasks.Worker{able}, Held: []HeldBatches{held(2, "q", "a", 1), held(3, "q", "a", 1)}}, running(nil),
			"a free slot: other transfers use all 2",
		},
		{"one slow worker of two", crew(slow("a", time.Minute), slow("b", 900*time.Millisecond)), running(nil), ""},
		{"one worker that has not measured it", crew(slow("a", 1260*time.Millisecond), able), running(nil), "the database, which is slow: a write takes 1.3s"},
		{
			"slow database, with batches that run",
			Surroundings{Workers: []tasks.Worker{slow("a", 3*time.Second)}, Held: []HeldBatches{held(1, "q", "a", 1)}},
			running(nil), "the database, which is slow: a write takes 3s",
		},
		{"slow database, when all is done", crew(slow("a", time.Minute)), running(func(t *tasks.Transfer) { t.Finished = 2 }), ""},
		{
			"next attempt", retrying(Retry{At: time.Unix(1030, 0), Files: 1, Code: "io", Error: "no route"}), dispatched,
			"the next attempt at 1 of its files, at 1970-01-01T00:17:10Z: the last one ended with io: no route",
		},
		{"next attempt of which little is known", retrying(Retry{At: time.Unix(1030, 0), Files: 1}), dispatched, "the next attempt at 1 of its files, at 1970-01-01T00:17:10Z"},
		{"next attempt that is due", retrying(Retry{At: time.Unix(1000, 0), Files: 1}), dispatched, ""},
		{"next attempt, and files to dispatch", retrying(Retry{At: time.Unix(1030, 0), Files: 1}), running(nil), ""},
		{"a free slot", Surroundings{Workers: []tasks.Worker{able}, Held: []HeldBatches{held(2, "q", "a", 1)}}, running(nil), ""},
		{"final step", crew(able), finalizing(tasks.FinalizeWaiting), ""},
		{"final step runs", crew(), finalizing(tasks.FinalizeRunning), ""},
		{"no worker for the final step", crew(), finalizing(tasks.FinalizeWaiting), "a worker with the finalizer manifest: no worker is running"},
		{
			"no worker has the finalizer", crew(worker("a", "q", "", "manifest")), finalizing(tasks.FinalizeWaiting),
			"a worker with the finalizer manifest: no live worker has it",
		},
		{
			"worker of the final step paused", crew(worker("a", "low", tasks.WorkerPaused, "finalizer:manifest")), finalizing(tasks.FinalizeWaiting),
			"a person to resume a worker: all with the finalizer manifest are paused or drain",
		},
	} {
		if got := c.around.Waiting(c.transfer).Text; got != c.want {
			t.Errorf("%s: it waits for %q, want %q", c.name, got, c.want)
		}
	}
}
