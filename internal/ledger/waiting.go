package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/balerhq/baler/tasks"
)

// FinalizerName is the name under which a worker lists a finalizer among its handlers.
func FinalizerName(name string) string { return "finalizer:" + name }

// Surroundings has the conditions under which transfers make progress.
type Surroundings struct {
	Now          time.Time      // by the database's clock
	Workers      []tasks.Worker // live ones
	Limits       []tasks.Limit
	Held         []HeldBatches
	PausedQueues []string        // those that are known to be paused
	QueueFault   string          // why Redis accepts no messages: "is full"
	Retries      map[int64]Retry // by transfer: of those that have no other batches
	WriteError   error           // why this process cannot write to the database, which it retries
}

// Retry is the next attempt at files that have failed.
type Retry struct {
	At    time.Time
	Files int64
	Code  string // of the last attempt; empty when it is not known
	Error string // the first line of it
}

// HeldBatches counts batches of one transfer and queue that one worker runs. Those that
// began within the time of a heartbeat may be missing.
type HeldBatches struct {
	TransferID int64
	Queue      string
	HeldBy     string
	Batches    int
}

// WaitReason is a kind of reasons for which transfers wait.
type WaitReason string

// The reasons.
const (
	WaitsForWorker   WaitReason = "worker"   // no live worker can run it
	WaitsForPerson   WaitReason = "person"   // who resumes or corrects something
	WaitsForProducer WaitReason = "producer" // which registers its files
	WaitsForRedis    WaitReason = "redis"
	WaitsForLimit    WaitReason = "limit"
	WaitsForDatabase WaitReason = "database" // which fails or is slow
	WaitsForRetry    WaitReason = "retry"    // of files that have failed
	WaitsForSlot     WaitReason = "slot"     // other transfers use all
)

// WaitReasons lists all reasons.
func WaitReasons() []WaitReason {
	return []WaitReason{
		WaitsForWorker, WaitsForPerson, WaitsForProducer, WaitsForRedis, WaitsForLimit, WaitsForDatabase, WaitsForSlot, WaitsForRetry,
	}
}

// Waiting is what a transfer waits for that stands still. The zero value says that it does
// not wait.
type Waiting struct {
	Reason WaitReason
	Text   string
}

// Waiting says what a transfer waits for that stands still. It is zero when the
// transfer goes on, has ended, or when nothing is known that keeps it from going on.
func (s *Surroundings) Waiting(t *tasks.Transfer) Waiting {
	switch {
	case t.State.Ended():
		return Waiting{}
	case t.Trouble != "":
		return Waiting{WaitsForPerson, "a person to correct its rows and resume it"}
	case t.Stopped != "":
		return Waiting{WaitsForPerson, "a person to look at its failures and resume it: " + t.Stopped}
	case !t.PausedAt.IsZero():
		return Waiting{WaitsForPerson, "a person to resume it"}
	case s.WriteError != nil:
		return Waiting{WaitsForDatabase, fmt.Sprintf("the database, which fails: %v", s.WriteError)}
	case t.State == tasks.StateInterrupted, s.silent(t) && !t.ByRequests:
		return interrupted(t)
	case t.State == tasks.StateFinalizing:
		return s.finalizer(t)
	case t.Finished >= t.Files && t.State == tasks.StateOpen && t.ByRequests:
		return s.client(t)
	case t.Finished >= t.Files && t.State == tasks.StateOpen:
		return Waiting{WaitsForProducer, "its producer, which still registers files"}
	case t.Finished >= t.Files:
		return Waiting{}
	case s.slowWrites() > 0: // also of those that run: they wait for their results to be written
		return Waiting{WaitsForDatabase, fmt.Sprintf(
			"the database, which is slow: a write takes %v", s.slowWrites().Round(100*time.Millisecond))}
	case s.held(func(h *HeldBatches) bool { return h.TransferID == t.ID }) > 0:
		return Waiting{}
	}
	if step, ok := t.AwaitsApproval(); ok {
		return Waiting{WaitsForPerson, fmt.Sprintf("a person to approve step %s, or to reject it; files that have come to it: %d", step.Name,
			step.Selected-step.Total())}
	}
	return cmp.Or(s.anyStep(t), s.retry(t))
}

// slowWrite is what a write to a database in good order never takes.
const slowWrite = time.Second

// slowWrites is what a write takes at least, on all workers that have measured it, when
// that is long: when one of them is faster, the database is not what is slow.
func (s *Surroundings) slowWrites() (took time.Duration) {
	for i := range s.Workers {
		if w := s.Workers[i].WriteTime; w > 0 && (took == 0 || w < took) {
			took = w
		}
	}
	if took < slowWrite {
		return 0
	}
	return took
}

// retry says that all files of a transfer that are left have failed and are tried again.
func (s *Surroundings) retry(t *tasks.Transfer) Waiting {
	next, ok := s.Retries[t.ID]
	if !ok || t.Cursor < t.Files || !next.At.After(s.Now) {
		return Waiting{}
	}
	text := fmt.Sprintf("the next attempt at %d of its files, at %s", next.Files, next.At.UTC().Format(time.RFC3339))
	if next.Code != "" {
		text += ": the last one ended with " + next.Code
	}
	if next.Error != "" {
		text += ": " + next.Error
	}
	return Waiting{WaitsForRetry, text}
}

// silent reports whether nobody has registered files of an open transfer for long.
func (s *Surroundings) silent(t *tasks.Transfer) bool {
	return t.State == tasks.StateOpen && !t.SeenAt.IsZero() && s.Now.After(t.SeenAt.Add(ProducerTTL))
}

// client says what the client of a transfer does whose files come over HTTP.
func (s *Surroundings) client(t *tasks.Transfer) Waiting {
	text := fmt.Sprintf("its client to add files, or to seal it with POST /v1/transfers/%s/seal", t.UUID)
	if s.silent(t) {
		text += ": none has come since " + t.SeenAt.Format(time.RFC3339)
	}
	return Waiting{WaitsForProducer, text}
}

// interrupted says who registers the rest of the files of a transfer whose producer has
// died.
func interrupted(t *tasks.Transfer) Waiting {
	text := "its producer, which was interrupted, to register the rest of its files"
	switch {
	case t.ByServer:
		text = "a server, 'baler serve', to register the rest of its files: the one that did so was interrupted"
	case len(t.Sources) == 0:
		text = "its producer, which was interrupted: the same list again, with 'baler submit --resume " + t.UUID + " -', registers the rest"
	}
	return Waiting{WaitsForProducer, text}
}

// anyStep is the reason of the first step with files to do, unless another can go on.
// Files that are not dispatched yet may go to any step.
func (s *Surroundings) anyStep(t *tasks.Transfer) (first Waiting) {
	idle := func(step tasks.StepProgress) bool {
		return step.Selected <= step.Total() || step.Approval == tasks.ApprovalWaiting
	}
	steps := slices.DeleteFunc(slices.Clone(t.Steps), idle)
	if len(steps) == 0 {
		steps = t.Steps
	}
	for i := range steps {
		reason := s.step(t, &steps[i])
		if reason == (Waiting{}) {
			return Waiting{}
		}
		first = cmp.Or(first, reason)
	}
	return first
}

// step is what keeps all workers from the batches of a step.
func (s *Surroundings) step(t *tasks.Transfer, step *tasks.StepProgress) Waiting {
	handler := step.Handler
	if len(s.Workers) == 0 {
		return Waiting{WaitsForWorker, fmt.Sprintf("a worker with the handler %s: no worker is running", handler)}
	}
	skilled := workersWith(s.Workers, func(w *tasks.Worker) bool { return slices.Contains(w.Handlers, handler) })
	if len(skilled) == 0 {
		return Waiting{WaitsForWorker, fmt.Sprintf("a worker with the handler %s: no live worker has it", handler)}
	}
	takesQueue := func(w *tasks.Worker) bool { return slices.Contains(w.Queues, t.Queue) }
	able := workersWith(skilled, takesQueue)
	switch {
	case len(workersWith(s.Workers, takesQueue)) == 0:
		return Waiting{WaitsForWorker, fmt.Sprintf("a worker of queue %s: no live worker takes batches from it", t.Queue)}
	case len(able) == 0:
		return Waiting{WaitsForWorker, fmt.Sprintf("a worker of queue %s with the handler %s: no live worker has both", t.Queue, handler)}
	case s.QueueFault != "":
		return Waiting{WaitsForRedis, "Redis, which " + s.QueueFault}
	case slices.Contains(s.PausedQueues, t.Queue):
		return Waiting{WaitsForPerson, fmt.Sprintf("a person to resume queue %s, which is paused", t.Queue)}
	}
	if able = workersWith(able, takesBatches); len(able) == 0 {
		return Waiting{WaitsForPerson, fmt.Sprintf(
			"a person to resume a worker: all with the handler %s on queue %s are paused or drain", handler, t.Queue)}
	}
	if reason := s.limit(t); reason != (Waiting{}) {
		return reason
	}
	if reason := throttle(s.Limits, able, t, step); reason != (Waiting{}) {
		return reason
	}
	return s.slot(able)
}

// throttle says which limit has just kept batches of a step out of workers.
func throttle(limits []tasks.Limit, able []tasks.Worker, t *tasks.Transfer, step *tasks.StepProgress) Waiting {
	for i := range limits {
		l := &limits[i]
		of, concerns := concerns(l, t, step)
		if !concerns {
			continue
		}
		refuses := func(key string) bool {
			return slices.ContainsFunc(able, func(w tasks.Worker) bool { return slices.Contains(w.Throttled, key) })
		}
		switch {
		case refuses(tasks.HostLimitKey(l.Key())):
			return Waiting{WaitsForLimit, fmt.Sprintf("other batches to end: the limit of %d at once on one host%s is reached", l.PerHost, of)}
		case !refuses(l.Key()):
		case l.FilesPerSecond > 0:
			return Waiting{WaitsForLimit, fmt.Sprintf("its turn: the limit of %g files per second%s is reached", l.FilesPerSecond, of)}
		default:
			return Waiting{WaitsForLimit, fmt.Sprintf("other batches to end: the limit of %d at once%s is reached", l.InFlight, of)}
		}
	}
	return Waiting{}
}

// concerns reports whether a limit applies to a step of a transfer, and on what it is, for a
// sentence.
func concerns(l *tasks.Limit, t *tasks.Transfer, step *tasks.StepProgress) (of string, concerns bool) {
	switch l.Scope {
	case tasks.ScopeAll:
		return "", true
	case tasks.ScopeQueue:
		return " in queue " + t.Queue, l.Name == t.Queue
	case tasks.ScopeTransfer:
		return " of this transfer", l.Name == t.UUID
	case tasks.ScopeHandler:
		return " of the handler " + l.Name, l.Name == step.Handler
	case tasks.ScopeName:
		return " of " + l.Name, slices.Contains(step.Limits, l.Name)
	}
	return "", false
}

// limit says which limit other transfers have reached.
func (s *Surroundings) limit(t *tasks.Transfer) Waiting {
	for i := range s.Limits {
		l := &s.Limits[i]
		switch {
		case l.InFlight == 0:
		case l.Scope == tasks.ScopeAll && s.held(func(*HeldBatches) bool { return true }) >= l.InFlight:
			return Waiting{WaitsForLimit, fmt.Sprintf(
				"other batches to end: the limit of %d at once is reached", l.InFlight)}
		case l.Scope == tasks.ScopeQueue && l.Name == t.Queue &&
			s.held(func(h *HeldBatches) bool { return h.Queue == t.Queue }) >= l.InFlight:
			return Waiting{WaitsForLimit, fmt.Sprintf(
				"other batches to end: the limit of %d at once in queue %s is reached", l.InFlight, t.Queue)}
		}
	}
	return Waiting{}
}

// slot says whether workers have no slot left for this transfer.
func (s *Surroundings) slot(able []tasks.Worker) Waiting {
	slots := 0
	for i := range able {
		w := &able[i]
		if s.held(func(h *HeldBatches) bool { return h.HeldBy == w.Name }) < w.Slots {
			return Waiting{}
		}
		slots += w.Slots
	}
	return Waiting{WaitsForSlot, fmt.Sprintf("a free slot: other transfers use all %d", slots)}
}

// finalizer is what keeps the final steps of a transfer from running.
func (s *Surroundings) finalizer(t *tasks.Transfer) Waiting {
	next, ok := t.CurrentFinalizer()
	if !ok || next.State == tasks.FinalizeRunning {
		return Waiting{}
	}
	handler := next.Handler
	skilled := workersWith(s.Workers, func(w *tasks.Worker) bool { return slices.Contains(w.Handlers, FinalizerName(handler)) })
	switch {
	case len(s.Workers) == 0:
		return Waiting{WaitsForWorker, fmt.Sprintf("a worker with the finalizer %s: no worker is running", handler)}
	case len(skilled) == 0:
		return Waiting{WaitsForWorker, fmt.Sprintf("a worker with the finalizer %s: no live worker has it", handler)}
	case len(workersWith(skilled, takesBatches)) == 0:
		return Waiting{WaitsForPerson, fmt.Sprintf(
			"a person to resume a worker: all with the finalizer %s are paused or drain", handler)}
	}
	return Waiting{}
}

// held counts the batches that run and satisfy which.
func (s *Surroundings) held(which func(*HeldBatches) bool) (n int) {
	for i := range s.Held {
		if which(&s.Held[i]) {
			n += s.Held[i].Batches
		}
	}
	return n
}

func takesBatches(w *tasks.Worker) bool { return w.DesiredState == tasks.WorkerRunning }

func workersWith(all []tasks.Worker, what func(*tasks.Worker) bool) (some []tasks.Worker) {
	for i := range all {
		if what(&all[i]) {
			some = append(some, all[i])
		}
	}
	return some
}
