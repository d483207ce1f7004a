package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// NewTransfer says what Create registers. Steps need No, Name and Handler.
type NewTransfer struct {
	Name    string
	Key     string // idempotency key; empty for none
	Lineage string // groups the successive transfers of one `run`; empty for none
	Via     tasks.Via
	Queue   string
	Recipe  string
	Sources []string
	Steps   []tasks.Step

	// Webhooks are URLs to tell of the transfer's end.
	Webhooks []string
}

// Create registers an open transfer. When one with the same key is there
// already, that one comes back with created false.
func (s *Store) Create(ctx context.Context, n NewTransfer) (t tasks.Transfer, created bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return t, false, fmt.Errorf("create transfer: %w", err)
	}
	var row transferRow
	err = s.write(ctx, "create transfer", func(tx *gorm.DB, now time.Time) error {
		row = newTransferRow(id.String(), n, now)
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return tx.Create(newStepRows(row.ID, n.Steps)).Error
	})
	if n.Key != "" && duplicate(err) {
		t, err = s.one(ctx, "idem_key = ?", n.Key)
		return t, false, err
	}
	if err != nil {
		return t, false, err
	}
	t = row.transfer()
	t.Steps = n.Steps
	return t, true, nil
}

func newTransferRow(id string, n NewTransfer, now time.Time) transferRow {
	row := transferRow{
		UUID: id, Name: clip(n.Name, 255), Lineage: n.Lineage, Via: n.Via, State: tasks.Open, Queue: n.Queue,
		Recipe: n.Recipe, Sources: joinSources(n.Sources), Webhooks: strings.Join(n.Webhooks, "\n"),
		CreatedAt: now, SeenAt: now,
	}
	if n.Key != "" {
		row.IdemKey = &n.Key
	}
	return row
}

func newStepRows(transfer int64, steps []tasks.Step) []stepRow {
	rows := make([]stepRow, len(steps))
	for i, st := range steps {
		rows[i] = stepRow{TransferID: transfer, No: st.No, Name: st.Name, Handler: st.Handler}
	}
	return rows
}

// Transfer reads a transfer and its counters by the id shown outside. An id
// that was never given out gives tasks.ErrNoTransfer.
func (s *Store) Transfer(ctx context.Context, uuid string) (tasks.Transfer, error) {
	return s.one(ctx, "uuid = ?", uuid)
}

// TransferByID reads a transfer and its counters by the number inside.
func (s *Store) TransferByID(ctx context.Context, id int64) (tasks.Transfer, error) {
	return s.one(ctx, "id = ?", id)
}

// Latest reads the newest transfer of a lineage, tasks.ErrNoTransfer when there is none.
func (s *Store) Latest(ctx context.Context, lineage string) (tasks.Transfer, error) {
	return s.one(ctx, "lineage = ?", lineage)
}

func (s *Store) one(ctx context.Context, where string, arg any) (tasks.Transfer, error) {
	db := s.db.WithContext(ctx)
	var row transferRow
	err := db.Where(where, arg).Order("id DESC").Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return tasks.Transfer{}, fmt.Errorf("%w: %v", tasks.ErrNoTransfer, arg)
	}
	if err != nil {
		return tasks.Transfer{}, fmt.Errorf("read transfer: %w", err)
	}
	t := row.transfer()
	steps, err := s.steps(ctx, t.ID)
	t.Steps = steps[t.ID]
	return t, err
}

// Transfers lists transfers with their counters, newest first, those with a
// number below before; before 0 starts at the newest.
func (s *Store) Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	q := s.db.WithContext(ctx).Order("id DESC").Limit(limit)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var rows []transferRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list transfers: %w", err)
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	steps, err := s.steps(ctx, ids...)
	if err != nil {
		return nil, err
	}
	ts := make([]tasks.Transfer, len(rows))
	for i := range rows {
		ts[i] = rows[i].transfer()
		ts[i].Steps = steps[ts[i].ID]
	}
	return ts, nil
}

func (s *Store) steps(ctx context.Context, transfers ...int64) (map[int64][]tasks.Step, error) {
	if len(transfers) == 0 {
		return map[int64][]tasks.Step{}, nil
	}
	var rows []stepRow
	err := s.db.WithContext(ctx).Where("transfer_id IN ?", transfers).Order("transfer_id, no").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	steps := make(map[int64][]tasks.Step, len(transfers))
	for i := range rows {
		steps[rows[i].TransferID] = append(steps[rows[i].TransferID], rows[i].step())
	}
	return steps, nil
}

// Seal says that no more files will come. Sealing twice is fine. When all
// files have ended already the transfer completes here, and completed is true.
func (s *Store) Seal(ctx context.Context, id int64) (completed bool, err error) {
	err = s.write(ctx, "seal transfer", func(tx *gorm.DB, now time.Time) error {
		err := tx.Exec("UPDATE transfers SET state = ?, sealed_at = ? WHERE id = ? AND state IN ?",
			tasks.Running, now, id, []tasks.State{tasks.Open, tasks.Interrupted}).Error
		if err != nil {
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
	err = s.write(ctx, "reopen transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET state = ?, sealed_at = NULL, seen_at = ? WHERE id = ? AND state IN ?",
			tasks.Open, now, id, []tasks.State{tasks.Open, tasks.Running, tasks.Interrupted})
		reopened = u.RowsAffected == 1
		return u.Error
	})
	return reopened, err
}

// completeIfDone ends a sealed transfer whose files have all ended. Of any
// number of callers exactly one gets true: the state is compared and set.
func completeIfDone(tx *gorm.DB, id int64, now time.Time) (bool, error) {
	u := tx.Exec("UPDATE transfers SET state = ?, ended_at = ? WHERE id = ? AND state = ? AND finished = files",
		tasks.Completed, now, id, tasks.Running)
	if u.Error != nil || u.RowsAffected == 0 {
		return false, u.Error
	}
	return true, noteEnd(tx, id, now)
}
