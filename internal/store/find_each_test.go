package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// spoil writes an invalid value into a column, bypassing all checks.
func (b *env) spoil(t *testing.T, table, column, where string) {
	t.Helper()
	statement := "UPDATE " + table + " SET " + column + " = 'nonsense' WHERE " + where
	if b.Store.db.Dialect() == db.MySQL {
		testkit.Must(t, b.db.Exec("ALTER TABLE "+table+" MODIFY "+column+" VARCHAR(40)").Error)
		testkit.Must(t, b.db.Exec(statement).Error)
		return
	}
	testkit.Must(t, b.Store.db.Write(t.Context(), "spoil", func(tx *gorm.DB, _ time.Time) error {
		for _, s := range []string{"PRAGMA ignore_check_constraints = ON", statement, "PRAGMA ignore_check_constraints = OFF"} {
			if err := tx.Exec(s).Error; err != nil {
				return err
			}
		}
		return nil
	}))
}

// An invalid row is listed as such, and the other rows are listed, too.
func TestListsShowUnreadableRows(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		other := b.transfer(t, 1)
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 3)
		one := b.batch(t, tr.ID, "1-3")
		rs := append(results(one, tasks.OutcomeSucceeded, 1, 2), results(one, tasks.OutcomeFailed, 3)...)
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs, FollowUp: finishing(one)})
		for _, payload := range []string{"first", "second"} {
			testkit.Must(t, b.AddDeadLetter(t.Context(), "x", []byte(payload), "why"))
		}
		b.spoil(t, "transfers", "weight", fmt.Sprint("id = ", other.ID))
		b.spoil(t, "steps", "selected", fmt.Sprint("transfer_id = ", other.ID))
		b.spoil(t, "results", "attempt", "file_no = 2")
		b.spoil(t, "dead_letters", "received_at", "id = 1")

		all, err := b.Transfers(t.Context(), 0, 10)
		if err != nil || len(all) != 2 {
			t.Fatalf("%d transfers, %v", len(all), err)
		}
		if got := all[1]; got.UUID != other.UUID || got.Name != other.Name || !strings.Contains(got.Trouble, "weight") {
			t.Errorf("the unreadable one is %+v", got)
		}
		if got := all[0]; got.UUID != tr.UUID || got.Trouble != "" || got.Files != 3 {
			t.Errorf("the other one is %+v", got)
		}
		lines, err := b.Results(t.Context(), tr.ID, tasks.ResultSelector{}, tasks.ResultKey{}, 10)
		if err != nil || len(lines) != 3 {
			t.Fatalf("%d results, %v", len(lines), err)
		}
		for i, l := range lines {
			if bad := l.Code == tasks.CodeUnreadableRow; l.File != int64(i)+1 || l.Path == "" || bad != (i == 1) {
				t.Errorf("result %d is %+v", i, l)
			}
		}
		letters, err := b.DeadLetters(t.Context(), 0, 10)
		if err != nil || len(letters) != 2 || !strings.Contains(letters[1].Reason, "received_at") || b.db.Name() == "sqlite" && letters[0].Reason != "why" {
			t.Errorf("dead letters %+v, %v", letters, err)
		}
	})
}
