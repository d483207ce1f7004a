package store

import (
	"fmt"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// An old transfer with files to do counts, however many newer ones have ended.
func TestTotalsCountAllTransfers(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		old := b.transfer(t, 1).ID
		b.files(t, old, 9)
		testkit.Must(t, b.db.Exec("UPDATE transfers SET finished = 2 WHERE id = ?", old).Error)
		proto := newTransferRow("", NewTransfer{Via: tasks.ViaBulk, Queue: "q"}, b.clock.Now())
		rows := make([]transferRow, 600)
		for i := range rows {
			rows[i] = proto
			rows[i].UUID = fmt.Sprintf("01890000-0000-7000-8000-%012d", i)
			rows[i].State, rows[i].Files, rows[i].Finished = tasks.StateCompleted, 5, 5
		}
		testkit.Must(t, b.db.CreateInBatches(rows, 100).Error)
		got, err := b.Totals(t.Context())
		testkit.Must(t, err)
		if got.Registered != 9 || got.Finished != 2 || got.Transfers[tasks.StateOpen] != 1 || got.Transfers[tasks.StateCompleted] != 600 {
			t.Errorf("%+v", got)
		}
	})
}
