package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// scripted is a fake of which a test says what it answers, and which keeps what was done to the
// ledger and the queue, in order.
type scripted struct {
	*fake
	did []string

	due       [][]tasks.Batch // by call of DueBatches
	ledger    []tasks.Batch   // of BatchesAfter, ascending
	missing   []int64         // batches that the queue does not have
	orphans   []int64         // batches whose workers are dead
	unheld    []int64
	queued    int // the index that FirstQueued returns; negative: none is queued
	open      []tasks.Batch
	paused    []string
	transfer  func(*tasks.Transfer)
	filesErr  error
	gathering []ledger.Gathering
	parts     []tasks.Batch
	noSize    int64 // a file without a row
	dispatch  []ledger.Dispatch
	gathered  []ledger.Gathered
	moved     bool // another dispatcher is always faster
	completes bool
	emitted   []tasks.File
	page      ledger.FollowUp
	repaired  int64
}

func newScripted() *scripted { return &scripted{fake: newFake(), queued: -1} }

func (s *scripted) dispatcher(o Options) *Dispatcher {
	o.LeaseHolder, o.Queues, o.Handlers = "me", []string{"q"}, []string{"noop"}
	return New(s, s, s.plans(), withTimes(o))
}

func (s *scripted) plans() *TransferCache {
	return NewTransferCache(s.TransferByID, s.fake.transfers(tasks.BatchPolicy{MaxItems: 10}).policy)
}

func (s *scripted) notef(format string, args ...any) {
	s.did = append(s.did, fmt.Sprintf(format, args...))
}

// want compares what was done, and forgets it.
func (s *scripted) want(t *testing.T, when string, did ...string) {
	t.Helper()
	if !slices.Equal(s.did, did) {
		t.Errorf("%s: it did\n%q, want\n%q", when, s.did, did)
	}
	s.did = nil
}

func among(batches []tasks.Batch, ids []int64) []tasks.Batch {
	return slices.DeleteFunc(slices.Clone(batches), func(b tasks.Batch) bool { return !slices.Contains(ids, b.ID) })
}

func batchesOf(ids ...int64) (batches []tasks.Batch) {
	for _, id := range ids {
		batches = append(batches, tasks.Batch{ID: id, Transfer: 1, Step: 1, Attempt: 1, Files: tasks.NewRanges([]int64{id})})
	}
	return batches
}

func (s *scripted) DueBatches(context.Context, int) (page []tasks.Batch, err error) {
	if len(s.due) > 0 {
		page, s.due = s.due[0], s.due[1:]
	}
	return page, s.enter("DueBatches")
}

func (s *scripted) BatchesAfter(_ context.Context, after int64, limit int) (page []tasks.Batch, last int64, err error) {
	for i := range s.ledger {
		if b := s.ledger[i]; b.ID > after && len(page) < limit {
			page, last = append(page, b), b.ID
		}
	}
	return page, last, s.enter("BatchesAfter")
}

func (s *scripted) MissingBatches(_ context.Context, b []tasks.Batch) ([]tasks.Batch, error) {
	return among(b, s.missing), s.enter("MissingBatches")
}

func (s *scripted) ReclaimOrphans(_ context.Context, b []tasks.Batch, _ time.Duration) ([]tasks.Batch, error) {
	return among(b, s.orphans), s.enter("ReclaimOrphans")
}

func (s *scripted) Unheld(context.Context) ([]int64, error) { return s.unheld, s.enter("Unheld") }

func (s *scripted) BatchesByID(_ context.Context, ids []int64, _ time.Duration) ([]tasks.Batch, error) {
	return batchesOf(ids...), s.enter("BatchesByID")
}

func (s *scripted) Reclaim(_ context.Context, b []tasks.Batch) ([]tasks.Batch, error) {
	return among(b, s.orphans), s.enter("Reclaim")
}

func (s *scripted) Reschedule(_ context.Context, ids []int64, _ time.Duration, sent bool) error {
	if err := s.enter("Reschedule"); err != nil || len(ids) == 0 {
		return err
	}
	s.notef("defer %v sent=%v", ids, sent)
	return nil
}

func (s *scripted) ReclaimBatches(_ context.Context, ids []int64, _ time.Duration) error {
	if err := s.enter("ReclaimBatches"); err != nil || len(ids) == 0 {
		return err
	}
	s.notef("reclaim %v", ids)
	return nil
}

func (s *scripted) EnqueueBatches(_ context.Context, b []tasks.Batch) error {
	if err := s.enter("EnqueueBatches"); err != nil || len(b) == 0 {
		return err
	}
	s.notef("send %v", numbers(b))
	return nil
}

func (s *scripted) FirstQueued(_ context.Context, _ string, _ int64, files []queue.FileTask) (int, error) {
	if s.queued >= 0 {
		return min(s.queued, len(files)), s.enter("FirstQueued")
	}
	return len(files), s.enter("FirstQueued")
}

func (s *scripted) OpenBatches(context.Context, int64) ([]tasks.Batch, error) { return s.open, nil }

func (s *scripted) SetSweepMark(_ context.Context, transfer, files int64) error {
	s.notef("mark %d at %d", transfer, files)
	return s.fake.SetSweepMark(context.Background(), transfer, files)
}

func (s *scripted) CommitDispatch(ctx context.Context, c ledger.Dispatch) (bool, error) {
	if s.moved {
		return false, ledger.ErrCursorMoved
	}
	_, err := s.fake.CommitDispatch(ctx, c)
	s.dispatch = append(s.dispatch, c)
	return s.completes, err
}

func (s *scripted) PausedQueues(context.Context) ([]string, error) {
	return s.paused, s.enter("PausedQueues")
}

func (s *scripted) PauseQueues(_ context.Context, names []string) ([]string, error) {
	s.notef("pause %v", names)
	return names, s.enter("PauseQueues")
}

func (s *scripted) ResumeQueue(_ context.Context, name string) error {
	s.notef("resume %s", name)
	return nil
}

func (s *scripted) RepairGroups(context.Context, string, []string) (int64, error) {
	return s.repaired, s.enter("RepairGroups")
}

func (s *scripted) TransferByID(ctx context.Context, id int64) (tasks.Transfer, error) {
	t, err := s.fake.TransferByID(ctx, id)
	if s.transfer != nil {
		s.transfer(&t)
	}
	return t, err
}

func (s *scripted) Files(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error) {
	if s.filesErr != nil {
		return nil, s.filesErr
	}
	return s.fake.Files(ctx, transfer, numbers)
}

func (s *scripted) Gatherings(context.Context, int) ([]ledger.Gathering, error) {
	return s.gathering, s.enter("Gatherings")
}

func (s *scripted) GatheringBatches(_ context.Context, _ ledger.Gathering, limit int) ([]tasks.Batch, error) {
	return s.parts[:min(limit, len(s.parts))], s.enter("GatheringBatches")
}

func (s *scripted) Sizes(_ context.Context, _ int64, numbers tasks.Ranges) (files []tasks.File, err error) {
	for no := range numbers.All() {
		if no != s.noSize {
			files = append(files, tasks.File{No: no, Size: 1})
		}
	}
	return files, nil
}

func (s *scripted) CommitGathered(_ context.Context, g ledger.Gathered) error {
	if s.moved {
		return ledger.ErrCursorMoved
	}
	for i := range g.Batches {
		g.Batches[i].ID = 100 + int64(i)
	}
	s.gathered = append(s.gathered, g)
	return nil
}

func (s *scripted) RegisterEmitted(_ context.Context, p ledger.EmittedPage) ([]tasks.Batch, bool, error) {
	if p.Start != nil {
		s.page = p.Start(s.emitted)
	}
	for i := range s.page.Batches {
		s.page.Batches[i].ID = 200 + int64(i)
	}
	s.backlogs = nil
	return s.page.Batches, s.completes, nil
}

// step does one round.
func step(t *testing.T, d *Dispatcher) bool {
	t.Helper()
	busy, err := d.Step(t.Context())
	testkit.Must(t, err)
	return busy
}

// Of the batches that are due, those that the queue has are only asked after later; those that it
// lost, and those of dead workers, are written as sent before they are sent.
func TestOutboxWritesBeforeItSends(t *testing.T) {
	t.Parallel()
	s := newScripted()
	s.due, s.missing, s.orphans = [][]tasks.Batch{batchesOf(1, 2, 3, 4)}, []int64{2}, []int64{2, 3}
	due, reclaimed := 0, 0
	step(t, s.dispatcher(Options{OnSent: func(n, m int) { due, reclaimed = due+n, reclaimed+m }}))
	s.want(t, "all kinds", "defer [1 4] sent=false", "defer [2] sent=true", "reclaim [3]", "send [2 3]")
	if due != 1 || reclaimed != 1 {
		t.Errorf("%d due and %d reclaimed are counted", due, reclaimed)
	}
	for _, fails := range []string{"DueBatches", "MissingBatches", "ReclaimOrphans", "Reschedule", "ReclaimBatches"} {
		s.due = [][]tasks.Batch{batchesOf(1, 2, 3)}
		s.fail[fails] = 1
		if _, err := s.dispatcher(Options{}).Step(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("%s fails: %v", fails, err)
		}
		if slices.ContainsFunc(s.did, func(what string) bool { return strings.HasPrefix(what, "send") }) {
			t.Errorf("%s fails: it did %q", fails, s.did)
		}
		s.did = nil
	}
}

// The outbox is read to its end, however long it is.
func TestOutboxIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	s := newScripted()
	page := make([]int64, dueLimit)
	for i := range page {
		page[i] = int64(i + 1)
	}
	s.missing = append(slices.Clone(page), 5000)
	s.due = [][]tasks.Batch{batchesOf(page...), batchesOf(5000), batchesOf(1)}
	step(t, s.dispatcher(Options{}))
	if n := len(s.did); n != 4 || s.did[n-1] != "send [5000]" || len(s.due) != 1 {
		t.Errorf("%d acts, and %d pages are left", n, len(s.due))
	}
}

// A queue that a person has paused is paused again before anything is sent; one that was resumed
// in between is resumed.
func TestPausedQueuesComeFirst(t *testing.T) {
	t.Parallel()
	s := newScripted()
	s.paused, s.due, s.missing = []string{"q"}, [][]tasks.Batch{batchesOf(1)}, []int64{1}
	step(t, s.dispatcher(Options{}))
	s.want(t, "paused", "pause [q]", "defer [1] sent=true", "send [1]")
	s.fail["PauseQueues"] = 1
	s.due = [][]tasks.Batch{batchesOf(1)}
	if _, err := s.dispatcher(Options{}).Step(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("a step that cannot pause a queue: %v, want %v", err, errAway)
	}
	s.want(t, "it cannot be paused", "pause [q]")
}

// A batch that no live worker holds for a while is sent again, and counts as a crash. A while in
// which the queue could not be asked does not count.
func TestAbandonedBatchesAreReclaimed(t *testing.T) {
	t.Parallel()
	s := newScripted()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := s.dispatcher(Options{SharedQueue: true, Now: func() time.Time { return now }})
	s.unheld, s.orphans = []int64{7, 8}, []int64{7}
	look := func(after time.Duration) error {
		now = now.Add(after)
		return d.reclaimAbandoned(t.Context())
	}
	testkit.Must(t, look(0))
	s.fail["Unheld"] = 1
	if err := look(2 * time.Second); !errors.Is(err, errAway) {
		t.Errorf("a look without the queue: %v, want %v", err, errAway)
	}
	testkit.Must(t, look(2*time.Second))
	s.want(t, "not long enough since the queue answers")
	testkit.Must(t, look(abandonedAfter))
	s.want(t, "long enough", "reclaim [7]", "send [7]")
	s.fail["ReclaimBatches"] = 1
	if err := look(abandonedAfter); !errors.Is(err, errAway) {
		t.Errorf("a look without the ledger: %v, want %v", err, errAway)
	}
	s.want(t, "the ledger does not answer")
}

// Reconcile looks at the whole ledger, and at all files of transfers by group, also at those that
// came since the mark and those whose message the queue seems to have.
func TestReconcileLooksAtEverything(t *testing.T) {
	t.Parallel()
	s := newScripted()
	ids := make([]int64, dueLimit+5)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	s.ledger, s.missing, s.orphans = batchesOf(ids...), []int64{2, dueLimit + 3}, []int64{4}
	s.backlogs = []ledger.Backlog{
		{Transfer: 1, Via: tasks.ViaBulk, Files: 30},
		{Transfer: 2, Via: tasks.ViaGroup, Files: 30, Cursor: 4, SweepMark: 10, MarkedAt: time.Now()},
		{Transfer: 3, Via: tasks.ViaGroup, Files: 3},
	}
	s.queued, s.repaired = 0, 6
	r, err := Reconcile(t.Context(), s, s, s.plans(), withTimes(Options{LeaseHolder: "me", Queues: []string{"q", "r"}}))
	testkit.Must(t, err)
	if want := (ReconcileReport{Batches: dueLimit + 5, Resent: 3, Files: 29, Groups: 12}); r != want {
		t.Errorf("reported %+v, want %+v", r, want)
	}
	if len(s.dispatch) != 2 || s.dispatch[0].Transfer != 2 || s.dispatch[0].From != 4 || s.dispatch[0].To != 30 || s.dispatch[1].To != 3 {
		t.Errorf("swept %+v", s.dispatch)
	}

	s.ledger, s.moved = nil, true // dispatchers are sweeping them
	s.backlogs = []ledger.Backlog{{Transfer: 2, Via: tasks.ViaGroup, Files: 30}, {Transfer: 3, Via: tasks.ViaGroup, Files: 3}}
	r, err = Reconcile(t.Context(), s, s, s.plans(), withTimes(Options{LeaseHolder: "me"}))
	if err != nil || r != (ReconcileReport{}) || s.calls["FilesAfter"] < 4 {
		t.Errorf("reported %+v, %v", r, err)
	}
	for _, fails := range []string{"MarkInterrupted", "RepairGroups", "BatchesAfter", "Backlogs", "FilesAfter"} {
		s.fail[fails] = 1
		if _, err := Reconcile(t.Context(), s, s, s.plans(), withTimes(Options{LeaseHolder: "me", Queues: []string{"q"}})); !errors.Is(err, errAway) {
			t.Errorf("%s fails: %v", fails, err)
		}
	}
}

// The sweep gives a batch to those files alone that have neither a batch nor a result, once they
// have been there for long enough, and stops before one whose message the queue has; not for ever.
func TestSweepOfAGroup(t *testing.T) {
	t.Parallel()
	const delay = 2 * time.Minute
	for name, tt := range map[string]struct {
		age      time.Duration // of the mark; 0: there is none
		mark     int64
		cursor   int64
		queued   int
		open     string
		recorded string

		to    int64
		files string // in the new batch
		did   string
	}{
		"not marked":             {queued: -1, did: "mark 2 at 9"},
		"all before the mark":    {age: time.Hour, mark: 4, cursor: 4, queued: -1, to: 4, did: "mark 2 at 9"},
		"too young":              {age: sweepDelay - time.Second, mark: 9, queued: -1},
		"old enough":             {age: sweepDelay + time.Second, mark: 9, queued: -1, to: 9, files: "1-9", did: "send [1]"},
		"only up to the mark":    {age: time.Hour, mark: 5, queued: -1, to: 5, files: "1-5", did: "send [1]"},
		"some wait in the queue": {age: time.Minute, mark: 9, queued: 3, to: 3, files: "1-3", did: "send [1]"},
		"the first waits":        {age: sweepPatience*delay - time.Minute, mark: 9, queued: 0},
		"it waits for too long":  {age: sweepPatience*delay + time.Minute, mark: 9, queued: 0, to: 9, files: "1-9", did: "send [1]"},
		"some have a batch":      {age: time.Hour, mark: 9, queued: -1, open: "2-3,8", to: 9, files: "1,4-7,9", did: "send [1]"},
		"some have a result":     {age: time.Hour, mark: 9, queued: -1, recorded: "1,9", to: 9, files: "2-8", did: "send [1]"},
		"all have one":           {age: time.Hour, mark: 9, queued: -1, open: "1-4", recorded: "5-9", to: 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScripted()
			s.queued = tt.queued
			b := ledger.Backlog{Transfer: 2, Via: tasks.ViaGroup, Files: 9, Cursor: tt.cursor, SweepMark: tt.mark}
			if tt.age > 0 {
				b.MarkedAt = time.Now().Add(-tt.age)
			}
			s.backlogs = []ledger.Backlog{b}
			var err error
			if tt.recorded != "" {
				s.recorded, err = tasks.ParseRanges(tt.recorded)
				testkit.Must(t, err)
			}
			if tt.open != "" {
				open := tasks.Batch{Transfer: 2, Step: 1}
				open.Files, err = tasks.ParseRanges(tt.open)
				testkit.Must(t, err)
				s.open = []tasks.Batch{open}
			}
			step(t, s.dispatcher(Options{SweepDelay: delay}))
			if tt.did == "" {
				s.want(t, name)
			} else {
				s.want(t, name, tt.did)
			}
			if s.backlogs[0].Cursor != tt.to {
				t.Errorf("the cursor is at %d, want %d", s.backlogs[0].Cursor, tt.to)
			}
			var files strings.Builder
			for _, c := range s.dispatch {
				if !c.Uncounted || c.Bytes != c.To-c.From { // the producer has counted them; each has one byte
					t.Errorf("committed %+v", c)
				}
				for _, b := range c.Batches {
					files.WriteString(b.Files.String())
				}
			}
			if files.String() != tt.files {
				t.Errorf("batches of files %s, want %s", files.String(), tt.files)
			}
		})
	}
}

// A message names any file; only those start that the ledger lets start.
func TestGroupPlannerAsksTheLedger(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		transfer func(*tasks.Transfer)
		recorded string
		filesErr error
		step     int

		files   string
		refused int
	}{
		"all":               {files: "1-4"},
		"canceled":          {transfer: func(t *tasks.Transfer) { t.State = tasks.StateCanceled }},
		"behind the cursor": {transfer: func(t *tasks.Transfer) { t.Cursor = 2 }, files: "3-4"},
		"recorded":          {recorded: "2-3", files: "1,4"},
		"by bulk":           {transfer: func(t *tasks.Transfer) { t.Via = tasks.ViaBulk }, refused: 4},
		"no such step":      {step: 3, refused: 4},
		"another step":      {step: 2, refused: 4},
		"rows are invalid":  {filesErr: fmt.Errorf("read: %w", db.ErrMisread), refused: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScripted()
			s.transfer, s.filesErr = tt.transfer, tt.filesErr
			var err error
			if tt.recorded != "" {
				s.recorded, err = tasks.ParseRanges(tt.recorded)
				testkit.Must(t, err)
			}
			batches, refused, err := GroupPlanner{Store: s, Transfers: s.plans()}.PlanFiles(t.Context(), 1, max(tt.step, 1), []int64{1, 2, 3, 4})
			testkit.Must(t, err)
			var files strings.Builder
			for _, b := range batches {
				files.WriteString(b.Files.String())
			}
			if files.String() != tt.files || len(refused) != tt.refused {
				t.Errorf("files %s start, and %v are refused", files.String(), refused)
			}
		})
	}
	s := newScripted()
	s.filesErr = errAway
	_, _, err := GroupPlanner{Store: s, Transfers: s.plans()}.PlanFiles(t.Context(), 1, 1, []int64{1})
	if !errors.Is(err, errAway) {
		t.Errorf("the database is away: %v", err)
	}
}

// Gathered batches keep the attempt, and the highest token: some of their files may have run.
func TestGatheredBatchesKeepWhatTheyWere(t *testing.T) {
	t.Parallel()
	s := newScripted()
	s.gathering = []ledger.Gathering{{Transfer: 1, Step: 1, Attempt: 2, State: tasks.StateRunning, Batches: 3, Items: 3, Complete: true}}
	s.parts = batchesOf(4, 5, 6)
	s.parts[1].FencingToken = 3
	d := s.dispatcher(Options{})
	step(t, d)
	s.want(t, "gathered", "send [100]")
	if len(s.gathered) != 1 || !slices.Equal(s.gathered[0].Replaced, []int64{4, 5, 6}) || len(s.gathered[0].Batches) != 1 {
		t.Fatalf("gathered %+v", s.gathered)
	}
	if b := s.gathered[0].Batches[0]; b.Attempt != 2 || b.FencingToken != 3 || b.Files.String() != "4-6" {
		t.Errorf("gathered %+v", b)
	}

	s.moved = true
	if !step(t, d) {
		t.Error("another dispatcher was faster, and no other round follows")
	}
	s.want(t, "another dispatcher was faster")
	s.moved, s.noSize = false, 5
	if step(t, d) || len(s.gathered) != 1 {
		t.Errorf("a file without a row is gathered: %+v", s.gathered)
	}
	s.want(t, "a file is missing")
}

// What is beyond the limits of a step, or may be filled by batches that were not read, goes on waiting.
func TestGatheredBatchesThatWait(t *testing.T) {
	t.Parallel()
	s := newScripted()
	ids := make([]int64, batchesPerGathering+10)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	ids = slices.DeleteFunc(ids, func(id int64) bool { return id%2 == 0 && id > 1000 })
	s.parts = batchesOf(ids...)
	since := time.Now().Add(-time.Hour)
	s.gathering = []ledger.Gathering{{
		Transfer: 1, Step: 1, Attempt: 1, State: tasks.StateRunning, Batches: len(ids), Items: len(ids), Since: since, Complete: true,
	}}
	limited := Workers{Limits: func(*TransferPlan, int) (int, float64) { return 2, 0 }}
	step(t, s.dispatcher(Options{Workers: limited}))
	s.want(t, "two at a time", "send [100 101 102]")
	waiting := s.gathered[0].Batches[3:]
	if slices.ContainsFunc(waiting, func(b tasks.Batch) bool { return !b.Gathering || !b.NotBefore.Equal(since) }) {
		t.Errorf("beyond the limit: %+v", waiting)
	}

	s = newScripted()
	s.parts = batchesOf(ids[:batchesPerGathering]...)
	s.gathering = []ledger.Gathering{{
		Transfer: 1, Step: 1, Attempt: 1, State: tasks.StateRunning, Batches: batchesPerGathering + 1, Items: batchesPerGathering + 1, Since: since,
		Complete: true,
	}}
	d := New(s, s, NewTransferCache(s.TransferByID, s.fake.transfers(tasks.BatchPolicy{MaxItems: 300}).policy), withTimes(Options{LeaseHolder: "me"}))
	step(t, d)
	if all := s.gathered[0].Batches; len(all) != 4 || !all[3].Gathering || all[2].Gathering || all[0].Gathering {
		t.Errorf("there are more than were read, and the last that is not full is sent: %+v", all)
	}
}

// Emitted files of a transfer by group get their batches at once, those that no step selects end,
// and who waits for the end of the transfer is told.
func TestEmittedFilesStart(t *testing.T) {
	t.Parallel()
	s := newScripted()
	s.completes = true
	s.transfer = func(tr *tasks.Transfer) { tr.Recipe = "name: one\nsteps: [{handler: noop, when: size > 5}]" }
	s.emitted = []tasks.File{{No: 1, Size: 1}, {No: 2, Size: 9}, {No: 3, Size: 9}, {No: 4, Size: 1}}
	var told []int64
	d := s.dispatcher(Options{OnCompleted: func(_ context.Context, id int64) { told = append(told, id) }})
	s.backlogs = []ledger.Backlog{{Transfer: 2, Via: tasks.ViaGroup, Sealed: true, Files: 5, Emitted: 4}}
	step(t, d)
	if s.page.Finished != 2 || len(s.page.Batches) != 1 || s.page.Batches[0].Files.String() != "2-3" || !slices.Equal(told, []int64{2}) {
		t.Errorf("started %+v, and %v are told of their end", s.page, told)
	}
	s.page = ledger.FollowUp{}
	s.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Sealed: true, Files: 5, Emitted: 4}}
	step(t, d)
	if len(s.page.Batches) > 0 || s.page.Finished > 0 {
		t.Errorf("the cursor of a transfer by bulk comes to them: %+v", s.page)
	}
}

// A dispatcher that could not renew its lease leads only when it has it again, and then starts anew.
func TestLeadingAfterALostLease(t *testing.T) {
	t.Parallel()
	s := newScripted()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	elected := 0
	d := s.dispatcher(Options{Now: func() time.Time { return now }, OnElected: func(context.Context) error { elected++; return nil }})
	step(t, d)
	now = now.Add(time.Minute)
	s.fail["AcquireLease"] = 1
	if _, err := d.Step(t.Context()); !errors.Is(err, errAway) || elected != 1 {
		t.Errorf("%v, elected %d times", err, elected)
	}
	step(t, d)
	if elected != 2 {
		t.Errorf("elected %d times", elected)
	}
	s.holder, now = "another", now.Add(time.Minute)
	s.due, s.missing = [][]tasks.Batch{batchesOf(1)}, []int64{1}
	step(t, d)
	s.want(t, "another one leads")
}

// Whoever waits for the end of a transfer is told when its last files end because no step selects them.
func TestDispatchTellsTheEnd(t *testing.T) {
	t.Parallel()
	s := newScripted()
	s.completes = true
	s.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Sealed: true, Files: 5, Bytes: 5}}
	var told []int64
	step(t, s.dispatcher(Options{OnCompleted: func(_ context.Context, id int64) { told = append(told, id) }}))
	if !slices.Equal(told, []int64{1}) {
		t.Errorf("told of %v", told)
	}
}
