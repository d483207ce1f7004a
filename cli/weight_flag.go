package cli

import (
	"github.com/spf13/cobra"

	"github.com/balerhq/baler/tasks"
)

func weightFlag(cmd *cobra.Command, to *int) {
	cmd.Flags().IntVar(to, "weight", 1, "share of the workers while other transfers by bulk wait in the same queue, `N` from 1 to 100: "+
		"one with 3 gets three times the batches of one with 1")
}

func checkWeight(weight int) error {
	if weight < 1 || weight > tasks.MaxWeight {
		return usagef("--weight is a number from 1 to %d, not %d", tasks.MaxWeight, weight)
	}
	return nil
}

// noteWeight notes that files by group have no share: the queue has them already, in the
// order of their arrival.
func (p *program) noteWeight(t *tasks.Transfer) {
	if t.Weight > 1 && t.Via == tasks.ViaGroup {
		p.notef("note: --weight has no effect on files that are sent by group; with --via bulk it has.")
	}
}
