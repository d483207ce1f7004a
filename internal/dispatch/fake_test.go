package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// errAway is the error of a fake that is set to fail.
var errAway = errors.New("away")

// fake is a ledger and a queue in memory, for tests of faults. The tests of the store use
// real ones.
type fake struct {
	mu           sync.Mutex
	fail         map[string]int // by method: how many calls still fail; negative for all
	calls        map[string]int
	backlogs     []ledger.Backlog
	batches      []tasks.Batch // of the ledger
	sent         []tasks.Batch
	clockChanges []clockChange
	promoted     []int64
	deadLetters  []string // reasons

	suspended []string // reasons
	missing   int64    // a transfer without rows of its files
	holder    string
	recorded  tasks.Ranges
	onOpen    func() // runs once OpenBatches has been read
	read      int    // files
}

func newFake() *fake { return &fake{fail: map[string]int{}, calls: map[string]int{}} }

// enter counts a call, and returns an error when it has to fail.
func (f *fake) enter(method string) error {
	f.mu.Lock()
	f.calls[method]++
	left := f.fail[method]
	if left > 0 {
		f.fail[method]--
	}
	f.mu.Unlock()
	if left != 0 {
		return fmt.Errorf("%s: %w", method, errAway)
	}
	return nil
}

func (f *fake) Backlogs(_ context.Context, after int64, _ int) ([]ledger.Backlog, error) {
	if err := f.enter("Backlogs"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.backlogs), func(b ledger.Backlog) bool { return b.Transfer <= after || b.Cursor >= b.Files }), nil
}

func (f *fake) FilesAfter(_ context.Context, transfer, after int64, limit int, _ bool) ([]tasks.File, error) {
	if err := f.enter("FilesAfter"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var files []tasks.File
	for _, b := range f.backlogs {
		for no := after + 1; b.Transfer == transfer && transfer != f.missing && no <= b.Files && len(files) < limit; no++ {
			files = append(files, tasks.File{No: no, Size: 1})
			f.read++
		}
	}
	return files, nil
}

func (f *fake) SumSizes(_ context.Context, _ int64, spans []tasks.Range) ([]int64, error) {
	if err := f.enter("SumSizes"); err != nil {
		return nil, err
	}
	bytes := make([]int64, len(spans))
	for i, s := range spans {
		bytes[i] = s.Last - s.First + 1 // as FilesAfter has them
	}
	return bytes, nil
}

func (f *fake) CommitDispatch(_ context.Context, c ledger.Dispatch) (bool, error) {
	if err := f.enter("CommitDispatch"); err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.backlogs {
		if b := &f.backlogs[i]; b.Transfer == c.Transfer {
			if b.Cursor != c.From {
				return false, ledger.ErrCursorMoved
			}
			b.Cursor = c.To
			b.Bytes -= c.Bytes
			b.Open += len(c.Batches)
		}
	}
	f.write(c.Batches)
	return false, nil
}

func (f *fake) Gatherings(context.Context, int) ([]ledger.Gathering, error) {
	return nil, f.enter("Gatherings")
}

func (f *fake) GatheringBatches(context.Context, ledger.Gathering, int) ([]tasks.Batch, error) {
	return nil, f.enter("GatheringBatches")
}

func (f *fake) Sizes(context.Context, int64, tasks.Ranges) ([]tasks.File, error) {
	return nil, f.enter("Sizes")
}

func (f *fake) CommitGathered(context.Context, ledger.Gathered) error {
	return f.enter("CommitGathered")
}

func (f *fake) FirstOfTransfers(_ context.Context, batches []tasks.Batch) (map[int64]bool, error) {
	first := make(map[int64]bool)
	for i := range batches {
		b := &batches[i]
		first[b.ID] = !slices.ContainsFunc(f.batches, func(o tasks.Batch) bool { return o.Transfer == b.Transfer && o.ID < b.ID })
	}
	return first, f.enter("FirstOfTransfers")
}

func (f *fake) write(batches []tasks.Batch) {
	for i := range batches {
		batches[i].ID = int64(len(f.batches)) + 1
		f.batches = append(f.batches, batches[i])
	}
}

func (f *fake) DueBatches(context.Context, int) ([]tasks.Batch, error) {
	return nil, f.enter("DueBatches")
}

func (f *fake) Reschedule(context.Context, []int64, time.Duration, bool) error {
	return f.enter("Reschedule")
}

func (f *fake) ReclaimBatches(context.Context, []int64, time.Duration) error {
	return f.enter("ReclaimBatches")
}

func (f *fake) SetSweepMark(_ context.Context, transfer, files int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.backlogs {
		if b := &f.backlogs[i]; b.Transfer == transfer {
			b.SweepMark, b.MarkedAt = files, time.Now()
		}
	}
	return nil
}

func (f *fake) OpenBatches(_ context.Context, transfer int64) ([]tasks.Batch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	open := slices.DeleteFunc(slices.Clone(f.batches), func(b tasks.Batch) bool { return b.Transfer != transfer })
	if f.onOpen != nil {
		f.onOpen()
	}
	return open, nil
}

func (f *fake) CancelOverdue(context.Context) (int, error) { return 0, f.enter("CancelOverdue") }

func (f *fake) MarkInterrupted(context.Context) (int64, error) { return 0, f.enter("MarkInterrupted") }

func (f *fake) RecordedFiles(context.Context, int64, int, tasks.Ranges) (tasks.Ranges, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.recorded, nil
}

func (f *fake) AcquireLease(_ context.Context, _, holder string, _ time.Duration) (bool, error) {
	if err := f.enter("AcquireLease"); err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.holder == "" {
		f.holder = holder
	}
	return f.holder == holder, nil
}

func (f *fake) ReleaseLease(_ context.Context, _, holder string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.holder == holder {
		f.holder = ""
	}
	return nil
}

func (f *fake) AddBatches(_ context.Context, batches []tasks.Batch) error {
	if err := f.enter("AddBatches"); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.write(batches)
	return nil
}

// Suspend takes the transfer from the backlogs.
func (f *fake) Suspend(_ context.Context, transfer int64, reason string) error {
	if err := f.enter("Suspend"); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.suspended = append(f.suspended, reason)
	f.backlogs = slices.DeleteFunc(f.backlogs, func(b ledger.Backlog) bool { return b.Transfer == transfer })
	return nil
}

func (f *fake) AddDeadLetter(_ context.Context, _ string, _ []byte, reason string) error {
	if err := f.enter("AddDeadLetter"); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deadLetters = append(f.deadLetters, reason)
	return nil
}

func (f *fake) EnqueueBatches(_ context.Context, batches []tasks.Batch) error {
	if err := f.enter("EnqueueBatches"); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, batches...)
	return nil
}

func (f *fake) MissingBatches(context.Context, []tasks.Batch) ([]tasks.Batch, error) {
	return nil, f.enter("MissingBatches")
}

func (f *fake) ReclaimOrphans(context.Context, []tasks.Batch, time.Duration) ([]tasks.Batch, error) {
	return nil, f.enter("ReclaimOrphans")
}

func (f *fake) Unheld(context.Context) ([]int64, error) { return nil, f.enter("Unheld") }

func (f *fake) Reclaim(context.Context, []tasks.Batch) ([]tasks.Batch, error) {
	return nil, f.enter("Reclaim")
}

func (f *fake) BatchesByID(context.Context, []int64, time.Duration) ([]tasks.Batch, error) {
	return nil, f.enter("BatchesByID")
}

func (f *fake) FirstQueued(_ context.Context, _ string, _ int64, files []queue.FileTask) (int, error) {
	return len(files), f.enter("FirstQueued")
}

func (f *fake) TakeOversized(context.Context, string) ([][]byte, error) {
	return nil, f.enter("TakeOversized")
}

func (f *fake) Promote(_ context.Context, b *tasks.Batch) error {
	f.mu.Lock()
	f.promoted = append(f.promoted, b.ID)
	f.mu.Unlock()
	return f.enter("Promote")
}

func (f *fake) IsPromoted(_ context.Context, b *tasks.Batch) (bool, error) {
	return slices.Contains(f.promoted, b.ID), f.enter("IsPromoted")
}

func (f *fake) RepairGroups(context.Context, string, []string) (int64, error) {
	return 0, f.enter("RepairGroups")
}

// TransferByID reads transfers 1, 2 and 3 with two steps each, 66, whose recipe
// cannot be read, and 67, whose reading panics.
func (f *fake) TransferByID(_ context.Context, id int64) (tasks.Transfer, error) {
	if err := f.enter("read"); err != nil {
		return tasks.Transfer{}, err
	}
	t := tasks.Transfer{
		ID: id, UUID: fmt.Sprint("t", id), Queue: "q", Via: tasks.ViaGroup,
		Recipe: "name: two\nsteps:\n  - handler: noop\n  - {handler: noop, name: second, when: size > 5}\n",
	}
	switch {
	case id == 66:
		t.Recipe = "steps: {"
	case id == 67:
		panic("cannot read")
	case id > 3:
		return t, fmt.Errorf("%w: %d", tasks.ErrTransferNotFound, id)
	}
	return t, nil
}

// lastFile is the number of the last file of each transfer.
const lastFile = 10_000

// Files reads files that are as large as their numbers.
func (f *fake) Files(_ context.Context, _ int64, numbers tasks.Ranges) ([]tasks.File, error) {
	if err := f.enter("Files"); err != nil {
		return nil, err
	}
	var files []tasks.File
	for no := range numbers.All() {
		if no <= lastFile {
			files = append(files, tasks.File{No: no, Size: no})
		}
	}
	return files, nil
}

func (f *fake) transfers(policy tasks.BatchPolicy) *TransferCache {
	return NewTransferCache(f.TransferByID, func(*recipe.Step) tasks.BatchPolicy { return policy })
}

func (f *fake) NoteClockSet(_ context.Context, by time.Duration, since, until time.Time) error {
	if err := f.enter("NoteClockSet"); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clockChanges = append(f.clockChanges, clockChange{by, since, until})
	return nil
}

func (f *fake) RegisterEmitted(_ context.Context, p ledger.EmittedPage) ([]tasks.Batch, bool, error) {
	if err := f.enter("RegisterEmitted"); err != nil {
		return nil, false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.backlogs {
		if b := &f.backlogs[i]; b.Transfer == p.Transfer {
			b.Files, b.Emitted = b.Files+b.Emitted, 0
		}
	}
	return nil, false, nil
}

func (f *fake) PausedQueues(context.Context) ([]string, error) { return nil, f.enter("PausedQueues") }

func (f *fake) PauseQueues(context.Context, []string) ([]string, error) {
	return nil, f.enter("PauseQueues")
}

func (f *fake) ResumeQueue(context.Context, string) error { return f.enter("ResumeQueue") }
