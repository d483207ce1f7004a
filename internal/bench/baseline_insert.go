package bench

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// limitRows is the number of rows in a statement of the limit.
const limitRows = 1000

// limitConnections returns the numbers of connections with which the limit is measured.
func limitConnections() []int { return []int{1, 2, 4} }

// limits measures a tree with each number of connections, and returns the best rate, with
// which others are compared.
func (p *Env) limits(
	ctx context.Context, t tree, repeat int, say func(string, ...any), report func(Measurement) error,
) (best float64, err error) {
	var all []Measurement
	for _, variant := range []Variant{BaselineInsert, BaselineInsertShort} {
		for _, n := range limitConnections() {
			say("%s, files %d, connections %d", variant, t.files, n)
			m, err := p.limit(ctx, t, variant, n)
			if err != nil {
				return 0, err
			}
			m.Repeat = repeat
			all = append(all, m)
			if variant == BaselineInsert {
				best = max(best, m.FilesPerSecond)
			}
		}
	}
	for _, m := range all {
		if best > 0 {
			m.RatioToLimit = m.FilesPerSecond / best
		}
		if err := report(m); err != nil {
			return 0, err
		}
	}
	return best, nil
}

// limit inserts a file row and a result row for each file of a tree, with statements of
// 1000 rows, as fast as possible.
func (p *Env) limit(ctx context.Context, t tree, variant Variant, connections int) (m Measurement, err error) {
	s, err := p.startCluster(ctx, 0) // makes the tables
	if err != nil {
		return m, err
	}
	defer func() { err = joinClose(err, s.close) }()
	return s.baseline(ctx, func(ctx context.Context, db *sql.DB, transfer int64) (Measurement, error) {
		meter := newMeter(p.pids())
		meter.own()
		began := time.Now()
		err := insertAll(ctx, db, t, transfer, connections, variant == BaselineInsertShort)
		took := time.Since(began)
		return measured(variant, t.files, limitRows, connections, took, meter.end()), err
	})
}

func insertAll(ctx context.Context, db *sql.DB, t tree, transfer int64, connections int, short bool) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range connections {
		g.Go(func() error {
			files, results := insertFiles(short), insertResults(short)
			for {
				first := int(next.Add(limitRows)) - limitRows
				if first >= t.files {
					return nil
				}
				now := moment(time.Now())
				for i := first; i < min(first+limitRows, t.files); i++ {
					files.file(transfer, int64(i+1), t.path(i), now)
					results.result(transfer, int64(i+1), now)
				}
				for _, in := range []*inserter{files, results} {
					if _, err := db.ExecContext(ctx, in.statement()); err != nil {
						return fmt.Errorf("insert rows: %w", err)
					}
				}
			}
		})
	}
	return g.Wait()
}
