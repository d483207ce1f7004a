package db

import (
	"context"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/testkit"
)

func TestWritersOfOneProcessWaitForEachOther(t *testing.T) {
	t.Parallel()
	d := newEnv(t, SQLite)
	d.writer <- struct{}{} // another transaction is running
	ended, end := context.WithTimeout(t.Context(), time.Nanosecond)
	defer end()
	wantErr(t, d.Write(ended, "write", func(*gorm.DB, time.Time) error {
		t.Error("ran beside another transaction")
		return nil
	}), context.DeadlineExceeded)
	before, wrote := 0, make(chan error)
	go func() {
		wrote <- d.Write(t.Context(), "write", func(tx *gorm.DB, _ time.Time) error {
			return tx.Raw("PRAGMA user_version").Scan(&before).Error
		})
	}()
	testkit.Must(t, d.Exec(t.Context(), "PRAGMA user_version = 1"))
	<-d.writer
	testkit.Must(t, <-wrote)
	if before != 1 {
		t.Error("the second transaction did not wait for the first")
	}
}
