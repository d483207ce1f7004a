package bench

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// limitTransaction is the number of rows in a transaction of the limit.
const limitTransaction = 10 * limitRows

// insertRecords inserts generated records over some connections and commits rarely, which is
// the fastest way to fill the table with statements of this size.
func insertRecords(ctx context.Context, db *sql.DB, records, connections int) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range connections {
		g.Go(func() error {
			rows := &inserter{head: intoRecords}
			for {
				first := next.Add(limitTransaction) - limitTransaction
				if first >= int64(records) {
					return nil
				}
				if err := insertRange(ctx, db, rows, first, min(first+limitTransaction, int64(records))); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// insertRange inserts records in one transaction.
func insertRange(ctx context.Context, db *sql.DB, rows *inserter, first, end int64) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("insert rows: %w", err)
	}
	for from := first; from < end; from += limitRows {
		for i := from; i < min(from+limitRows, end); i++ {
			r, _ := recordOf(i)
			rows.record(&r)
		}
		if err := rows.exec(ctx, tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("insert rows: %w", err)
	}
	return nil
}

// insertFile is a typical hand-written loader: one goroutine reads the file and skips lines
// without the keyword; others parse lines and insert them, each over its own connection.
func insertFile(ctx context.Context, db *sql.DB, path string, connections int) error {
	chunks := make(chan [][]byte, connections)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(chunks)
		return readChunks(ctx, path, chunks)
	})
	for range connections {
		g.Go(func() error {
			rows := &inserter{head: intoRecords}
			for lines := range chunks {
				for _, l := range lines {
					var r record
					if err := json.Unmarshal(l, &r); err != nil {
						return fmt.Errorf("parse a line: %w", err)
					}
					rows.record(&r)
				}
				if err := rows.exec(ctx, db); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// longestLine is longer than any line of the file.
const longestLine = 64 << 10

// readChunks sends the lines of each statement to a channel.
func readChunks(ctx context.Context, path string, chunks chan<- [][]byte) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	defer f.Close() // only read from
	var text []byte
	var ends []int
	hand := func() error {
		lines, from := make([][]byte, len(ends)), 0
		for i, to := range ends {
			lines[i], from = text[from:to], to
		}
		text, ends = make([]byte, 0, cap(text)), ends[:0]
		select {
		case chunks <- lines:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 1<<20), longestLine)
	for s.Scan() {
		if !bytes.Contains(s.Bytes(), []byte(keyword)) {
			continue
		}
		text = append(text, s.Bytes()...)
		ends = append(ends, len(text))
		if len(ends) == limitRows {
			if err := hand(); err != nil {
				return err
			}
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	if len(ends) > 0 {
		return hand()
	}
	return nil
}

// exec inserts the rows, and begins the next statement.
func (i *inserter) exec(ctx context.Context, db execer) error {
	if _, err := db.ExecContext(ctx, i.statement()); err != nil {
		return fmt.Errorf("insert rows: %w", err)
	}
	return nil
}

// execer is a database, or a transaction of it.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}
