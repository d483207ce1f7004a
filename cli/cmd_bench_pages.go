package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
)

func (p *program) benchPagesCommand(flags *benchFlags) *cobra.Command {
	var o bench.PagesOptions
	cmd := &cobra.Command{
		Use:   "pages",
		Short: "Measure the pages of the dashboard and the API over a large transfer",
		Long: `Pages measures the time to the first byte of each page of the dashboard, and of the
API, over one large transfer. A worker processes 250 files of several formats, of
which some fail; then their rows are multiplied within the database, with counters
that agree with them: about three results for each file, of which 5 % are failures.
The database that it starts has a buffer pool of 512 MiB.

Each page is requested from a 'baler serve' of its own, one request after another:

  FIRST        the first request, before which the server has answered nothing
  MEDIAN, 99 % the requests after it, over one connection
  SIZE         of the largest answer, as sent
  WITH ASSETS  the same with the style sheet, scripts and pictures of the page

With --busy two workers are saturated meanwhile, by transfers whose step does nothing,
so that the database has the most to do. "!" marks a first byte after more than 200 ms.

It needs about 1.3 KB on the disk of temporary files for each file.`,
		Example: `  baler bench pages
  baler bench pages --files 5000000 --requests 120
  baler bench pages --files 1000000 --busy --json`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if flags.html != "" || flags.svg != "" {
				return usagef("bench pages draws no charts; leave out --html and --svg")
			}
			flags.server = bench.PagesDatabase()
			return nil
		},
		RunE: measured(p, flags, &o, p.benchPages),
	}
	cmd.Flags().SortFlags = false
	numberFlag(cmd, &o.Files, "files", 1_000_000, "`N` files of the transfer, rounded up to a multiple of 250")
	numberFlag(cmd, &o.Requests, "requests", 120, "`N` requests of each page, after the first")
	cmd.Flags().BoolVar(&o.Busy, "busy", false, "saturate two workers meanwhile")
	return cmd
}

func (p *program) benchPages(ctx context.Context, benchEnv *bench.Env, o bench.PagesOptions) (*findings, error) {
	var all []bench.PageMeasurement
	err := benchEnv.Pages(ctx, o, reporter(p, &all))
	f := &findings{}
	list := newTable(words("PAGE"), numbers("FIRST"), numbers("MEDIAN"), numbers("99 %"), numbers("MOST"), numbers("SIZE"),
		numbers("WITH ASSETS"), numbers("LOAD"), words("STOLEN"))
	var stolen []float64
	var rate float64
	slow := false
	for i := range all {
		m := &all[i]
		cells := []string{m.Page}
		for _, ms := range []float64{m.FirstMS, m.MedianMS, m.P99MS, m.MaxMS} {
			cell := fmt.Sprintf("%.1f ms", ms)
			if ms > bench.SlowFirstByte {
				cell, slow = cell+" !", true
			}
			cells = append(cells, cell)
		}
		assets := ""
		if m.WithAssets > 0 {
			assets = kilobytes(m.WithAssets)
		}
		stolen = append(stolen, m.Stolen)
		rate += m.BusyRate / float64(len(all))
		list.row(append(cells, kilobytes(m.Bytes), assets, fmt.Sprintf("%.1f", m.LoadAverage), bench.Stolen(stolen[i:]))...)
	}
	f.add("Pages", list)
	if len(all) > 0 {
		f.notef("A transfer of %s files, %d requests of each after the first.", count(int64(all[0].Files)), o.Requests)
	}
	if rate > 0 {
		f.notef("Meanwhile the workers processed %s files a second.", rateOf(rate))
	}
	if slow {
		f.notef("! The first byte took more than %d ms.", bench.SlowFirstByte)
	}
	f.stolen(stolen)
	return p.judged(f, bench.PagesTargets(all), err)
}

// kilobytes is a size as people compare it with the limit of a page.
func kilobytes(bytes int) string { return fmt.Sprintf("%.1f kB", float64(bytes)/1000) }
