package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/balerhq/baler/tasks"
)

// FindTransfers reads up to limit transfers that a reference fits, newest first: the
// beginning of their UUID, their number, or their name.
func (s *Store) FindTransfers(ctx context.Context, ref string, limit int) ([]tasks.Transfer, error) {
	q := s.db.Session(ctx).Where("name = ?", ref)
	if isUUIDPrefix(ref) {
		q = q.Or("uuid >= ? AND uuid < ?", ref, ref+"g") // the character after f: the index serves a range everywhere
	}
	if n, err := strconv.ParseInt(ref, 10, 64); err == nil && strconv.FormatInt(n, 10) == ref {
		q = q.Or("id = ?", n)
	}
	var rows []transferRow
	if err := findEach(q.Order("id DESC").Limit(limit), &rows, unreadableTransfer); err != nil {
		return nil, fmt.Errorf("find transfer: %w", err)
	}
	return s.withSteps(ctx, rows)
}

// isUUIDPrefix reports whether a UUID, as it is shown, can begin with s.
func isUUIDPrefix(s string) bool {
	for i, r := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return s != "" && len(s) <= 36
}
