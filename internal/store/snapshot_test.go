package store

import (
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A snapshot shows nothing that others write meanwhile, and the connections that come after it
// are as those before.
func TestSnapshot(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		one := b.transfer(t, 1)
		b.files(t, one.ID, 3)
		testkit.Must(t, b.Snapshot(t.Context(), func(view *Store) error {
			b.files(t, one.ID, 2)
			two := b.transfer(t, 1)
			if old, err := view.Transfer(t.Context(), one.UUID); err != nil || old.Files != 3 {
				t.Errorf("the snapshot has %d files: %v", old.Files, err)
			}
			if files, err := view.FilesAfter(t.Context(), one.ID, 0, 10, false); err != nil || len(files) != 3 {
				t.Errorf("the snapshot lists %d files: %v", len(files), err)
			}
			_, err := view.Transfer(t.Context(), two.UUID)
			wantErr(t, err, tasks.ErrTransferNotFound)
			if err := view.db.Write(t.Context(), "x", func(*gorm.DB, time.Time) error { return nil }); err == nil {
				t.Error("a snapshot is written to")
			}
			return nil
		}))
		if now := b.read(t, one.ID); now.Files != 5 {
			t.Errorf("after the snapshot there are %d files", now.Files)
		}
		if b.Dialect() == db.MySQL {
			var name, isolation string // tx_isolation on MariaDB, transaction_isolation on MySQL
			testkit.Must(t, b.db.Raw("SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')").Row().Scan(&name, &isolation))
			if isolation != "READ-COMMITTED" {
				t.Errorf("later connections have %s", isolation)
			}
		}
	})
}
