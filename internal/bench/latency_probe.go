package bench

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

// A watch looks again after seeEvery, and later when looking is slow: it takes
// no more than a tenth of the time of one connection.
const (
	seeEvery = 2 * time.Millisecond
	seeShare = 10
)

// sample is one file that was watched.
type sample struct {
	due  time.Time // when it was meant to come
	seen time.Time // when its result was visible
}

func (s *sample) took() time.Duration { return s.seen.Sub(s.due) }

// watch looks for results until all that are expected are visible.
type watch struct {
	db    *sql.DB
	query string // up to the list of numbers that it asks for

	mu      sync.Mutex
	waiting map[int64]time.Time // when what has a number was due
	seen    []sample
	whole   bool // nothing more is expected
}

func newWatch(db *sql.DB) *watch { return &watch{db: db, waiting: make(map[int64]time.Time)} }

// filesOf has the numbers be those of a transfer's files.
func (w *watch) filesOf(transfer int64) {
	w.query = fmt.Sprintf("SELECT file_no FROM results WHERE transfer_id = %d AND step_no = 1 AND file_no IN (", transfer)
}

// transfers has the numbers be those of transfers of one file.
func (w *watch) transfers() {
	w.query = "SELECT transfer_id FROM results WHERE step_no = 1 AND file_no = 1 AND transfer_id IN ("
}

// expect has the watch look for a result. What numbers are of must be said before.
func (w *watch) expect(no int64, due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[no] = due
}

// last says that nothing more is expected.
func (w *watch) last() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = true
}

// run looks until it has seen all.
func (w *watch) run(ctx context.Context) error {
	for {
		query, done := w.next()
		if done {
			return nil
		}
		began := time.Now()
		if query != "" {
			if err := w.look(ctx, query); err != nil {
				return fmt.Errorf("look for results: %w", err)
			}
		}
		if err := sleep.For(ctx, max(seeEvery, (seeShare-1)*time.Since(began))); err != nil {
			return err
		}
	}
}

// next is what to ask, nothing while nothing is waited for.
func (w *watch) next() (query string, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return "", w.whole
	}
	text := []byte(w.query)
	for no := range w.waiting {
		text = append(strconv.AppendInt(text, no, 10), ',')
	}
	text[len(text)-1] = ')'
	return string(text), false
}

func (w *watch) look(ctx context.Context, query string) error {
	rows, err := w.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var found []int64
	for rows.Next() {
		var no int64
		if err := rows.Scan(&no); err != nil {
			return err
		}
		found = append(found, no)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, no := range found {
		w.seen = append(w.seen, sample{due: w.waiting[no], seen: now})
		delete(w.waiting, no)
	}
	return nil
}
