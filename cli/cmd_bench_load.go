package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/bench/chart"
)

func (p *program) benchLoadCommand(flags *benchFlags) *cobra.Command {
	var o bench.LoadBenchOptions
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Measure loading JSON lines against plain INSERTs",
		Long: `Load measures how many JSON lines a second 'baler load' puts into a table, against
INSERTs of 1000 rows into the same table, in the same round:

  insert-limit  the same rows with nothing to read or parse, ten statements a
                transaction, over 1, 2 and 4 connections, of which the fastest
                counts
  inserts       what one would write by hand: the same file is read, lines without
                the keyword are passed over, each other line is parsed once and
                its row inserted, each statement by itself; over as many
                connections
  load          Baler, with its workers in processes of their own

The file is written once: so many records of 300 to 600 bytes, and a line that is
skipped for every seven of them. After each measurement it checks the number of rows
in the table. It reports the median of several rounds.

The last column compares with a published account of such a pipeline, with Celery
and SQLAlchemy: 5,275,521 records in 43 minutes. That many are a full run.`,
		Example: `  baler bench load
  baler bench load --records 5275521 --workers 2 --repeat 1
  baler bench load --html load.html`,
		Args: cobra.NoArgs,
		RunE: measured(p, flags, &o, p.benchLoad),
	}
	cmd.Flags().SortFlags = false
	numberFlag(cmd, &o.Records, "records", 500_000, "`N` records")
	o.Workers = []int{1, 2}
	cmd.Flags().Var(positives{&o.Workers}, "workers", "`NUMBERS` of worker processes")
	numberFlag(cmd, &o.Repeat, "repeat", 3, "`N` rounds")
	return cmd
}

func (p *program) benchLoad(ctx context.Context, benchEnv *bench.Env, o bench.LoadBenchOptions) (*findings, error) {
	var all []bench.LoadMeasurement
	err := benchEnv.Load(ctx, o, reporter(p, &all))
	rows := bench.LoadRows(all)
	f := &findings{
		title: "JSON lines into a table", charts: []chart.Chart{bench.LoadChart(rows)},
		lead: "Records a second into a table, against INSERTs of 1000 rows by hand.",
	}
	f.add("Records a second", loadRates(rows))
	f.add("Processor time a record, and peak memory of the largest process of a kind", loadUses(rows))
	return p.judged(f, bench.LoadTargets(rows), err)
}

func loadRates(rows []bench.LoadRow) *table {
	list := newTable(words("WAY"), numbers("WORKERS"), numbers("RECORDS/S"), numbers("SLOWEST"), numbers("FASTEST"), numbers("MB/S"),
		numbers("SECONDS"), numbers("OF INSERTS"), numbers("OF LIMIT"), numbers("× 43 MINUTES"))
	for i := range rows {
		r := &rows[i]
		list.row(string(r.Variant), strconv.Itoa(r.Workers), rate(r.RecordsPerSecond), rate(r.Slowest), rate(r.Fastest),
			fmt.Sprintf("%.1f", r.MBPerSecond), fmt.Sprintf("%.2f", r.Seconds), ratio(r.RatioToInserts), ratio(r.RatioToLimit),
			ratio(r.TimesAccount))
	}
	return list
}

func loadUses(rows []bench.LoadRow) *table {
	list := newUses(words("WAY"), numbers("WORKERS"))
	for i := range rows {
		r := &rows[i]
		list.row(r.CPUSeconds, r.PeakRSS, r.Records, string(r.Variant), strconv.Itoa(r.Workers))
	}
	return list.table
}
