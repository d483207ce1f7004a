package cli

import (
	"github.com/spf13/cobra"

	"github.com/balerhq/baler/tasks"
)

func stopAfterFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().Var(checked{to, checkStopAfter}, "stop-after", "stop when more than a share such as 5% of a step's results are failures, "+
		"or after a number of them; `LIMIT` or none (default: what the recipe says)")
}

func checkStopAfter(text string) error {
	_, err := tasks.ParseStopAfter(text)
	return err
}
