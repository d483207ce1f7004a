package store

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// RunKey returns the run key of a transfer: runs of the same sources and recipe share
// it. It is empty for a transfer that no run began.
func (s *Store) RunKey(ctx context.Context, transfer int64) (string, error) {
	var row transferRow
	if err := s.db.Session(ctx).Select("run_key").Take(&row, transfer).Error; err != nil {
		return "", fmt.Errorf("read run key: %w", err)
	}
	return row.RunKey, nil
}

// FollowsRun reports whether a transfer is of a run that an earlier one with its run key
// preceded.
func (s *Store) FollowsRun(ctx context.Context, transfer int64) (bool, error) {
	runKey, err := s.RunKey(ctx, transfer)
	if err != nil || runKey == "" {
		return false, err
	}
	var earlier int64
	err = s.db.Session(ctx).Model(&transferRow{}).Where("run_key = ? AND id < ?", runKey, transfer).Limit(1).Count(&earlier).Error
	if err != nil {
		return false, fmt.Errorf("look for earlier runs: %w", err)
	}
	return earlier > 0, nil
}

// UnfinishedRuns lists the sealed transfers with a run key that are worked on again
// although newer ones have followed, oldest first; paused ones are left out.
// Only a retry of recorded results leads to that.
func (s *Store) UnfinishedRuns(ctx context.Context, runKey string, before int64) ([]tasks.Transfer, error) {
	return s.runs(ctx, "run_key = ? AND id < ? AND state IN ? AND paused_at IS NULL", runKey, before,
		[]tasks.State{tasks.StateRunning, tasks.StateFinalizing})
}

// PausedRuns lists the unfinished transfers with a run key that a person has paused,
// oldest first.
func (s *Store) PausedRuns(ctx context.Context, runKey string) ([]tasks.Transfer, error) {
	return s.runs(ctx, "run_key = ? AND state IN ? AND paused_at IS NOT NULL", runKey, unfinishedStates())
}

func (s *Store) runs(ctx context.Context, where string, args ...any) ([]tasks.Transfer, error) {
	var rows []transferRow
	err := s.db.Session(ctx).Where(where, args...).Order("id").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("look for transfers to finish: %w", err)
	}
	return fromRows(rows, (*transferRow).transfer), nil
}

// EarlierTransfers lists up to limit transfers with the same sources as another one that
// began before it and have completed, newest first. Lists of files have none.
func (s *Store) EarlierTransfers(ctx context.Context, transfer int64, limit int) ([]tasks.Transfer, error) {
	var self transferRow
	if err := s.db.Session(ctx).Select("sources_key").Take(&self, transfer).Error; err != nil {
		return nil, fmt.Errorf("look for earlier transfers: %w", err)
	}
	if self.SourcesKey == "" {
		return nil, nil
	}
	var rows []transferRow
	err := s.db.Session(ctx).Where("sources_key = ? AND id < ? AND state = ?", self.SourcesKey, transfer, tasks.StateCompleted).
		Order("id DESC").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("look for earlier transfers: %w", err)
	}
	return s.withSteps(ctx, rows)
}
