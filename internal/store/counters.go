package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// counterChanges adds up what one transaction changes in the counters, so that
// each hot row is written once, in one fixed order, last. The zero value is empty.
//
// Example: a batch of ten files at step 1 ends with nine successes and one
// failure. Step 2 selects the nine, in two batches of attempt 1; the failed file
// has passed its last step. Then step 1 gets succeeded +9 and failed +1, step 2
// gets selected +9, and the transfer gets finished +1. A later attempt of a file
// is not selected again, so batches of attempt 2 and above add nothing.
type counterChanges struct {
	counts   map[stepKey]*stepDelta
	finished map[int64]int64
	emitted  map[int64]int64
	failed   map[int64]bool         // transfers with more failures
	activity map[int64]*activityRow // by transfer
}

type stepKey struct {
	transfer int64
	no       int
}

func (k stepKey) compare(l stepKey) int {
	return cmp.Or(cmp.Compare(k.transfer, l.transfer), cmp.Compare(k.no, l.no))
}

type stepDelta struct {
	selected int64
	counts   tasks.Counts
	reused   int64
}

func (t *counterChanges) step(transfer int64, no int) *stepDelta {
	if t.counts == nil {
		t.counts = make(map[stepKey]*stepDelta)
	}
	k := stepKey{transfer, no}
	if t.counts[k] == nil {
		t.counts[k] = new(stepDelta)
	}
	return t.counts[k]
}

func (t *counterChanges) results(b *tasks.Batch, rows []resultRecord) {
	if len(rows) == 0 {
		return
	}
	d := t.step(b.Transfer, b.Step)
	for i := range rows {
		d.counts.Add(rows[i].End.Outcome, 1)
		if rows[i].ReusedFrom != nil {
			d.reused++
		}
	}
	a := t.active(b.Transfer)
	a.Results += int64(len(rows))
	failures := countFailures(rows)
	a.Failed += failures
	if failures > 0 {
		if t.failed == nil {
			t.failed = make(map[int64]bool)
		}
		t.failed[b.Transfer] = true
	}
}

func (t *counterChanges) followUp(b *tasks.Batch, f *ledger.FollowUp) {
	transfer := b.Transfer
	a := t.active(transfer)
	a.Finished += f.Finished
	a.Bytes += b.Bytes
	for no, n := range selectedBySteps(f.Batches) {
		t.step(transfer, no).selected += n
	}
	if f.Finished > 0 {
		if t.finished == nil {
			t.finished = make(map[int64]int64)
		}
		t.finished[transfer] += f.Finished
	}
}

// commit writes the sums: steps, activity, then transfers, each in ascending order. It
// reports the transfers that completed by it.
func (t *counterChanges) commit(tx *gorm.DB, now time.Time) (completed map[int64]bool, err error) {
	for _, k := range sortedFunc(t.counts, stepKey.compare) {
		if err := addToStep(tx, k, t.counts[k]); err != nil {
			return nil, err
		}
	}
	if err := t.writeActivity(tx, now); err != nil {
		return nil, err
	}
	completed = make(map[int64]bool)
	for _, id := range t.transfers() {
		if completed[id], err = t.commitTransfer(tx, id, now); err != nil {
			return nil, err
		}
	}
	return completed, nil
}

func (t *counterChanges) commitTransfer(tx *gorm.DB, id int64, now time.Time) (completed bool, err error) {
	if t.finished[id] != 0 || t.emitted[id] != 0 {
		if err := tx.Exec("UPDATE transfers SET finished = finished + ?, emitted = emitted + ? WHERE id = ?",
			t.finished[id], t.emitted[id], id).Error; err != nil {
			return false, fmt.Errorf("count finished and emitted files: %w", err)
		}
	}
	if t.failed[id] {
		if err := noteFirstFailure(tx, id, now); err != nil {
			return false, err
		}
	}
	if t.finished[id] != 0 {
		if completed, err = completeIfDone(tx, id, now); err != nil {
			return false, fmt.Errorf("complete transfer: %w", err)
		}
	}
	if t.failed[id] && !completed {
		err = stopAtFailures(tx, id, now)
	}
	return completed, err
}

func addToStep(tx *gorm.DB, k stepKey, d *stepDelta) error {
	c := d.counts
	err := tx.Exec(`UPDATE steps SET selected = selected + ?, succeeded = succeeded + ?, warning = warning + ?, skipped = skipped + ?,
			failed = failed + ?, error = error + ?, timed_out = timed_out + ?, canceled = canceled + ?, reused = reused + ?
		WHERE transfer_id = ? AND no = ?`,
		d.selected, c.Succeeded, c.Warning, c.Skipped, c.Failed, c.Error, c.TimedOut, c.Canceled, d.reused, k.transfer, k.no).Error
	if err != nil {
		return fmt.Errorf("count results: %w", err)
	}
	return nil
}

// transfers lists those whose rows change, in ascending order.
func (t *counterChanges) transfers() []int64 {
	ids := slices.Concat(sortedKeys(t.finished), sortedKeys(t.emitted), sortedKeys(t.failed))
	slices.Sort(ids)
	return slices.Compact(ids)
}
