package cli

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
)

func (p *program) benchRunCommand(flags *benchFlags) *cobra.Command {
	var o bench.EmbeddedOptions
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Measure baler run with the embedded queue and database",
		Long: `Run measures what 'baler run' costs when there are no servers: the processor time
of the whole process, user and system, and its peak memory. It measures in turn

  find       reading the attributes of the empty files: find -printf '%s %T@'
  run noop   a first run over them, with a step that does nothing
  run again  the same run again: nothing has changed
  hash       SHA-256 of the files with content, on all processors, and nothing else
  run        a first run over those, with the default recipe

Each is a process of its own and runs several times; the median counts. The files
with content are 5000 of 20 KiB that it makes, or those of --tree. Settings of Baler
in the environment are ignored.`,
		Example: `  baler bench run
  baler bench run --files 1000000 --repeat 1
  baler bench run --tree /usr/share/doc --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.html != "" || flags.svg != "" {
				return usagef("bench run draws no charts; leave out --html and --svg")
			}
			if o.Tree != "" {
				if info, err := os.Stat(o.Tree); err != nil {
					return usagef("--tree: %w", err)
				} else if !info.IsDir() {
					return usagef("--tree: %s is not a folder", o.Tree)
				}
			}
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			o.Program, o.Env, o.Say = self, p.env, p.notef
			return p.benchRun(cmd.Context(), o)
		},
	}
	cmd.Flags().SortFlags = false
	numberFlag(cmd, &o.Files, "files", 100_000, "`N` empty files")
	cmd.Flags().StringVar(&o.Tree, "tree", "", "the `FOLDER` with files for the default recipe")
	numberFlag(cmd, &o.Repeat, "repeat", 3, "`N` rounds")
	return cmd
}

// benchRun shows what was measured, also when it was interrupted.
func (p *program) benchRun(ctx context.Context, o bench.EmbeddedOptions) error {
	p.sayTakes(o)
	var all []bench.EmbeddedMeasurement
	err := bench.Embedded(ctx, o, reporter(p, &all))
	if len(all) == 0 {
		return err
	}
	if err != nil {
		p.notef("Interrupted; these are the measurements made so far.")
	}
	medians, stolen, targets := bench.SummarizeEmbedded(all)
	list := newTable(words("WAY"), numbers("FILES"), numbers("ROUNDS"), numbers("CPU µs/FILE"), numbers("CPU SECONDS"), numbers("SECONDS"),
		numbers("PEAK MiB"), words("STOLEN"))
	f := &findings{}
	var percents []float64
	for i := range medians {
		m := &medians[i]
		rounds := stolen[m.Variant]
		percents = append(percents, rounds...)
		list.row(string(m.Variant), count(int64(m.Files)), strconv.Itoa(len(rounds)), fmt.Sprintf("%.1f", m.CPUPerFile),
			fmt.Sprintf("%.2f", m.CPUSeconds), fmt.Sprintf("%.2f", m.Seconds), mebibytes(m.PeakRSS), bench.Stolen(rounds))
	}
	f.add("Processor time and memory", list)
	if hash, run := costOf(medians, bench.VariantHash), costOf(medians, bench.VariantRun); hash > 0 && run > 0 {
		f.notef("Checksums and formats take %.1f times the processor time of hashing alone.", run/hash)
	}
	f.stolen(percents)
	f, err = p.judged(f, targets, err)
	if !p.json {
		f.print(p.stdout)
	}
	return err
}

// costOf returns the processor time of a way for a file; 0 when it was not measured.
func costOf(medians []bench.EmbeddedMeasurement, way bench.Variant) float64 {
	for i := range medians {
		if medians[i].Variant == way {
			return medians[i].CPUPerFile
		}
	}
	return 0
}

// benchHashCommand hashes the files of a folder, for bench run to compare with.
func (p *program) benchHashCommand() *cobra.Command {
	return &cobra.Command{
		Use: "hash FOLDER", Short: "Hash the files of a folder, and do nothing else", Example: "  baler bench hash photos",
		Long: "Hash computes the SHA-256 of all files of a folder on all processors, which bench run\ncompares runs with.",
		Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := bench.HashTree(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "{\"files\":%d}\n", files)
			return err
		},
	}
}

// mebibytes is a peak of memory, which is 0 when it is unknown.
func mebibytes(peak int64) string {
	if peak == 0 {
		return "–"
	}
	return strconv.FormatInt(peak>>20, 10)
}
