package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// ServerIntake lists up to limit transfers whose files a server has to register, and that
// no server registers now, oldest first. It leaves out those that a person has to look at.
// One that cannot be registered counts as silent again only after a while, so that it keeps
// no other from its turn.
func (s *Store) ServerIntake(ctx context.Context, limit int) ([]tasks.Transfer, error) {
	var rows []transferRow
	q := s.db.Session(ctx).Where("state = ? OR (state = ? AND seen_at < ?)",
		tasks.StateInterrupted, tasks.StateOpen, s.db.Stamp().Add(-producerTTL)).
		Where("intake = ? AND trouble = ''", ledger.IntakeServer).Order("id").Limit(limit)
	if err := findEach(q, &rows, unreadableTransfer); err != nil {
		return nil, fmt.Errorf("list transfers that a server registers: %w", err)
	}
	return s.withSteps(ctx, slices.DeleteFunc(rows, func(r transferRow) bool { return r.Trouble != "" }))
}

// IntakeOf says who registers the files of a transfer.
func (s *Store) IntakeOf(ctx context.Context, transfer int64) (ledger.Intake, error) {
	var row transferRow
	if err := s.db.Session(ctx).Select("intake").Where("id = ?", transfer).Take(&row).Error; err != nil {
		return "", fmt.Errorf("read who registers the files: %w", err)
	}
	return row.Intake, nil
}
