package db

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"gorm.io/gorm"
)

// The error of an interrupted statement is that of the context.
func TestInterruptedStatementTellsTheContextsError(t *testing.T) {
	b := newEnv(t, SQLite)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := b.gorm.WithContext(ctx).Exec(`CREATE TABLE t AS
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n`).Error
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	if left := Interrupted(t.Context(), err); left != err { //nolint:errorlint // the very same
		t.Errorf("an error while the context lasts became %v", left)
	}
}

// A context that ends between the last statement and the commit rolls the transaction back.
func TestInterruptedCommitTellsTheContextsError(t *testing.T) {
	for _, dialect := range []Dialect{SQLite, MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			b := newEnv(t, dialect)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := b.Write(ctx, "try", func(tx *gorm.DB, _ time.Time) error {
				cancel()
				for { // until it is rolled back
					_, err := tx.Statement.ConnPool.ExecContext(context.WithoutCancel(ctx), "SELECT 1")
					if errors.Is(err, sql.ErrTxDone) {
						return nil
					}
					if err != nil && !errors.Is(err, context.Canceled) {
						return err
					}
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
