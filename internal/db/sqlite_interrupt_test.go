package db

import (
	"context"
	"errors"
	"testing"
	"time"
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
