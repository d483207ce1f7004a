package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// baselineConnections is more than any baseline uses at once.
const baselineConnections = 16

// baseline runs a measurement that writes rows without a transfer. In a given database it
// deletes them again.
func (s *cluster) baseline(
	ctx context.Context, run func(ctx context.Context, db *sql.DB, transfer int64) (Measurement, error),
) (m Measurement, err error) {
	db, err := s.host.connect(s.host.databaseURL, baselineConnections)
	if err != nil {
		return m, err
	}
	defer func() { err = joinClose(err, db.Close) }()
	transfer := -time.Now().UnixMicro() // no transfer has such a number
	if s.host.mysql == nil {
		defer func() { err = errors.Join(err, forget(context.WithoutCancel(ctx), db, transfer)) }()
	}
	return run(ctx, db, transfer)
}

func forget(ctx context.Context, db *sql.DB, transfer int64) error {
	for _, statement := range []string{"DELETE FROM files WHERE transfer_id = ?", "DELETE FROM results WHERE transfer_id = ?"} {
		if _, err := db.ExecContext(ctx, statement, transfer); err != nil {
			return fmt.Errorf("delete measured rows: %w", err)
		}
	}
	return nil
}

func joinClose(err error, closing func() error) error { return errors.Join(err, closing()) }
