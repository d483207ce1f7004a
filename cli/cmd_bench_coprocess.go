package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
)

func (p *program) benchCoprocessCommand(flags *benchFlags) *cobra.Command {
	var o bench.CoprocessOptions
	cmd := &cobra.Command{
		Use:   "coprocess",
		Short: "Compare one process per file with a process that keeps running",
		Long: `Coprocess runs a Python script that imports many modules over small files, one at a
time: as a process for each file, by the handler exec, and as one process that
stays up, by the handler coprocess. It needs python3, and no servers.`,
		Example: `  baler bench coprocess
  baler bench coprocess --files 100 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.html != "" || flags.svg != "" {
				return usagef("bench coprocess draws no charts; leave out --html and --svg")
			}
			p.sayTakes(o)
			o.Say = p.notef
			var all []bench.ScriptMeasurement
			err := bench.Coprocess(cmd.Context(), o, reporter(p, &all))
			if err != nil && len(all) > 0 {
				p.notef("Interrupted; these are the measurements made so far.")
			}
			if len(all) == 0 || p.json {
				return err
			}
			list := newTable(words("WAY"), numbers("FILES"), numbers("SECONDS"), numbers("FILES/S"), numbers("CPU MS/FILE"))
			for _, m := range all {
				list.row(string(m.Variant), strconv.Itoa(m.Files), fmt.Sprintf("%.2f", m.Seconds), rateOf(m.FilesPerSecond),
					fmt.Sprintf("%.2f", 1000*m.CPUSeconds/float64(m.Files)))
			}
			list.within(tableWidth(p.stdout)).write(p.stdout)
			return err
		},
	}
	cmd.Flags().SortFlags = false
	numberFlag(cmd, &o.Files, "files", 500, "`N` files")
	numberFlag(cmd, &o.Batch, "batch", 128, "`N` files in a batch")
	return cmd
}
