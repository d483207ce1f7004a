package bench

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

const (
	// multiplyChunk is how many copies of the samples one statement inserts.
	multiplyChunk = 40

	// multiplyLanes is how many statements run at once.
	multiplyLanes = 2
)

// largeTransfer is what pages are requested of.
type largeTransfer struct {
	files    int64
	lastPart string // a folder that only the last copy has
	puid     string // the format of the most files
	noPUID   string // the format of no file
	step     string // the step with the most failures
}

// multiplier copies the rows of an ended transfer within it, as if there were so many more files.
// Each copy follows the one before in time, in folder and in file numbers.
type multiplier struct {
	db       *sql.DB
	transfer tasks.Transfer
	copies   int
	took     int64 // microseconds that the transfer took, which each copy takes too
	batches  int64 // a number above those of the transfer's batches
	say      func(format string, args ...any)
	done     atomic.Int64 // copies of all tables so far
}

// multiply makes a transfer as large as so many of it, with counters that agree with the rows.
func (p *Env) multiply(ctx context.Context, t tasks.Transfer, copies int) (l largeTransfer, err error) {
	db, err := p.connect(p.databaseURL, multiplyLanes+1)
	if err != nil {
		return l, err
	}
	defer func() { err = joinClose(err, db.Close) }()
	m := &multiplier{db: db, transfer: t, copies: copies, took: max(1, t.EndedAt.Sub(t.CreatedAt).Microseconds()), say: p.o.Say}
	p.o.Say("Multiplying them to %d.", int64(copies)*t.Files)
	for _, step := range []func(context.Context) error{m.moveBack, m.copyRows, m.multiplyActivity, m.multiplyCounters, m.analyze} {
		if err := step(ctx); err != nil {
			return l, fmt.Errorf("multiply the transfer: %w", err)
		}
	}
	if p.mysql != nil { // what other clients of a given server do is not known
		if err := flushPages(ctx, db); err != nil {
			return l, err
		}
	}
	return m.large(ctx)
}

// moveBack makes the transfer begin earlier, so that the last copy ends when it ended.
func (m *multiplier) moveBack(ctx context.Context) error {
	const above = "SELECT COALESCE(MAX(batch_id), 0) + 1 FROM batch_history WHERE transfer_id = ?"
	err := m.db.QueryRowContext(ctx, above, m.transfer.ID).Scan(&m.batches)
	if err != nil {
		return err
	}
	back := func(column string) string { return later(column, fmt.Sprintf("(%d)", -m.took*int64(m.copies-1))) }
	for table, columns := range map[string][]string{
		"results": {"started_at", "ended_at", "ran_at"}, "failures": {"ended_us"}, "attempts": {"started_at", "ended_at"},
		"batch_history": {"created_us", "started_us", "ended_us"}, "work_times": {"started_us", "from_us"},
	} {
		if err := m.update(ctx, table, "transfer_id", columns, back); err != nil {
			return err
		}
	}
	return m.update(ctx, "transfers", "id", []string{"created_at", "sealed_at"}, back)
}

// later is the expression for a column of time with microseconds added, which its name says that
// it holds, or else a time.
func later(column, microseconds string) string {
	if strings.HasSuffix(column, "_us") {
		return column + " + " + microseconds
	}
	return "TIMESTAMPADD(MICROSECOND, " + microseconds + ", " + column + ")"
}

// update changes columns of the transfer's rows.
func (m *multiplier) update(ctx context.Context, table, key string, columns []string, to func(column string) string) error {
	var set []string
	for _, c := range columns {
		set = append(set, c+" = "+to(c))
	}
	return m.exec(ctx, fmt.Sprintf("UPDATE %s SET %s WHERE %s = %d", table, strings.Join(set, ", "), key, m.transfer.ID))
}

// exec runs a statement, which has names of this package and numbers only.
func (m *multiplier) exec(ctx context.Context, statement string) error {
	if _, err := m.db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%.60s: %w", statement, err)
	}
	return nil
}

// copyRows copies the rows of files, results and batches. Several tables grow at once.
func (m *multiplier) copyRows(ctx context.Context) error {
	var (
		number = func(column string) string { return fmt.Sprintf("t.%s + c.n * %d", column, m.transfer.Files) }
		batch  = fmt.Sprintf("t.batch_id + c.n * %d", m.batches)
		path   = "REPLACE(t.path, '/" + firstPart + "/', CONCAT('/part-', LPAD(c.n, 6, '0'), '/'))"
		after  = func(column string) string { return later("t."+column, fmt.Sprintf("c.n * %d", m.took)) }
		ofFile = fmt.Sprintf("t.file_no <= %d", m.transfer.Files)
	)
	tables := []tableCopy{
		{"files", fmt.Sprintf("t.no <= %d", m.transfer.Files), map[string]string{"no": number("no"), "path": path}},
		{"failures", ofFile, map[string]string{"file_no": number("file_no"), "ended_us": after("ended_us")}},
		{"attempts", ofFile, map[string]string{
			"file_no": number("file_no"), "batch_id": batch, "started_at": after("started_at"), "ended_at": after("ended_at"),
		}},
		{"batch_history", fmt.Sprintf("t.batch_id < %d", m.batches), map[string]string{
			"batch_id": batch, "slowest_no": number("slowest_no"),
			"created_us": after("created_us"), "started_us": after("started_us"), "ended_us": after("ended_us"),
		}},
	}
	for _, s := range m.transfer.Steps {
		tables = append(tables, tableCopy{"results", fmt.Sprintf("t.step_no = %d AND %s", s.Number, ofFile), map[string]string{
			"file_no": number("file_no"), "batch_id": batch,
			"started_at": after("started_at"), "ended_at": after("ended_at"), "ran_at": after("ran_at"),
		}})
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(multiplyLanes)
	for _, t := range tables {
		group.Go(func() error {
			if err := m.copyTable(ctx, t, len(tables)); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// tableCopy says how rows of a table are copied: which, and the columns that change, as
// expressions of the row t and the number of the copy c.n.
type tableCopy struct {
	name, which string
	changes     map[string]string
}

// copyTable inserts the copies in the order of the key, some at a time, each statement a
// transaction. It reads what is committed, so that it locks no rows that another lane writes.
func (m *multiplier) copyTable(ctx context.Context, t tableCopy, tables int) error {
	var rows int64
	err := m.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+t.name+" t WHERE t.transfer_id = ? AND "+t.which, m.transfer.ID).Scan(&rows)
	if err != nil {
		return err
	}
	columns, err := m.columns(ctx, t.name)
	if err != nil {
		return err
	}
	values := make([]string, len(columns))
	for i, c := range columns {
		values[i] = cmp.Or(t.changes[c], "t.`"+c+"`")
	}
	for first := 1; first < m.copies && rows > 0; first += multiplyChunk {
		last := min(first+multiplyChunk, m.copies) - 1
		inserted, err := m.insert(ctx, fmt.Sprintf("INSERT INTO %s (`%s`) "+
			"WITH RECURSIVE c (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM c WHERE n < %d) "+
			"SELECT STRAIGHT_JOIN %s FROM c JOIN %s t WHERE t.transfer_id = %d AND %s",
			t.name, strings.Join(columns, "`, `"), first, last, strings.Join(values, ", "), t.name, m.transfer.ID, t.which))
		if err != nil {
			return err
		}
		if want := rows * int64(last-first+1); inserted != want {
			return fmt.Errorf("%d rows copied instead of %d", inserted, want)
		}
		m.progress(last-first+1, tables)
	}
	return nil
}

// progress tells of each tenth of the copies of all tables.
func (m *multiplier) progress(copied, tables int) {
	const tenths = 10
	all := int64(tables) * int64(m.copies)
	done := m.done.Add(int64(copied))
	if before := (done - int64(copied)) * tenths / all; done*tenths/all > before && done < all {
		m.say("%d %% copied", done*tenths/all*tenths)
	}
}

// columns are those of a table that have no number of their own.
func (m *multiplier) columns(ctx context.Context, table string) (names []string, err error) {
	rows, err := m.db.QueryContext(ctx, "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() "+
		"AND TABLE_NAME = ? AND EXTRA NOT LIKE '%auto_increment%' ORDER BY ORDINAL_POSITION", table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// insert runs a statement in a transaction that reads what is committed.
func (m *multiplier) insert(ctx context.Context, statement string) (int64, error) {
	tx, err := m.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	r, err := tx.ExecContext(ctx, statement)
	if err != nil {
		return 0, err
	}
	inserted, err := r.RowsAffected()
	if err != nil {
		return 0, err
	}
	return inserted, tx.Commit()
}

// multiplyActivity spreads what the samples recorded in each slot of time over those of all copies.
func (m *multiplier) multiplyActivity(ctx context.Context) error {
	rows, err := m.db.QueryContext(ctx, "SELECT slot, results, failed, finished, bytes FROM activity WHERE transfer_id = ?", m.transfer.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	slots := make(map[int64]ledger.Activity)
	took, back := time.Duration(m.took)*time.Microsecond, time.Duration(m.took)*time.Microsecond*time.Duration(m.copies-1)
	for rows.Next() {
		var a ledger.Activity
		if err := rows.Scan(&a.Slot, &a.Results, &a.Failed, &a.Finished, &a.Bytes); err != nil {
			return err
		}
		begun := a.Begin().Add(-back)
		for i := range m.copies {
			slot := ledger.SlotOf(begun.Add(took * time.Duration(i)))
			sum := slots[slot]
			slots[slot] = ledger.Activity{
				Slot: slot, Results: sum.Results + a.Results, Failed: sum.Failed + a.Failed,
				Finished: sum.Finished + a.Finished, Bytes: sum.Bytes + a.Bytes,
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if _, err := m.db.ExecContext(ctx, "DELETE FROM activity WHERE transfer_id = ?", m.transfer.ID); err != nil {
		return err
	}
	ordered := slices.SortedFunc(maps.Values(slots), func(a, b ledger.Activity) int { return cmp.Compare(a.Slot, b.Slot) })
	for some := range slices.Chunk(ordered, 1000) {
		var values []string
		for _, a := range some {
			values = append(values, fmt.Sprintf("(%d, %d, %d, %d, %d, %d)", m.transfer.ID, a.Slot, a.Results, a.Failed, a.Finished, a.Bytes))
		}
		statement := "INSERT INTO activity (transfer_id, slot, results, failed, finished, bytes) VALUES " + strings.Join(values, ", ")
		if err := m.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// multiplyCounters makes the counters of the transfer and its steps agree with their rows.
func (m *multiplier) multiplyCounters(ctx context.Context) error {
	times := func(column string) string { return fmt.Sprintf("%s * %d", column, m.copies) }
	for _, t := range []struct {
		table, key string
		columns    []string
	}{
		{"transfers", "id", []string{"files", "bytes", "finished", "dispatched", "dispatched_bytes", "sweep_mark"}},
		{"steps", "transfer_id", []string{
			"selected", "succeeded", "warning", "skipped", "failed", "error", "timed_out", "canceled", "reused", "seen_failures", "seen_results",
		}},
		{"work_times", "transfer_id", []string{
			"paused_us", "approval_us", "limits_us", "retry_us", "queue_us", "no_batch_us", "slots_us", "loading_us",
			"handler_us", "commits_us", "other_us", "in_handler_us",
		}},
	} {
		if err := m.update(ctx, t.table, t.key, t.columns, times); err != nil {
			return err
		}
	}
	// New batches have other numbers than those of the copies.
	_, err := m.db.ExecContext(ctx, fmt.Sprintf("ALTER TABLE batches AUTO_INCREMENT = %d", m.batches*int64(m.copies)+1))
	return err
}

// analyze counts the rows of the tables for the optimizer, as the server does by itself some time later.
func (m *multiplier) analyze(ctx context.Context) error {
	rows, err := m.db.QueryContext(ctx, "ANALYZE TABLE files, results, failures, attempts, batch_history, activity")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() { // a line for each table says that it is done
	}
	return rows.Err()
}

// large describes the transfer.
func (m *multiplier) large(ctx context.Context) (largeTransfer, error) {
	l := largeTransfer{
		files: m.transfer.Files * int64(m.copies), lastPart: fmt.Sprintf("part-%06d", m.copies-1), noPUID: "fmt/999999",
	}
	err := m.db.QueryRowContext(ctx, "SELECT JSON_UNQUOTE(JSON_EXTRACT(facts, '$.puid')) AS puid FROM results "+
		"WHERE transfer_id = ? AND file_no <= ? AND JSON_EXTRACT(facts, '$.puid') <> 'UNKNOWN' "+
		"GROUP BY puid ORDER BY COUNT(*) DESC, puid LIMIT 1", m.transfer.ID, m.transfer.Files).Scan(&l.puid)
	if err != nil {
		return l, fmt.Errorf("find the most frequent format: %w", err)
	}
	var most int64
	for _, s := range m.transfer.Steps {
		if n := s.Failures(); n > most {
			most, l.step = n, s.Name
		}
	}
	return l, nil
}
