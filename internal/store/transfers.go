package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// NewTransfer says what Create registers. Steps need No, Name and Handler.
type NewTransfer struct {
	Name   string
	Key    string // idempotency key; empty for none
	RunKey string // groups the successive transfers of one `run`; empty for none

	// SourcesKey is the same for all transfers of the same sources and selection; empty for lists.
	SourcesKey string

	Via       tasks.Via
	Queue     string
	Weight    int // 0 means 1
	StopAfter tasks.StopAfter
	Deadline  tasks.Deadline
	Recipe    string
	Sources   []string
	Selection tasks.Selection
	Steps     []tasks.StepProgress

	// Finalizers is done once when the last file has ended. It needs No, Name and Handler.
	Finalizers []tasks.FinalizeStep

	// Webhooks are addresses to tell of what happens to the transfer; of WebhookEvents, or of
	// everything when there are none.
	Webhooks      []string
	WebhookEvents []string

	Intake ledger.Intake

	NoReuse bool // its steps take over no results

	TraceParent string // see tasks.Transfer
}

// Create registers an open transfer. When one with the same key is there
// already, that one comes back with created false.
func (s *Store) Create(ctx context.Context, n NewTransfer) (t tasks.Transfer, created bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return t, false, fmt.Errorf("create transfer: %w", err)
	}
	var row transferRow
	err = s.db.Write(ctx, "create transfer", func(tx *gorm.DB, now time.Time) error {
		row = newTransferRow(id.String(), n, now)
		if row.DeadlineAt, err = deadlineColumn(n.Deadline, now); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := createFinalizeSteps(tx, row.ID, n.Finalizers); err != nil {
			return err
		}
		return tx.Create(newStepRows(row.ID, n.Steps)).Error
	})
	if n.Key != "" && db.IsDuplicate(err) {
		t, err = s.TransferByKey(ctx, n.Key)
		return t, false, err
	}
	if err != nil {
		return t, false, err
	}
	t = row.transfer()
	t.Steps = n.Steps
	t.Finalizers = n.Finalizers
	return t, true, nil
}

func newTransferRow(id string, n NewTransfer, now time.Time) transferRow {
	row := transferRow{
		UUID: id, Name: db.ClipText(n.Name, 255), RunKey: n.RunKey, Via: n.Via, State: tasks.StateOpen, Queue: n.Queue,
		Recipe: n.Recipe, Sources: joinSources(n.Sources), Selection: selectionColumn(&n.Selection), Webhooks: strings.Join(n.Webhooks, "\n"),
		Finalizing: len(n.Finalizers), CreatedAt: now, SeenAt: now, SourcesKey: n.SourcesKey, Weight: max(n.Weight, 1), Intake: n.Intake,
		NoReuse: n.NoReuse, TraceParent: db.ClipText(n.TraceParent, 64), StopAfter: stopColumn(n.StopAfter),
		WebhookEvents: strings.Join(n.WebhookEvents, ","),
	}
	if n.Key != "" {
		row.IdemKey = &n.Key
	}
	return row
}

func newStepRows(transfer int64, steps []tasks.StepProgress) []stepRow {
	rows := make([]stepRow, len(steps))
	for i, st := range steps {
		rows[i] = stepRow{
			TransferID: transfer, No: st.Number, Name: st.Name, Handler: st.Handler, Approval: st.Approval,
			Limits: strings.Join(st.Limits, " "),
		}
	}
	return rows
}

// Transfer reads a transfer and its counters by the id shown outside. An id
// that was never given out gives tasks.ErrTransferNotFound, that of a deleted transfer a
// tasks.DeletedError.
func (s *Store) Transfer(ctx context.Context, uuid string) (tasks.Transfer, error) {
	t, err := s.one(ctx, "uuid = ?", uuid)
	if errors.Is(err, tasks.ErrTransferNotFound) {
		err = s.NotFound(ctx, uuid)
	}
	return t, err
}

// TransferByID reads a transfer and its counters by the number inside.
func (s *Store) TransferByID(ctx context.Context, id int64) (tasks.Transfer, error) {
	return s.one(ctx, "id = ?", id)
}

// TransferByKey reads the transfer that was created with an idempotency key.
func (s *Store) TransferByKey(ctx context.Context, key string) (tasks.Transfer, error) {
	return s.one(ctx, "idem_key = ?", key)
}

// Latest reads the newest transfer with a run key, tasks.ErrTransferNotFound when there is none.
func (s *Store) Latest(ctx context.Context, runKey string) (tasks.Transfer, error) {
	return s.one(ctx, "run_key = ?", runKey)
}

func (s *Store) one(ctx context.Context, where string, arg any) (tasks.Transfer, error) {
	q := s.db.Session(ctx)
	row, err := takeRow[transferRow](q.Where(where, arg).Order("id DESC"), "transfer", fmt.Errorf("%w: %v", tasks.ErrTransferNotFound, arg))
	// Whoever waits for the end goes on by it: neither it nor a deletion may be rolled back.
	if db.Uncommitted(ctx) && (errors.Is(err, tasks.ErrTransferNotFound) || err == nil && row.State.Ended()) {
		return s.one(db.ReadCommitted(ctx), where, arg)
	}
	if err != nil {
		return tasks.Transfer{}, err
	}
	all := []tasks.Transfer{row.transfer()}
	err = withSteps(q, all)
	return all[0], err
}

// Transfers lists transfers with their counters, newest first, those with a
// number below before; before 0 starts at the newest.
func (s *Store) Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	q := s.db.Session(ctx).Order("id DESC").Limit(limit)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var rows []transferRow
	if err := findEach(q, &rows, unreadableTransfer); err != nil {
		return nil, fmt.Errorf("list transfers: %w", err)
	}
	return s.withSteps(ctx, rows)
}

// withSteps makes transfers of rows, complete with their steps.
func (s *Store) withSteps(ctx context.Context, rows []transferRow) ([]tasks.Transfer, error) {
	rows, err := s.committedEnds(ctx, rows)
	if err != nil {
		return nil, err
	}
	ts := fromRows(rows, (*transferRow).transfer)
	return ts, withSteps(s.db.Session(ctx), ts)
}

// committedEnds replaces the rows of transfers that have ended by what is committed of them. One
// of which nothing is, such as one that is being imported, is open.
func (s *Store) committedEnds(ctx context.Context, rows []transferRow) ([]transferRow, error) {
	var ended []int64
	for i := range rows {
		if rows[i].State.Ended() {
			ended = append(ended, rows[i].ID)
		}
	}
	if len(ended) == 0 || !db.Uncommitted(ctx) {
		return rows, nil
	}
	var committed []transferRow
	q := s.db.Session(db.ReadCommitted(ctx)).Where("id IN ?", ended)
	if err := findEach(q, &committed, unreadableTransfer); err != nil {
		return nil, fmt.Errorf("read the ends of transfers: %w", err)
	}
	of := make(map[int64]*transferRow, len(committed))
	for i := range committed {
		of[committed[i].ID] = &committed[i]
	}
	for i := range rows {
		if row := of[rows[i].ID]; row != nil {
			rows[i] = *row
		} else if rows[i].State.Ended() {
			rows[i].State, rows[i].EndedAt = tasks.StateOpen, nil
		}
	}
	return rows, nil
}

// withSteps reads the steps and the final steps of transfers.
func withSteps(q *gorm.DB, ts []tasks.Transfer) error {
	if len(ts) == 0 {
		return nil
	}
	at := make(map[int64]*tasks.Transfer, len(ts))
	for i := range ts {
		at[ts[i].ID] = &ts[i]
	}
	ids := sortedKeys(at)
	var steps []stepRow
	if err := findEach(q.Where("transfer_id IN ?", ids).Order("transfer_id, no"), &steps, unreadableStep); err != nil {
		return fmt.Errorf("read steps: %w", err)
	}
	for i := range steps {
		t := at[steps[i].TransferID]
		if err := steps[i].misread; err != nil && t.Trouble == "" {
			t.Trouble = fmt.Sprintf("the counters of its step %d cannot be read: %v", steps[i].No, err)
		}
		t.Steps = append(t.Steps, steps[i].step())
	}
	var finalizers []finalizeRow
	if err := q.Where("transfer_id IN ?", ids).Order("transfer_id, no").Find(&finalizers).Error; err != nil {
		return fmt.Errorf("read final steps: %w", err)
	}
	for i := range finalizers {
		t := at[finalizers[i].TransferID]
		t.Finalizers = append(t.Finalizers, finalizers[i].step())
	}
	return nil
}

// Seal says that no more files will come. Sealing twice is fine. When all
// files have ended already the transfer completes here, and completed is true.
func (s *Store) Seal(ctx context.Context, id int64) (completed bool, err error) {
	return s.SealList(ctx, id, tasks.ListMark{})
}

// SealList is Seal for a transfer whose files were submitted as a list.
func (s *Store) SealList(ctx context.Context, id int64, list tasks.ListMark) (completed bool, err error) {
	err = s.db.Write(ctx, "seal transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET state = ?, sealed_at = ? WHERE id = ? AND state IN ?",
			tasks.StateRunning, now, id, []tasks.State{tasks.StateOpen, tasks.StateInterrupted})
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected > 0 {
			if err := markList(tx, id, list); err != nil {
				return err
			}
		}
		if err := deleteUncounted(tx, id); err != nil {
			return err
		}
		completed, err = completeIfDone(tx, id, now)
		return err
	})
	return completed, err
}

// Reopen lets a transfer that has not ended take files again. It reports false
// when the transfer has ended.
func (s *Store) Reopen(ctx context.Context, id int64) (reopened bool, err error) {
	err = s.db.Write(ctx, "reopen transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET state = ?, sealed_at = NULL, seen_at = ? WHERE id = ? AND state IN ?",
			tasks.StateOpen, now, id, []tasks.State{tasks.StateOpen, tasks.StateRunning, tasks.StateInterrupted})
		reopened = u.RowsAffected == 1
		return u.Error
	})
	return reopened, err
}

// completeIfDone ends a sealed transfer whose files have all ended, the emitted ones
// too, or starts its final steps when it has some: it then completes with the last of them. Of
// any number of callers exactly one changes the state, which is compared and set.
// It returns true when the transfer completed by this call. One that failures have stopped
// completes with the batches that ran at that moment, when they were its last.
func completeIfDone(tx *gorm.DB, id int64, now time.Time) (bool, error) {
	u := tx.Exec(`UPDATE transfers SET state = CASE WHEN finalizing = 0 THEN ? ELSE ? END,
			ended_at = CASE WHEN finalizing = 0 THEN ? ELSE NULL END,
			stopped = CASE WHEN finalizing = 0 THEN '' ELSE stopped END
		WHERE id = ? AND state = ? AND finished = files AND emitted = emitted_registered`,
		tasks.StateCompleted, tasks.StateFinalizing, now, id, tasks.StateRunning)
	if u.Error != nil || u.RowsAffected == 0 {
		return false, u.Error
	}
	row, err := readRow(tx, id)
	if err != nil {
		return false, err
	}
	if row.Finalizing > 0 {
		return false, beginFinalizing(tx, id, now)
	}
	return true, noteWebhooks(tx, row, now)
}

// readRow reads a transfer within the transaction that has changed it.
func readRow(tx *gorm.DB, id int64) (row transferRow, err error) {
	if err := tx.Take(&row, id).Error; err != nil {
		return row, fmt.Errorf("read transfer: %w", err)
	}
	return row, nil
}
