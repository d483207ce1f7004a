package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/tasks"
)

func deadlineFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().Var(checked{to, tasks.CheckDeadline}, "deadline", "cancel it if it has not ended after a `TIME` such as 6h, "+
		"or at one such as 2026-05-01T06:00:00Z; or none (default: what the recipe says)")
}

// deadlineOf is the deadline of a transfer with the time that is left.
func deadlineOf(t *tasks.Transfer, now time.Time) string {
	return t.DescribeDeadline(now, local, func(left time.Duration) string { return left.Round(time.Second).String() })
}
