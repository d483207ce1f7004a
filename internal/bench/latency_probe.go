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

// A watch repeats its query after seeEvery, or later when the query is slow, so that it uses
// at most a tenth of the time of one connection.
const (
	seeEvery = 2 * time.Millisecond
	seeShare = 10
)

// sample is one file that was watched.
type sample struct {
	due  time.Time // when the file was due
	seen time.Time // when its result was visible
}

func (s *sample) took() time.Duration { return s.seen.Sub(s.due) }

// watch queries for results until all expected ones are visible.
type watch struct {
	db    *sql.DB
	query string // up to the list of numbers that it asks for

	mu      sync.Mutex
	waiting map[int64]time.Time // by number: when the file or transfer was due
	seen    []sample
	whole   bool // nothing more is expected
}

func newWatch(db *sql.DB) *watch { return &watch{db: db, waiting: make(map[int64]time.Time)} }

// filesOf makes the watch look for files of a transfer, by number.
func (w *watch) filesOf(transfer int64) {
	w.query = fmt.Sprintf("SELECT file_no FROM results WHERE transfer_id = %d AND step_no = 1 AND file_no IN (", transfer)
}

// transfers makes the watch look for transfers of one file, by number.
func (w *watch) transfers() {
	w.query = "SELECT transfer_id FROM results WHERE step_no = 1 AND file_no = 1 AND transfer_id IN ("
}

// expect adds a number to look for. Call filesOf or transfers before.
func (w *watch) expect(no int64, due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[no] = due
}

// last tells the watch that no further number follows.
func (w *watch) last() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = true
}

// run repeats the query until all expected results are visible.
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

// next returns the query; it is empty while no result is expected.
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
