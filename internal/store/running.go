package store

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// RetentionLease is the lease of passes that delete old transfers. It also keeps the time between
// two passes, and so outlasts its holder.
const RetentionLease = "retention"

// Running says what may write to the database at this moment: workers, servers, producers
// and others that hold a lease; nothing when none does.
func (s *Store) Running(ctx context.Context) (what []string, err error) {
	now := s.db.Stamp()
	alive := now.Add(-workerTTL)
	q := s.db.Session(ctx)
	var names []string
	if err := q.Model(&workerRow{}).Where("seen_at > ?", alive).Order("name").Pluck("name", &names).Error; err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	for _, name := range names {
		what = append(what, "worker "+name)
	}
	var leases []leaseRow
	// Whatever makes passes has a heartbeat or another lease too.
	if err := q.Where("until > ? AND name <> ?", now, RetentionLease).Order("name").Find(&leases).Error; err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	for i := range leases {
		what = append(what, fmt.Sprintf("%s of %s", leases[i].Name, leases[i].Holder))
	}
	var open []transferRow
	if err := q.Select("id", "uuid").Where("state = ? AND seen_at > ?", tasks.StateOpen, alive).Find(&open).Error; err != nil {
		return nil, fmt.Errorf("list open transfers: %w", err)
	}
	for i := range open {
		what = append(what, "the submission of transfer "+open[i].UUID)
	}
	return what, nil
}
