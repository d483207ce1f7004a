package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/balerhq/baler/tasks"
)

// NeededHandlers lists the handlers and finalizers that unfinished transfers still need.
func (s *Store) NeededHandlers(ctx context.Context) (handlers, finalizers []string, err error) {
	err = s.db.Session(ctx).Raw(`SELECT DISTINCT s.handler FROM steps s JOIN transfers t ON t.id = s.transfer_id
		WHERE t.state IN ? AND t.finished < t.files`, activeStates()).Scan(&handlers).Error
	if err != nil {
		return nil, nil, fmt.Errorf("list needed handlers: %w", err)
	}
	err = s.db.Session(ctx).Raw(`SELECT DISTINCT f.handler FROM finalize_steps f JOIN transfers t ON t.id = f.transfer_id
		WHERE t.state IN ? AND f.state IN ?`, unfinishedStates(), []tasks.FinalizeState{tasks.FinalizeWaiting, tasks.FinalizeRunning}).
		Scan(&finalizers).Error
	if err != nil {
		return nil, nil, fmt.Errorf("list needed finalizers: %w", err)
	}
	slices.Sort(handlers)
	slices.Sort(finalizers)
	return handlers, finalizers, nil
}
