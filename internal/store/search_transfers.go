package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// failuresOf adds up the failures of a transfer by the counters of its steps.
const failuresOf = "(SELECT COALESCE(SUM(s.failed + s.error + s.timed_out), 0) FROM steps s WHERE s.transfer_id = transfers.id)"

// SearchTransfers lists transfers that a query selects, with their counters. complete is
// false when there are older transfers that it did not look at.
func (s *Store) SearchTransfers(ctx context.Context, query *ledger.TransferQuery) (ts []tasks.Transfer, complete bool, err error) {
	if query.Everything() {
		ts, err = s.Transfers(ctx, query.Before, query.Limit)
		return ts, true, err
	}
	floor, err := s.searchFloor(ctx)
	if err != nil {
		return nil, false, err
	}
	q := s.db.Session(ctx).Where("id >= ?", floor).Limit(query.Limit)
	if len(query.States) > 0 {
		q = q.Where("state IN ?", query.States)
	}
	if query.PausedOnly {
		q = q.Where("paused_at IS NOT NULL AND state IN ?", unfinishedStates())
	}
	if query.WithFailures {
		q = q.Where(failuresOf + " > 0")
	}
	if query.Text != "" {
		q = q.Where(matching(s.db.Session(ctx), query.Text))
	}
	var rows []transferRow
	if err := findEach(sorted(q, query), &rows, unreadableTransfer); err != nil {
		return nil, false, fmt.Errorf("search transfers: %w", err)
	}
	ts, err = s.withSteps(ctx, rows)
	return ts, floor == 0, err
}

// searchFloor is the number of the oldest transfer that searches look at; 0: all are looked at.
func (s *Store) searchFloor(ctx context.Context) (floor int64, err error) {
	err = s.db.Session(ctx).Model(&transferRow{}).Order("id DESC").Limit(1).Offset(ledger.SearchedTransfers).
		Select("id").Scan(&floor).Error
	if err != nil {
		return 0, fmt.Errorf("look for the oldest transfer to search: %w", err)
	}
	if floor > 0 {
		floor++ // the row behind the last that is searched
	}
	return floor, nil
}

func matching(q *gorm.DB, text string) *gorm.DB {
	q = q.Where("LOWER(name) LIKE ? ESCAPE '!'", "%"+likeLiteral(strings.ToLower(text))+"%")
	if id := strings.ToLower(text); isUUIDPrefix(id) {
		q = q.Or("uuid >= ? AND uuid < ?", id, id+"g")
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		q = q.Or("id = ?", n)
	}
	return q
}

func sorted(q *gorm.DB, query *ledger.TransferQuery) *gorm.DB {
	switch query.Sort {
	case ledger.SortOldest:
		return q.Order("id").Offset(query.Offset)
	case ledger.SortName:
		return q.Order("name, id DESC").Offset(query.Offset)
	case ledger.SortFiles:
		return q.Order("files DESC, id DESC").Offset(query.Offset)
	case ledger.SortBytes:
		return q.Order("bytes DESC, id DESC").Offset(query.Offset)
	case ledger.SortFailed:
		return q.Order(failuresOf + " DESC, id DESC").Offset(query.Offset)
	case ledger.SortNewest:
	}
	if query.Before > 0 {
		q = q.Where("id < ?", query.Before)
	}
	return q.Order("id DESC")
}

// likeLiteral is a text for LIKE … ESCAPE '!' that stands for itself.
func likeLiteral(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text)
}
