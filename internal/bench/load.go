package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// LoadBenchOptions configure Load. All fields are required.
type LoadBenchOptions struct {
	Records int   // number of records to load, besides lines that are skipped
	Workers []int // numbers of worker processes
	Repeat  int
}

// Load compares the load command with INSERTs of 1000 rows: of the same rows parsed from
// the same file, and of rows that need no parsing. After each measurement it compares the
// content of the table. It calls report with each measurement.
func (p *Env) Load(ctx context.Context, o LoadBenchOptions, report func(LoadMeasurement) error) error {
	p.o.Say("Writing %d records.", o.Records)
	path := p.path("records.jsonl")
	size, err := writeRecords(ctx, path, o.Records)
	if err != nil {
		return err
	}
	r := &loads{env: p, o: o, path: path, size: size}
	for i := range o.Repeat {
		if err := r.round(ctx, i+1, report); err != nil {
			return err
		}
	}
	return nil
}

// loads is one run of Load.
type loads struct {
	env  *Env
	o    LoadBenchOptions
	path string
	size int64
	rows string // fingerprint of the rows of the first measurement
}

func (r *loads) round(ctx context.Context, repeat int, report func(LoadMeasurement) error) error {
	best := make(map[Variant]float64)
	for _, c := range r.ways() {
		r.env.o.Say("[%d/%d] %s, %d", repeat, r.o.Repeat, c.variant, c.workers)
		took, spent, err := r.measure(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.variant, err)
		}
		m := loading(c.variant, r.o.Records, r.size, c.workers, took, spent)
		m.Repeat = repeat
		best[c.variant] = max(best[c.variant], m.RecordsPerSecond)
		if c.variant == LoadVariantCLI {
			m.RatioToInserts = m.RecordsPerSecond / best[InsertVariant]
		}
		if c.variant != BaselineLoad {
			m.RatioToLimit = m.RecordsPerSecond / best[BaselineLoad]
		}
		if err := report(m); err != nil {
			return err
		}
	}
	return nil
}

// loadWay is one variant of filling the table.
type loadWay struct {
	variant Variant
	workers int // or connections
}

// ways returns the variants, baselines first.
func (r *loads) ways() []loadWay {
	var all []loadWay
	for _, variant := range []Variant{BaselineLoad, InsertVariant} {
		for _, n := range limitConnections() {
			all = append(all, loadWay{variant, n})
		}
	}
	for _, n := range r.o.Workers {
		all = append(all, loadWay{LoadVariantCLI, n})
	}
	return all
}

func (r *loads) measure(ctx context.Context, c loadWay) (took time.Duration, spent usage, err error) {
	workers := 0
	if c.variant == LoadVariantCLI {
		workers = c.workers
	}
	s, err := r.env.startCluster(ctx, workers)
	if err != nil {
		return 0, spent, err
	}
	defer func() { err = joinClose(err, s.close) }()
	db, err := r.env.connect(r.env.databaseURL, max(baselineConnections, c.workers))
	if err != nil {
		return 0, spent, err
	}
	defer func() { err = joinClose(err, db.Close) }()
	for _, statement := range []string{"DROP TABLE IF EXISTS " + recordTable, createRecords} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return 0, spent, fmt.Errorf("make the table: %w", err)
		}
	}
	defer func() { err = errors.Join(err, dropRecords(context.WithoutCancel(ctx), db)) }()
	meter := newMeter(s.pids())
	switch c.variant {
	case LoadVariantCLI:
		took, err = s.loadFile(ctx, meter, r.path, r.o.Records)
	default:
		meter.own()
		began := time.Now()
		if c.variant == InsertVariant {
			err = insertFile(ctx, db, r.path, c.workers)
		} else {
			err = insertRecords(ctx, db, r.o.Records, c.workers)
		}
		took = time.Since(began)
	}
	spent = meter.end()
	if err != nil {
		return 0, spent, err
	}
	return took, spent, r.verify(ctx, db)
}

func dropRecords(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "DROP TABLE "+recordTable); err != nil {
		return fmt.Errorf("drop the table: %w", err)
	}
	return nil
}

// verify checks that the table has all records, and the same as after the first
// measurement.
func (r *loads) verify(ctx context.Context, db *sql.DB) error {
	var count int
	var sum string
	err := db.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(CRC32(CONCAT_WS('|', "+recordColumns+"))), 0) FROM "+recordTable).
		Scan(&count, &sum)
	if err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	if r.rows == "" {
		r.rows = sum
	}
	if count != r.o.Records || sum != r.rows {
		return fmt.Errorf("the table holds %d rows with the sum %s, not %d with %s", count, sum, r.o.Records, r.rows)
	}
	return nil
}

// loadFile registers the file with the load command, and waits for the end of the transfer.
func (s *cluster) loadFile(ctx context.Context, m *meter, path string, records int) (time.Duration, error) {
	args := []string{"load", path, "--into", recordTable, "--line-contains", keyword, "--json", "--quiet", "--queue", benchQueue}
	for _, column := range recordMap() {
		args = append(args, "--map", column)
	}
	out, err := s.produce(ctx, m, args...)
	if err != nil {
		return 0, err
	}
	var sum struct {
		Loaded  int     `json:"loaded"`
		Skipped int     `json:"skipped"`
		Seconds float64 `json:"seconds"`
	}
	if err := json.Unmarshal(out, &sum); err != nil {
		return 0, fmt.Errorf("read its summary: %w", err)
	}
	if sum.Loaded != records || sum.Skipped != records/heartbeatAfter {
		return 0, fmt.Errorf("%d of %d lines were loaded, %d passed over", sum.Loaded, records, sum.Skipped)
	}
	return time.Duration(sum.Seconds * float64(time.Second)), nil
}
